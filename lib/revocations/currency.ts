import { channel } from 'node:diagnostics_channel'
import type { FastifyBaseLogger } from 'fastify'
import type { RevocationEvent } from '../../types/diagnostics.ts'
import { revocationsUnavailableError } from '../errors.ts'

const events = channel('fastify-typed-session/revocations')

export interface CurrencySettings {
  readonly cookieName: string
  /** In seconds. */
  readonly maxStaleness: number
  readonly onStale: 'accept' | 'refuse'
}

/** How old is what this process knows of a list. It tells when that becomes too old, and when it is current again. */
export class Currency {
  readonly #settings: CurrencySettings
  readonly #log: Pick<FastifyBaseLogger, 'info' | 'warn'>
  /** Returns how many entries are known. */
  readonly #count: () => number
  /** By `performance.now()`. */
  #currentUntil: number = Number.NEGATIVE_INFINITY
  /** The second since 1970 of the last answer; undefined before the first. */
  #answeredAt: number | undefined
  #failure: unknown
  #hasWarned = false

  constructor(settings: CurrencySettings, log: Pick<FastifyBaseLogger, 'info' | 'warn'>, count: () => number) {
    this.#settings = settings
    this.#log = log
    this.#count = count
  }

  /** Throws if the list has never answered, or not lately where that counts. */
  assert(): void {
    if (performance.now() <= this.#currentUntil) return
    this.#warn()
    if (this.#answeredAt === undefined || this.#settings.onStale === 'refuse') {
      throw revocationsUnavailableError(this.#failure)
    }
  }

  /**
   * The latest second that a session may tell as its last activity. A process that cannot know whether the session has ended must not
   * keep it alive: the list forgets it when its cookie should have expired.
   */
  activityUntil(now: number): number {
    if (performance.now() <= this.#currentUntil || this.#answeredAt === undefined) return now
    return Math.min(now, this.#answeredAt + this.#settings.maxStaleness)
  }

  /** All that the list had `at` a time, by `performance.now()`, is known. `now`: seconds since 1970. */
  answered(at: number, now: number): void {
    const isFirst = this.#answeredAt === undefined
    this.#currentUntil = at + this.#settings.maxStaleness * 1000
    this.#answeredAt = now
    this.#failure = undefined
    if (this.#hasWarned) this.#log.info({ entries: this.#count() }, 'The list of revoked sessions answers again.')
    if (this.#hasWarned || isFirst) this.#publish('current')
    this.#hasWarned = false
  }

  failed(error: unknown): void {
    this.#failure = error
    if (performance.now() > this.#currentUntil) this.#warn()
  }

  /** Once, until the list answers. */
  #warn(): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    const { maxStaleness, onStale } = this.#settings
    const isKnown = this.#answeredAt !== undefined
    const effect =
      isKnown && onStale === 'accept'
        ? 'A session that another process ends now still opens here.'
        : 'Requests with a session are answered with 503.'
    const since = isKnown ? `for ${maxStaleness} s` : 'yet'
    this.#log.warn({ err: this.#failure }, `The list of revoked sessions has not answered ${since}. ${effect}`)
    this.#publish('stale')
  }

  #publish(state: RevocationEvent['state']): void {
    if (!events.hasSubscribers) return
    const event: RevocationEvent = { state, cookieName: this.#settings.cookieName, entries: this.#count() }
    events.publish(event)
  }
}
