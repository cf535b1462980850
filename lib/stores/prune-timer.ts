/** The longest time until the first call, in milliseconds: soon, because many processes live less than an hour. */
const FIRST = 30_000

/**
 * Calls `prune` soon after the start and then at intervals, for engines that do not remove expired records themselves. It does
 * not keep the process alive.
 */
export class PruneTimer {
  readonly #interval: number
  readonly #prune: () => unknown
  #timer: NodeJS.Timeout | undefined
  #hasFailed = false

  /**
   * `seconds`: from the end of a call to the next one; 0 turns them off. If a call fails, it warns once and tries again after the
   * interval.
   */
  constructor(seconds: number, prune: () => unknown) {
    this.#interval = seconds * 1000
    this.#prune = prune
    this.start()
  }

  /** Starts the timer again after `stop`: an application that adds sessions still uses a store that another one has closed. */
  start(): void {
    if (this.#timer !== undefined || this.#interval === 0) return
    // Processes that start together take turns.
    this.#schedule(Math.min(this.#interval, FIRST) * (0.5 + Math.random() / 2))
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #schedule(milliseconds: number): void {
    const timer = setTimeout(async () => {
      await this.#run()
      // Not if it was stopped meanwhile.
      if (this.#timer === timer) this.#schedule(this.#interval)
    }, milliseconds).unref()
    this.#timer = timer
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
