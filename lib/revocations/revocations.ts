import type { FastifyBaseLogger } from 'fastify'
import type { EndReason, SessionEnding } from '../../types/endings.ts'
import type { Revocation, RevocationList, SessionRevocation } from '../../types/revocations.ts'
import { LONGEST_COOKIE } from '../cookie/attributes.ts'
import type { RandomPool } from '../crypto/random.ts'
import type { Announce } from '../endings/endings.ts'
import { EVERYTHING, endingOf, endingOfAll, TELL_NOBODY } from '../endings/endings.ts'
import { revocationsUnavailableError } from '../errors.ts'
import type { Revoker } from '../owners/sessions.ts'
import { Deadline } from '../stores/deadline.ts'
import type { Bar } from './bars.ts'
import { Bars } from './bars.ts'
import type { CurrencySettings } from './currency.ts'
import { Currency } from './currency.ts'
import { datedId, isDated } from './dated-id.ts'
import { Follower } from './follower.ts'

/** How far the clock of another server may be behind, in seconds: a cookie lives longer there. */
const CLOCK_SKEW = 60
/** How long the list may take for an answer, in milliseconds. */
const PATIENCE = 2000
/** At how many entries each answer of the list makes look, to forget what is over. */
const SWEEP = 2000
const HANDLE = /^[A-Za-z0-9_-]{22}$/

export interface RevocationSettings extends CurrencySettings {
  /** The longest that a session may have, in seconds. */
  readonly maxIdleTimeout: number
  readonly maxAbsoluteTimeout: number
  readonly renameGrace: number
  /** The readers of other libraries' sessions. What was adopted has to stay ended for as long as an old cookie could come. */
  readonly adopt: readonly unknown[]
  /** Returns milliseconds since 1970. */
  readonly clock: () => number
}

/** A session that ends. `createdAt`: undefined if it is not known. */
export interface EndingSession {
  readonly id: string
  readonly createdAt?: number | undefined
  readonly ownerId?: string | undefined
}

