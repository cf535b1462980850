import type { StoreCall } from '../../../types/store.ts'
import { assertInTime } from '../assert-in-time.ts'

/** How long one call of the store may wait for locks, for all of them together, and until when it may write. */
export class TimeLimit {
  readonly #lockTimeout: number
  readonly #locksUntil: number
  readonly #call: StoreCall | undefined

  /** `lockTimeout`: in seconds. Without a `call` only the waiting has an end. */
  constructor(lockTimeout: number, call?: StoreCall) {
    this.#lockTimeout = lockTimeout
    this.#locksUntil = performance.now() + lockTimeout * 1000
    this.#call = call
  }

  /** How many milliseconds the call may go on waiting. The number may be negative, and may grow: see `StoreCall`. */
  get left(): number {
    return Math.min(this.#locksUntil, this.#call?.deadline ?? Number.POSITIVE_INFINITY) - performance.now()
  }

  /** Throws if the caller has given up, so that nothing may be written any more. */
  assertMayWrite(): void {
    assertInTime(this.#call)
  }

  /** Returns what a caller is told that has waited too long. */
  exceeded(directory: string, holder: string): Error {
    const limit = this.#locksUntil <= performance.now() ? `within ${this.#lockTimeout} s (lockTimeout)` : 'in time'
    return new Error(`A lock in ${directory} was not released ${limit}. ${holder} holds it.`)
  }
}
