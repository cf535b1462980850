/** Calls `prune` again and again, for engines that do not expire by themselves. It keeps no process alive. */
export class PruneTimer {
  readonly #timer: NodeJS.Timeout | undefined

  /** `seconds` between two calls; 0 for none. A call that fails is tried again at the next turn, and said once. */
  constructor(seconds: number, prune: () => unknown) {
    if (seconds === 0) return
    let hasFailed = false
    this.#timer = setInterval(async () => {
      try {
        await prune()
      } catch (error) {
        if (!hasFailed) process.emitWarning(`Expired sessions could not be removed: ${error}`, 'SessionStoreWarning')
        hasFailed = true
      }
    }, seconds * 1000).unref()
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
