import type { SessionStore, StoredRecord } from '../../types/store.ts'
import { RandomPool } from '../crypto/random.ts'
import type { Companion } from '../owners/sessions.ts'
import { digest } from './digest.ts'
import { readLogin } from './login-state.ts'

const SERIES_BYTES = 16
const SERIES_CHARACTERS = 22
const SECRET_BYTES = 32

/** One user cannot fill the store: a login on one more browser ends the oldest series. */
const MAX_SERIES = 100

/** What the owners of series start with, and so no id of a user may. */
export const SERIES_OWNER = 'remember '

/** What is kept of a series: nobody can log in with it. */
interface Series {
  readonly userId: string
  /** What `authHash` gave, as a digest. */
  readonly hash?: string
  /** Digest of the secret that is good now, and when it became so. */
  readonly secret: string
  readonly rotatedAt: number
  /** Digest of the secret before, and what makes the one that is good now out of it. */
  readonly previous?: string
  readonly salt?: string
}

/** What a token says. */
export interface Remembered {
  readonly token: string
  /** The key of its series. */
  readonly key: string
  readonly userId: string
  readonly hash: string | undefined
  /** Its secret was replaced long ago, so two parties have it. The series has been ended. */
  readonly isStolen: boolean
}

/** How logins are remembered. Durations are in seconds. */
export interface RememberSettings {
  readonly maxAge: number
  readonly grace: number
  readonly now: () => number
}

/**
 * Logins that are remembered: a token is the name of a series and a secret that is replaced whenever it is used. When one comes
 * that was replaced before, somebody has a copy, and nobody can tell who, so the series ends with all sessions that came of it.
 * (Barry Jaspan, "Improved Persistent Login Cookie Best Practice".) For requests in parallel, and for a reply that got lost,
 * there is a grace period in which the old secret leads to the new one.
 *
 * Tokens come from cookies that were signed: none is forged.
 */
export class RememberTokens implements Companion {
  readonly #store: SessionStore
  readonly #settings: RememberSettings
  readonly #random: RandomPool = new RandomPool()

  constructor(store: SessionStore, settings: RememberSettings) {
    this.#store = store
    this.#settings = settings
  }

  /** The key that the store has for the series of a token. It opens nothing. */
  keyOf(token: string): string {
    return digest('remember', token.slice(0, SERIES_CHARACTERS))
  }

  /** The first token of a new series. */
  async issue(userId: string, hash: string | undefined): Promise<string> {
    const { now, maxAge } = this.#settings
    const at = now()
    const token = this.#random.text(SERIES_BYTES) + this.#random.text(SECRET_BYTES)
    const series: Series = { userId, secret: digestOf(token), rotatedAt: at, ...(hash === undefined ? {} : { hash }) }
    const record = { createdAt: at, lastSeenAt: at, permanent: true, ownerId: ownerOf(userId), description: undefined }
    const limit = { max: MAX_SERIES, evict: true }
    await this.#store.create(this.keyOf(token), { ...record, json: JSON.stringify(series) }, at + maxAge, limit)
    return token
  }

  /** What a token says; undefined when its series has ended. */
  async find(token: string): Promise<Remembered | undefined> {
    const key = this.keyOf(token)
    const record = await this.#store.load(key)
    if (record === undefined) return undefined
    const series: Series = JSON.parse(record.json)
    const isStolen = this.#judge(series, token) === 'stolen'
    if (isStolen) await this.end(key, series.userId)
    return { token, key, userId: series.userId, hash: series.hash, isStolen }
  }

  /** The token that takes the place of this one: the same one for all who ask at once. Undefined when the series has ended. */
  async rotate(token: string): Promise<string | undefined> {
    const { now, maxAge } = this.#settings
    const key = this.keyOf(token)
    const record = await this.#store.load(key)
    if (record === undefined) return undefined
    const series: Series = JSON.parse(record.json)
    const verdict = this.#judge(series, token)
    if (verdict === 'stolen') return undefined
    if (verdict === 'replaced') return nextOf(token, series.salt as string)
    const salt = this.#random.text(SECRET_BYTES)
    const next = nextOf(token, salt)
    const rotatedAt = now()
    const members = { secret: digestOf(next), rotatedAt, previous: series.secret, salt }
    const set = Object.fromEntries(Object.entries(members).map(([name, value]) => [name, JSON.stringify(value)]))
    const changes = { set, unset: [], lastSeenAt: rotatedAt }
    const result = await this.#store.commit(key, changes, rotatedAt + maxAge, record.version)
    // Another request has replaced it: this one finds that now.
    if (result === 'conflict') return this.rotate(token)
    return result === 'gone' ? undefined : next
  }

  /** Ends a series, then the sessions that came of it: whoever begins one in between looks at the series after that. */
  async end(key: string, userId: string): Promise<void> {
    await this.#store.destroy(key)
    const sessions = await this.#store.list(userId)
    await Promise.all(
      sessions.filter((session) => seriesOf(session) === key).map(({ key }) => this.#store.destroy(key))
    )
  }

  async endWith(key: string): Promise<void> {
    const session = await this.#store.load(key)
    const series = session && seriesOf(session)
    if (series !== undefined) await this.end(series, session?.ownerId as string)
  }

  async endAllOf(userId: string, kept: string | undefined): Promise<void> {
    const keptSeries = kept === undefined ? undefined : seriesOf(await this.#store.load(kept))
    await this.#store.destroyAll(ownerOf(userId), keptSeries)
  }

  /** How long it takes to compare digests of random secrets says nothing about the secrets. */
  #judge(series: Series, token: string): 'good' | 'replaced' | 'stolen' {
    const { now, grace } = this.#settings
    const presented = digestOf(token)
    if (presented === series.secret) return 'good'
    return presented === series.previous && now() - series.rotatedAt <= grace ? 'replaced' : 'stolen'
  }
}

/** The series that a session came of. */
function seriesOf(session: StoredRecord | undefined): string | undefined {
  return session && readLogin(JSON.parse(session.json), session.ownerId)?.series
}

function secretOf(token: string): string {
  return token.slice(SERIES_CHARACTERS)
}

function digestOf(token: string): string {
  return digest(secretOf(token))
}

/** What the store keeps does not make it, without the token before. */
function nextOf(token: string, salt: string): string {
  return token.slice(0, SERIES_CHARACTERS) + digest(secretOf(token), salt)
}

/** Not the user themselves, or series would be among their sessions. */
function ownerOf(userId: string): string {
  return SERIES_OWNER + digest(userId)
}
