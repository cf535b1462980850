import { InvalidValueError } from '../errors.ts'

/** Later than any clock of a store by which it could forget what lives by this one. */
const START = Date.UTC(2100, 0, 1)

/**
 * A clock that moves by hand, for the option `clock` of the plugin and of stores. It starts at the beginning of the year 2100,
 * or at a date of yours.
 *
 * @example
 * ```ts
 * const clock = new FakeClock()
 * await app.register(session, { secret, clock: clock.now, idleTimeout: 1800 })
 * clock.advance(1801)
 * ```
 */
export class FakeClock {
  #now: number = START

  constructor(start?: Date) {
    if (start !== undefined) this.set(start)
  }

  /** The time in milliseconds since 1970, as `Date.now()` tells it. Needs no `this`. */
  readonly now = (): number => this.#now

  /** Moves the clock on; back, if there are fewer than 0. Anything but a finite number throws `ERR_SESSION_VALUE`. */
  advance(seconds: number): void {
    if (!Number.isFinite(seconds)) throw new InvalidValueError('clock.advance() takes a number of seconds.')
    this.#now += seconds * 1000
  }

  /** Sets the clock. Anything but a valid `Date` throws `ERR_SESSION_VALUE`. */
  set(date: Date): void {
    if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
      throw new InvalidValueError('A FakeClock is set to a valid Date.')
    }
    this.#now = date.getTime()
  }
}
