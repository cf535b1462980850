import type { SessionStore, StoredRecord } from '../../types/store.ts'
import { RandomPool } from '../crypto/random.ts'
import { NO_SESSION } from '../data/no-session.ts'
import { parseStored } from '../data/storable.ts'
import type { Announce } from '../endings/endings.ts'
import { endingOf, TELL_NOBODY } from '../endings/endings.ts'
import { unlessUnreadable, unreadableError } from '../errors.ts'
import { lastSecond } from '../transport/expiry.ts'
import { handleOf } from '../transport/store-record.ts'
import { digest } from './digest.ts'
import { readLogin } from './login-state.ts'

const SERIES_BYTES = 16
const SERIES_CHARACTERS = 22
const SECRET_BYTES = 32

/** The most series of one user, so that no user can fill the store. A login in one more browser ends the oldest series. */
const MAX_SERIES = 100

/** How often the sessions of a series are looked for. */
const MAX_PASSES = 10

/** The owner of a series starts with this text. The id of a user must not. */
export const SERIES_OWNER = 'remember '

/** What the store holds of a series. Nobody can log in with it. */
interface Series {
  readonly userId: string
  /** A digest of what the option `authHash` returned. */
  readonly hash?: string
  /** A digest of the client that logged in, if no other client may use the series. */
  readonly client?: string
  /** A digest of the current secret. */
  readonly secret: string
  /** When the current secret was issued, in seconds since 1970. */
  readonly rotatedAt: number
  /** A digest of the previous secret. */
  readonly previous?: string
  /** What the current secret is derived from, together with the previous token. */
  readonly salt?: string
}

/** A series as the store has it. */
interface StoredSeries {
  readonly series: Series
  /** When the user logged in, in seconds since 1970. */
  readonly createdAt: number
  readonly version: number
}

/** What a token stands for. */
export interface Remembered {
  readonly token: string
  /** The key of its series. */
  readonly key: string
  readonly userId: string
  readonly hash: string | undefined
  readonly client: string | undefined
  /** When the user logged in, in seconds since 1970. */
  readonly since: number
  /** Whether the token was replaced before the grace period, so that two parties have it. Its series has ended. */
  readonly isStolen: boolean
}

/** A new series. */
export interface Issued {
  readonly token: string
  /** Its key. */
  readonly series: string
  /** Seconds since 1970. */
  readonly since: number
}

/** What a token has led to. */
export interface Rotation {
  /** The next token. */
  readonly token: string
  /** The id of the session that began with the replaced token. */
  readonly sessionId: string
  /** Whether this call has replaced the token. */
  readonly isFirst: boolean
}

/** Saves a session under an id, unless there is one. */
export type BeginSession = (sessionId: string) => Promise<void>

/** How logins are remembered. Durations are in seconds; `now` returns seconds since 1970. */
export interface RememberSettings {
  readonly maxAge: number
  readonly absoluteMaxAge: number
  readonly grace: number
  readonly now: () => number
}

/**
 * Remembered logins. A token consists of the name of a series and a secret. Each use replaces the secret. A token with an old
 * secret shows that somebody has a copy, and the server cannot tell who: the series ends, and so do all sessions that it
 * started (Barry Jaspan, "Improved Persistent Login Cookie Best Practice"). During a grace period the previous secret still
 * leads to the current one, for parallel requests and for a reply that was lost.
 *
 * The caller has verified the signature of each token.
 */
export class RememberTokens {
  readonly #store: SessionStore
  readonly #settings: RememberSettings
  readonly #sessionIdOf: (token: string) => string
  readonly #announce: Announce
  readonly #random: RandomPool = new RandomPool()

  /**
   * `sessionIdOf`: returns the id of the session that begins with a token. It takes a key of the server to compute it. `announce`: gets
   * the sessions that end with their series.
   */
  constructor(
    store: SessionStore,
    settings: RememberSettings,
    sessionIdOf: (token: string) => string,
    announce: Announce = TELL_NOBODY
  ) {
    this.#store = store
    this.#settings = settings
    this.#sessionIdOf = sessionIdOf
    this.#announce = announce
  }

