/**
 * Calls `prune` at intervals, for engines that do not remove expired records themselves. It does not keep the process alive.
 */
export class PruneTimer {
  readonly #milliseconds: number
  readonly #prune: () => unknown
  #timer: NodeJS.Timeout | undefined
  #hasFailed = false

  /** `seconds`: between two calls; 0 turns them off. If a call fails, it warns once and tries again at the next interval. */
  constructor(seconds: number, prune: () => unknown) {
    this.#milliseconds = seconds * 1000
    this.#prune = prune
    this.start()
  }

  /** Starts the timer again after `stop`: an application that adds sessions still uses a store that another one has closed. */
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