/** What this process knows of a list of what has ended early, and what it adds to it. */
export class Revocations implements Revoker {
  readonly #list: RevocationList
  readonly #settings: RevocationSettings
  readonly #bars: Bars
  readonly #currency: Currency
  readonly #follower: Follower
  readonly #note: Announce
  readonly #deadline: Deadline = new Deadline(
    PATIENCE,
    `The list of revoked sessions did not answer within ${PATIENCE / 1000} s.`
  )
  /** The latest time that an id tells which was issued here, in milliseconds since 1970. */
  #issuedAt = 0
  /** What was on the list when this process began is no news. */
  #hasBegun = false

  /** `note`: gets what ends, here or elsewhere, once this process has caught up. */
  constructor(
    list: RevocationList,
    settings: RevocationSettings,
    log: Pick<FastifyBaseLogger, 'info' | 'warn'>,
    note: Announce = TELL_NOBODY
  ) {
    const currency = new Currency(settings, log, () => this.#bars.size)
    this.#list = list
    this.#settings = settings
    this.#bars = new Bars(() => this.#now())
    this.#currency = currency
    this.#note = note
    this.#follower = new Follower(list, settings.maxStaleness * 1000, this.#deadline, {
      onEntry: (entry) => this.#learn(entry),
      onCurrent: (at) => {
        this.#hasBegun = true
        this.#bars.sweep(SWEEP)
        currency.answered(at, this.#now())
      },
      onFailure: (error) => currency.failed(error),
      onDeaf: (err) =>
        log.warn({ err }, 'The list of revoked sessions does not tell what is new. It is asked every second.')
    })
  }

  /** Resolves when the list has answered, or has failed once. Until it answers, nothing opens. */
  start(): Promise<void> {
    return this.#follower.start()
  }

  close(): Promise<void> {
    return this.#follower.close()
  }

  /** The time that the id tells is later than every end of all sessions of somebody that is known here. */
  newId(random: RandomPool): string {
    this.#issuedAt = this.#present()
    return datedId(this.#issuedAt, random)
  }

  /** Throws `ERR_SESSION_STORE_UNAVAILABLE` if what is known is too old. */
  assertCurrent(): void {
    this.#currency.assert()
  }

  /** See `Currency`. */
  activityUntil(now: number): number {
    return this.#currency.activityUntil(now)
  }

  /** Returns why a session opens nothing any more; undefined if it does. `alias`: another id that it is about to get. */
  judge(id: string, ownerId: string | undefined, alias?: string): Bar | undefined {
    return this.#bars.judge(id, ownerId, alias)
  }

  /** Ends a session, and what it has become meanwhile. */
  async end(session: EndingSession, reason: EndReason): Promise<void> {
    const { ownerId } = session
    let next: EndingSession | undefined = session
    while (next !== undefined) {
      const until = this.#lastOf(next)
      const known = await this.#add({ kind: 'session', id: next.id, until, ownerId, reason })
      next = known?.kind === 'session' && known.successor !== undefined ? { id: known.successor } : undefined
    }
  }

  /** Bars an id until a second is over, and no session can have it any more. */
  async bar(id: string, until: number): Promise<void> {
    await this.#add({ kind: 'session', id, until: Math.max(until, this.#lastOfOurs()) })
  }

  /**
   * Ends a session in whose place another one begins. Returns false if it has ended before. `successor`: that of the same login.
   */
  async replace(session: EndingSession, successor: string | undefined): Promise<boolean> {
    const { id, ownerId } = session
    const { renameGrace } = this.#settings
    const renamedUntil = renameGrace === 0 ? undefined : this.#now() + renameGrace
    const until = this.#lastOf(session)
    const reason = successor === undefined ? 'replaced' : 'renewed'
    const entry = { kind: 'session', id, until, renamedUntil, successor, ownerId, reason } as const
    return (await this.#add(entry)) === undefined
  }

  /**
   * Whether a session has ended together with all others of its owner, or of everybody. Asks the list: this process may not have heard
   * of it yet. `alias`: as of `judge`.
   */
  async hasEndedWithOthers(id: string, ownerId: string | undefined, alias: string): Promise<boolean> {
    try {
      await this.#follower.catchUp()
    } catch (error) {
      throw revocationsUnavailableError(error)
    }
    return this.#bars.endsWithOthers(id, ownerId, alias)
  }

  async revoke(handle: string): Promise<void> {
    if (HANDLE.test(handle)) await this.end({ id: handle }, 'revoked')
  }

  async revokeOwner(ownerId: string, except: readonly string[]): Promise<void> {
    await this.#add({ kind: 'owner', id: ownerId, before: this.#present(), except, until: this.#lastOfAll() })
  }

  async revokeEverything(): Promise<void> {
    await this.#add({ kind: 'all', before: this.#present(), until: this.#lastOfAll() })
  }

  async #add(entry: Revocation): Promise<Revocation | undefined> {
    const call = (async () => this.#list.add(entry))()
    const known = await this.#deadline.race(this.#deadline.begin(), call, isAnything, revocationsUnavailableError)
    this.#learn(known ?? entry)
    return known
  }

  #learn(entry: Revocation): void {
    if (this.#bars.apply(entry) && this.#hasBegun) this.#note(toEnding(entry))
  }

  /**
   * The last second in which a session that ends now could open, or begin again with the cookie of another library. An older cookie of it may tell other timeouts than the
   * one that came.
   */
  #lastOf({ id, createdAt }: EndingSession): number {
    return isDated(id) ? this.#lastOfOurs(createdAt) : this.#lastOfAll(createdAt)
  }

  #lastOfAll(createdAt?: number): number {
    return this.#settings.adopt.length > 0 ? this.#now() + LONGEST_COOKIE : this.#lastOfOurs(createdAt)
  }

  /** The last second in which a cookie of ours could open. */
  #lastOfOurs(createdAt: number = Number.POSITIVE_INFINITY): number {
    const { maxIdleTimeout, maxAbsoluteTimeout, maxStaleness } = this.#settings
    return Math.min(this.#now() + maxIdleTimeout + maxStaleness, createdAt + maxAbsoluteTimeout) + CLOCK_SKEW
  }

  /**
   * In milliseconds since 1970. Never before what was issued here, and after every end of all sessions of somebody: others have issued
   * ids that tell such a time, if the clock of the server that ordered the end was ahead.
   */
  #present(): number {
    return Math.max(this.#issuedAt, this.#bars.latest + 1, Math.floor(this.#settings.clock()))
  }

  #now(): number {
    return Math.floor(this.#settings.clock() / 1000)
  }
}

function toEnding(entry: Revocation): SessionEnding {
  if (entry.kind === 'session') return endingOfSession(entry)
  return entry.kind === 'owner' ? endingOfAll(entry.id, entry.except) : EVERYTHING
}

function endingOfSession({ id, reason = 'revoked', ownerId, successor }: SessionRevocation): SessionEnding {
  return endingOf(id, reason, { ownerId, successor })
}

function isAnything(): boolean {
  return true
}