  /** Returns the store key of the series of a token. It does not open the series. */
  keyOf(token: string): string {
    return digest('remember', token.slice(0, SERIES_CHARACTERS))
  }

  /** Starts a series. `client`: the only one that may use it. */
  async issue(userId: string, hash: string | undefined, client: string | undefined): Promise<Issued> {
    const at = this.#settings.now()
    const token = this.#random.text(SERIES_BYTES) + this.#random.text(SECRET_BYTES)
    const key = this.keyOf(token)
    // JSON leaves out members that are undefined.
    const json = JSON.stringify({ userId, secret: digestOf(token), rotatedAt: at, hash, client })
    const record = {
      createdAt: at,
      lastSeenAt: at,
      permanent: true,
      ownerId: seriesOwner(userId),
      description: undefined,
      extensions: NO_SESSION
    }
    const limit = { max: MAX_SERIES, evict: true }
    await this.#store.create(key, { ...record, json }, this.#expiresAt(at, at), limit)
    return { token, series: key, since: at }
  }

  /** Returns what a token stands for; undefined if its series has ended. Ends the series if the token is stolen. */
  async find(token: string): Promise<Remembered | undefined> {
    const key = this.keyOf(token)
    const found = await this.#load(key)
    if (found === undefined) return undefined
    const { series, createdAt } = found
    const { userId, hash, client } = series
    const isTooOld = isOver(createdAt, this.#settings)
    const isStolen = !isTooOld && this.#stateOf(series, token) === 'stolen'
    if (isTooOld || isStolen) await this.end(key, userId)
    return isTooOld ? undefined : { token, key, userId, hash, client, since: createdAt, isStolen }
  }

  /** Whether a series goes on. */
  async isLive(key: string): Promise<boolean> {
    return (await this.#store.load(key)) !== undefined
  }

  /**
   * Replaces a token. Parallel requests get the same next token and the same session. Returns undefined if the series has ended.
   *
   * The id of the session is derived from the token, so that all who begin it begin the same one, in every process. It is saved
   * first and the token replaced second: whoever fails in between can come back with the token, at any time. Nobody tells the id
   * before the token is replaced, and nobody begins a session with a token that is: an id whose session has ended stays dead.
   */
  async rotate(token: string, begin: BeginSession): Promise<Rotation | undefined> {
    const key = this.keyOf(token)
    const sessionId = this.#sessionIdOf(token)
    const found = await this.#load(key)
    if (found === undefined) return this.#giveUp(sessionId)
    const { series, createdAt, version } = found
    const state = this.#stateOf(series, token)
    if (state === 'stolen') return undefined
    if (state === 'replaced') return { token: nextOf(token, series.salt as string), sessionId, isFirst: false }
    await begin(sessionId)
    const salt = this.#random.text(SECRET_BYTES)
    const next = nextOf(token, salt)
    const rotatedAt = this.#settings.now()
    // All members, so that a store that seals them does so with its newest key.
    const members = { ...series, secret: digestOf(next), rotatedAt, previous: series.secret, salt }
    const set = Object.fromEntries(Object.entries(members).map(([name, value]) => [name, JSON.stringify(value)]))
    const changes = { set, unset: [], lastSeenAt: rotatedAt }
    const result = await this.#store.commit(key, changes, this.#expiresAt(createdAt, rotatedAt), version)
    // Another request has replaced the token. A second attempt finds the new one.
    if (result === 'conflict') return this.rotate(token, begin)
    return result === 'gone' ? this.#giveUp(sessionId) : { token: next, sessionId, isFirst: true }
  }

  /** The end of the series could not see a session that began after it. */
  async #giveUp(sessionId: string): Promise<undefined> {
    await this.#store.destroy(handleOf(sessionId))
    return undefined
  }

  #expiresAt(createdAt: number, lastSeenAt: number): number {
    const { maxAge, absoluteMaxAge } = this.#settings
    return lastSecond({ createdAt, lastSeenAt }, { idleTimeout: maxAge, absoluteTimeout: absoluteMaxAge })
  }

