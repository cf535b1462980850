/** A client that has given up on a command may still have it in a queue for this long. */
const AFTER_FAILURE_MILLISECONDS = 60_000

/** Numbers the commands of one store, and knows which of them the client may still send again. */
export class CommandNumbers {
  /** When to forget a command, by `performance.now()`; in the order of the numbers. */
  readonly #open: Map<number, number> = new Map()
  #last = 0

  begin(): number {
    this.#open.set(++this.#last, Number.POSITIVE_INFINITY)
    return this.#last
  }

  /** The command has its answer: nobody sends it again. */
  settle(number: number): void {
    this.#open.delete(number)
  }

  /** The command has failed. A client that gives up by a timer (`commandTimeout` of ioredis) keeps it in its queue. */
  fail(number: number): void {
    this.#open.set(number, performance.now() + AFTER_FAILURE_MILLISECONDS)
  }

  /** The lowest number of a command that may still be sent. */
  lowest(): number {
    const now = performance.now()
    for (const [number, until] of this.#open) {
      if (until > now) return number
      this.#open.delete(number)
    }
    return this.#last + 1
  }
}
