/**
 * Measures the difference between the clock of a server and `performance.now()` of this process. A write that tells the server until
 * when it may be applied needs it, because the two clocks may differ by any amount.
 *
 * Every answer with the time of the server tells the difference within bounds: the server read its clock after the question had
 * been sent and before the answer was read. Bounds that fit together narrow it down. Bounds that do not fit tell that the clock
 * has been set, or that another server has answered: then the newest count alone.
 */
export class ServerClock {
  #least: number = Number.NaN
  #most: number = Number.NaN

  /** An answer has come. `sentAt`: when it was asked for, by `performance.now()`. `serverTime`: in milliseconds since 1970. */
  note(sentAt: number, serverTime: number): void {
    const [least, most] = [serverTime - performance.now(), serverTime - sentAt]
    const fits = least <= this.#most && most >= this.#least
    this.#least = fits ? Math.max(least, this.#least) : least
    this.#most = fits ? Math.min(most, this.#most) : most
  }

  /**
   * Returns a time of `performance.now()` as the server will show it, in milliseconds since 1970: rather too early than too
   * late. Undefined if no answer has come yet.
   */
  toServerTime(time: number): number | undefined {
    return Number.isNaN(this.#least) ? undefined : time + this.#least
  }
}