  /**
   * Ends a series first and the sessions that it started second: a request that starts one in between checks the series again.
   * One that is getting a new id exists under it before the old one ends, so that an empty list means that none is left.
   * `kept`: the key of a session that stays.
   */
  async end(key: string, userId: string, kept?: string): Promise<void> {
    await this.#store.destroy(key)
    for (let pass = 1; pass <= MAX_PASSES; pass++) {
      const sessions = await this.#store.list(userId)
      const begun = sessions.filter((session) => session.key !== kept && seriesOf(session) === key)
      if (begun.length === 0) return
      await Promise.all(begun.map(({ key }) => this.#endSession(key, userId)))
    }
  }

  async #endSession(key: string, ownerId: string): Promise<void> {
    await this.#store.destroy(key)
    this.#announce(endingOf(key, 'login-ended', { ownerId }))
  }

  /** Ends the series of all given tokens. */
  async endThese(tokens: readonly string[]): Promise<void> {
    for (const token of tokens) {
      const found = await this.find(token)
      if (found !== undefined) await this.end(found.key, found.userId)
    }
  }

  /** Ends the series of a session. `key`: the store key of the session. */
  async endWith(key: string): Promise<void> {
    const session = await this.#sessionAt(key)
    const series = seriesOf(session)
    if (series !== undefined) await this.end(series, session?.ownerId as string)
  }

  /** Ends all series of a user, except the series of the session `kept`. */
  async endAllOf(userId: string, kept: string | undefined): Promise<void> {
    const keptSeries = kept === undefined ? undefined : seriesOf(await this.#sessionAt(kept))
    await this.#store.destroyAll(seriesOwner(userId), keptSeries)
  }

  /** Returns a series. One that cannot be read remembers nobody, and ends. */
  async #load(key: string): Promise<StoredSeries | undefined> {
    try {
      const record = await this.#store.load(key)
      if (record === undefined) return undefined
      const { createdAt, version } = record
      return { series: readSeries(record.json), createdAt, version }
    } catch (error) {
      unlessUnreadable(error)
      await this.#store.destroy(key)
      return undefined
    }
  }

  /** Returns a session; undefined also for one that the store cannot read. */
  async #sessionAt(key: string): Promise<StoredRecord | undefined> {
    try {
      return await this.#store.load(key)
    } catch (error) {
      return unlessUnreadable(error)
    }
  }

  /** The time of this comparison says nothing about the secrets, because it compares digests. */
  #stateOf(series: Series, token: string): 'current' | 'replaced' | 'stolen' {
    const { now, grace } = this.#settings
    const presented = digestOf(token)
    if (presented === series.secret) return 'current'
    return presented === series.previous && now() - series.rotatedAt <= grace ? 'replaced' : 'stolen'
  }
}

/** Whether a login from `since` on is remembered no longer, and no session of its series goes on. */
export function isOver(
  since: number,
  { absoluteMaxAge, now }: Pick<RememberSettings, 'absoluteMaxAge' | 'now'>
): boolean {
  return now() - since > absoluteMaxAge
}

/** Throws `ERR_SESSION_UNREADABLE` also for one that another server has encrypted: it must not pass for a theft. */
function readSeries(json: string): Series {
  const series = parseStored(json) as unknown as Series
  if (typeof series.rotatedAt !== 'number') throw unreadableError()
  return series
}

/** Returns the key of the series that started a session, if there is one. */
function seriesOf(session: StoredRecord | undefined): string | undefined {
  if (session === undefined) return undefined
  try {
    return readLogin(parseStored(session.json), session.ownerId)?.series
  } catch {
    // Data that cannot be read log nobody in.
    return undefined
  }
}

function secretOf(token: string): string {
  return token.slice(SERIES_CHARACTERS)
}

function digestOf(token: string): string {
  return digest(secretOf(token))
}

/** Returns the next token. The salt in the store is not enough to compute it: that takes the previous token as well. */
function nextOf(token: string, salt: string): string {
  return token.slice(0, SERIES_CHARACTERS) + digest(secretOf(token), salt)
}

/** Returns the owner of the series of a user. Not the user id itself: the series would be among the sessions of the user. */
export function seriesOwner(userId: string): string {
  return SERIES_OWNER + digest(userId)
}
