import { InvalidValueError } from '../errors.ts'

/** Far in the future: a store with the real time must not expire a record that was created with this clock. */
const START = Date.UTC(2100, 0, 1)

/**
 * A clock that a test moves, for the option `clock` of the plugin, of stores and of the login kit. It starts at the beginning
 * of the year 2100, or at the given date. Throws `ERR_SESSION_VALUE` for an invalid date.
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

  /** `start`: the first time of the clock. */
  constructor(start?: Date) {
    if (start !== undefined) this.set(start)
  }

  /**
   * Returns the time of the clock in milliseconds since 1970, as `Date.now()` does. Needs no `this`.
   *
   * @example
   * ```ts
   * const clock = new FakeClock(new Date('2030-01-01'))
   * const store = new MemoryStore({ clock: clock.now })
   * ```
   */
  readonly now = (): number => this.#now

  /**
   * Moves the clock forward by a number of seconds; back if the number is negative. Throws `ERR_SESSION_VALUE` for anything but
   * a finite number.
   *
   * @example
   * ```ts
   * const clock = new FakeClock()
   * clock.advance(1800)
   * ```
   */
  advance(seconds: number): void {
    if (!Number.isFinite(seconds)) throw new InvalidValueError('clock.advance() takes a finite number of seconds.')
    this.#now += seconds * 1000
  }

  /**
   * Sets the clock. Throws `ERR_SESSION_VALUE` for anything but a valid `Date`.
   *
   * @example
   * ```ts
   * const clock = new FakeClock()
   * clock.set(new Date('2030-01-01'))
   * ```
   */
  set(date: Date): void {
    if (!(date instanceof Date) || Number.isNaN(date.getTime())) {
      throw new InvalidValueError('A FakeClock takes a valid Date.')
    }
    this.#now = date.getTime()
  }
}
