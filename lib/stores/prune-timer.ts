/** Calls `prune` again and again, for engines that do not expire by themselves. It keeps no process alive. */
export class PruneTimer {
  readonly #milliseconds: number
  readonly #prune: () => unknown
  #timer: NodeJS.Timeout | undefined
  #hasFailed = false

  /** `seconds` between two calls; 0 for none. A call that fails is tried again at the next turn, and said once. */
  constructor(seconds: number, prune: () => unknown) {
    this.#milliseconds = seconds * 1000
    this.#prune = prune
    this.start()
  }

  /** Runs it again after `stop`: whoever adds sessions goes on using a store that another application has closed. */
  start(): void {
    if (this.#timer !== undefined || this.#milliseconds === 0) return
    this.#timer = setInterval(() => this.#run(), this.#milliseconds).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  async #run(): Promise<void> {
    try {
      await this.#prune()
    } catch (error) {
      if (!this.#hasFailed)
        process.emitWarning(`Expired sessions could not be removed: ${error}`, 'SessionStoreWarning')
      this.#hasFailed = true
    }
  }
}
