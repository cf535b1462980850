import type { SessionStore, StoredRecord } from '../../types/store.ts'
import { ConflictError } from '../errors.ts'
import { RandomPool } from '../random.ts'
import type { Companion } from '../registry.ts'
import { digest } from './digest.ts'
import { readLogin } from './login-state.ts'

const TOKEN = /^([A-Za-z0-9_-]{22})\.([A-Za-z0-9_-]{43})$/
const SERIES_BYTES = 16
const TOKEN_BYTES = 32
const MAX_ATTEMPTS = 5

/** What is kept of a series: nobody can log in with it. */
interface Series {
  readonly userId: string
  readonly hash?: string
  /** Digest of the token that is good now. */
  readonly token: string
  /** Digest of the one before, and when it was replaced. */
  readonly previous?: string
  readonly rotatedAt: number
}

/** A remembered login that was found good. */
export interface Remembered {
  readonly key: string
  readonly userId: string
  readonly hash: string | undefined
  /** What the cookie has to be from now on; undefined when a request in parallel has sent it. */
  readonly value: string | undefined
}

/** `unknown`: no such series. `theft`: a token came that was replaced long ago, so that somebody has a copy. */
export type Redeemed = Remembered | { readonly refused: 'unknown' } | { readonly refused: 'theft'; userId: string }

/** Durations in seconds. */
export interface RememberSettings {
  readonly maxAge: number
  readonly grace: number
  readonly now: () => number
}

/**
 * Logins that are remembered by a series of tokens, each good once: whoever comes with one gets the next. When one comes a
 * second time, somebody has a copy, and nobody can tell who, so the series ends.
 * (Barry Jaspan, "Improved Persistent Login Cookie Best Practice"; the grace period for requests in parallel is ours.)
 */
export class RememberTokens implements Companion {
  readonly #store: SessionStore
  readonly #settings: RememberSettings
  readonly #random: RandomPool = new RandomPool()

  constructor(store: SessionStore, settings: RememberSettings) {
    this.#store = store
    this.#settings = settings
  }

  async issue(userId: string, hash: string | undefined): Promise<{ readonly key: string; readonly value: string }> {
    const { now, maxAge } = this.#settings
    const at = now()
    const series = this.#random.text(SERIES_BYTES)
    const token = this.#random.text(TOKEN_BYTES)
    const kept: Series = { userId, token: digest(token), rotatedAt: at, ...(hash === undefined ? {} : { hash }) }
    const key = keyOf(series)
    await this.#store.create(
      key,
      {
        json: JSON.stringify(kept),
        createdAt: at,
        seenAt: at,
        permanent: true,
        ownerId: ownerOf(userId),
        description: undefined
      },
      at + maxAge
    )
    return { key, value: `${series}.${token}` }
  }

  async redeem(value: string): Promise<Redeemed> {
    const [, series, token] = TOKEN.exec(value) ?? []
    if (series === undefined || token === undefined) return { refused: 'unknown' }
    const key = keyOf(series)
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const record = await this.#store.load(key)
      if (record === undefined) return { refused: 'unknown' }
      const redeemed = await this.#redeemNow(key, series, digest(token), record)
      if (redeemed !== 'conflict') return redeemed
    }
    throw new ConflictError('Many requests came at once with the same remembered login.')
  }

  /** Ends a series by its key, or by the value of a cookie. */
  async end(keyOrValue: string): Promise<void> {
    const [, series] = TOKEN.exec(keyOrValue) ?? []
    await this.#store.destroy(series === undefined ? keyOrValue : keyOf(series))
  }

  async endWith(session: StoredRecord): Promise<void> {
    const series = readLogin(JSON.parse(session.json))?.series
    if (series !== undefined) await this.end(series)
  }

  async endAllOf(userId: string, kept: StoredRecord | undefined): Promise<void> {
    await this.#store.destroyAll(ownerOf(userId), kept && readLogin(JSON.parse(kept.json))?.series)
  }

  async #redeemNow(
    key: string,
    series: string,
    presented: string,
    record: StoredRecord
  ): Promise<Redeemed | 'conflict'> {
    const { now, maxAge, grace } = this.#settings
    const { userId, hash, token, previous, rotatedAt }: Series = JSON.parse(record.json)
    const at = now()
    // Digests of 256 random bits: how long it takes to compare them says nothing about a token.
    if (presented === previous && at - rotatedAt <= grace) return { key, userId, hash, value: undefined }
    if (presented !== token) {
      await this.end(key)
      return { refused: 'theft', userId }
    }
    const next = this.#random.text(TOKEN_BYTES)
    const set = { token: digest(next), previous: presented, rotatedAt: at }
    const json = Object.fromEntries(Object.entries(set).map(([name, member]) => [name, JSON.stringify(member)]))
    const result = await this.#store.commit(key, { set: json, unset: [], seenAt: at }, at + maxAge, record.version)
    if (result === 'conflict') return 'conflict'
    return result === 'gone' ? { refused: 'unknown' } : { key, userId, hash, value: `${series}.${next}` }
  }
}

function keyOf(series: string): string {
  return digest('remember', series)
}

/** Not the user themselves, or series would be among their sessions. */
function ownerOf(userId: string): string {
  return `remember ${digest(userId)}`
}
