/**
 * Returns the error for a result that no method of a store may return: it could pass for a logout, or for a change that was
 * kept.
 */
export function unlikeAnyAnswer(answer: unknown): Error {
  return new TypeError(`The store broke its contract: it returned a ${typeof answer} that is no valid result.`)
}

interface Call {
  readonly givesUpAt: number
  readonly fail: (cause: unknown) => void
}

/**
 * Gives up on calls that take too long. One timer serves all of them, because a timer for each call costs more than a fast
 * call.
 */
export class Deadline {
  readonly #milliseconds: number
  /** The calls without a result, oldest first. */
  readonly #pending: Set<Call> = new Set()
  #timer: NodeJS.Timeout | undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
  }

  /**
   * Resolves to the result of the call, if `accepts` accepts it. Otherwise, and if the call fails or takes too long, it rejects
   * with what `toError` returns for the cause. It ignores a result that comes too late.
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
      call.fail(new Error(`The store did not answer within ${this.#milliseconds / 1000} s (storeTimeout).`))
    }
    this.#timer = undefined
  }
}
