import type { StoreCall } from '../../types/store.ts'

/** How often, in milliseconds, the calls under way are looked at: a process that stood still is noticed by a look that is late. */
const LONGEST_TICK = 250
/** The same as a part of the time that a call has. */
const TICKS = 4

/**
 * Returns the error for a result that no method of a store may return: it could pass for a logout, or for a change that was
 * kept.
 */
export function unlikeAnyAnswer(answer: unknown): Error {
  return new TypeError(`The store broke its contract: it returned a ${typeof answer} that is no valid result.`)
}

/** A call has no time left. */
export class TooLateError extends Error {}

/** How long the process has stood still while calls were under way: a look at them is late then. */
class Stalls {
  /** When the next look is due. */
  #dueAt: number = Number.POSITIVE_INFINITY
  #past = 0

  get dueAt(): number {
    return this.#dueAt
  }

  /** Returns the milliseconds until `now`, with those of a look that is late. */
  until(now: number): number {
    return this.#past + Math.max(0, now - this.#dueAt)
  }

  /** The look that was due has come, and the next one is due at `time`. */
  expect(time: number): void {
    this.#past = this.until(performance.now())
    this.#dueAt = time
  }

  /** The time that counts: `performance.now()` without the stalls. */
  time(): number {
    const now = performance.now()
    return now - this.until(now)
  }
}

/** The time that one call has, or several calls together. */
export class Allowance implements StoreCall {
  readonly replacing: string | undefined
  readonly evicted: StoreCall['evicted']
  readonly #milliseconds: number
  readonly #stalls: Stalls
  /** By the time that counts, from when it is first asked for: a store that answers at once does not need it. */
  #end: number | undefined
  #isPaused = false

  constructor(milliseconds: number, stalls: Stalls, replacing?: string, evicted?: StoreCall['evicted']) {
    this.replacing = replacing
    this.evicted = evicted
    this.#milliseconds = milliseconds
    this.#stalls = stalls
  }

  get deadline(): number {
    if (this.#isPaused) return Number.POSITIVE_INFINITY
    const now = performance.now()
    const stalled = this.#stalls.until(now)
    this.#end ??= now - stalled + this.#milliseconds
    return this.#end + stalled
  }

  /** How many milliseconds are left; 0 or less if none are. */
  get left(): number {
    return this.deadline - performance.now()
  }

  get isOver(): boolean {
    return this.#end !== undefined && this.left <= 0
  }

  /** Time does not count until the function that this returns is called. */
  pause(): () => void {
    const { left } = this
    this.#isPaused = true
    return () => {
      this.#end = this.#stalls.time() + left
      this.#isPaused = false
    }
  }
}

interface Pending {
  readonly allowance: StoreCall
  readonly fail: (cause: unknown) => void
}

/**
 * Gives up on calls that take too long. One timer serves all of them, because a timer for each call costs more than a fast
 * call.
 *
 * The time during which the process stands still does not count. Otherwise all calls would fail after it, although their answers
 * have arrived and wait to be read.
 */
export class Deadline {
  readonly #milliseconds: number
  readonly #lateness: string
  readonly #stalls: Stalls = new Stalls()
  readonly #pending: Set<Pending> = new Set()
  #timer: NodeJS.Timeout | undefined

  /** `lateness`: what the error of a call says that takes too long. */
  constructor(
    milliseconds: number,
    lateness = `The store did not answer within ${milliseconds / 1000} s (storeTimeout).`
  ) {
    this.#milliseconds = milliseconds
    this.#lateness = lateness
  }

  /** `replacing`, `evicted`: see `StoreCall`. */
  begin(replacing?: string, evicted?: StoreCall['evicted']): Allowance {
    return new Allowance(this.#milliseconds, this.#stalls, replacing, evicted)
  }

  /**
   * Resolves to the result of the call, if `accepts` accepts it. Otherwise, and if the call fails or takes longer than allowed, it
   * rejects with what `toError` returns for the cause. It ignores a result that comes too late.
   */
  race<T>(
    allowance: StoreCall,
    call: Promise<T>,
    accepts: (answer: unknown) => boolean,
    toError: (cause: unknown) => Error
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending: Pending = {
        allowance,
        fail: (cause) => {
          this.#pending.delete(pending)
          reject(toError(cause))
        }
      }
      this.#pending.add(pending)
      if (allowance.deadline < this.#stalls.dueAt) this.#arm()
      call.then((value) => {
        if (!accepts(value)) return pending.fail(unlikeAnyAnswer(value))
        this.#pending.delete(pending)
        resolve(value)
      }, pending.fail)
    })
  }

  /** Returns the cause of the failure of a call that has no time left. */
  tooLate(): TooLateError {
    return new TooLateError(this.#lateness)
  }

  /** Sets the timer for the next look. */
  #arm(): void {
    clearTimeout(this.#timer)
    const now = performance.now()
    let next = Math.min(LONGEST_TICK, this.#milliseconds / TICKS)
    for (const { allowance } of this.#pending) next = Math.min(next, Math.max(0, allowance.deadline - now))
    this.#stalls.expect(now + next)
    this.#timer = setTimeout(() => this.#look(), next).unref()
  }

  #look(): void {
    this.#stalls.expect(Number.POSITIVE_INFINITY)
    const now = performance.now()
    for (const { allowance, fail } of this.#pending) if (allowance.deadline <= now) fail(this.tooLate())
    if (this.#pending.size > 0) this.#arm()
  }
}
