/** An answer that is none would be taken for a logout, or for something that was kept. */
export function unlikeAnyAnswer(answer: unknown): Error {
  return new TypeError(`The store broke its contract: it answered with a ${typeof answer} that means nothing.`)
}

interface Call {
  readonly givesUpAt: number
  readonly fail: (cause: unknown) => void
}

/**
 * Gives up on calls that take too long. One timer watches over all of them: a timer for each costs more than many a call.
 */
export class Deadline {
  readonly #milliseconds: number
  /** Oldest first. */
  readonly #pending: Set<Call> = new Set()
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  /**
   * What the call gives, if `accepts` takes it for an answer. A rejection with what `toError` makes of its cause, whether the call
   * failed or was too slow; an answer that comes after that is ignored.
   */
  race<T>(call: Promise<T>, accepts: (answer: unknown) => boolean, toError: (cause: unknown) => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending: Call = {
        givesUpAt: performance.now() + this.#milliseconds,
        fail: (cause) => {
          this.#pending.delete(pending)
          reject(toError(cause))
        }
      }
      this.#pending.add(pending)
      this.#timer ??= this.#arm(this.#milliseconds)
      call.then((value) => {
        if (!accepts(value)) return pending.fail(unlikeAnyAnswer(value))
        this.#pending.delete(pending)
        resolve(value)
      }, pending.fail)
    })
  }

  #arm(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#check(), milliseconds).unref()
  }

  #check(): void {
    const now = performance.now()
    for (const call of this.#pending) {
      if (call.givesUpAt > now) {
        this.#timer = this.#arm(call.givesUpAt - now)
        return
      }
      call.fail(new Error(`There was no answer within ${this.#milliseconds} ms.`))
    }
    this.#timer = undefined
  }
}
