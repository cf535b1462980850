import { EventEmitter } from 'node:events'
import type {
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoredRecord
} from '../../../types/store.ts'
import { applyChanges } from '../../data/json-members.ts'
import { InvalidOptionError, StoreRequiredError, unlessUnreadable, unreadableError } from '../../errors.ts'
import { assertKnown, isFunction, readClock } from '../../util/check.ts'
import { KeyedQueue } from '../../util/keyed-queue.ts'
import { admission } from '../admission.ts'
import { assertIntact, isIntact } from '../intact.ts'

export type { StoreConstructor } from './base.ts'
export { Store } from './base.ts'

/**
 * The part of a store for express-session that `ExpressStore` calls. Each method calls its callback, returns a promise, or
 * both.
 */
export interface ExpressSessionStore {
  get(sid: string, callback: (error?: unknown, session?: unknown) => void): unknown
  set(sid: string, session: object, callback: (error?: unknown) => void): unknown
  destroy(sid: string, callback: (error?: unknown) => void): unknown
  /** Needed to list, end or limit the sessions of an owner. */
  all?(callback: (error?: unknown, sessions?: unknown) => void): unknown
}

/** The options of an `ExpressStore`. */
export interface ExpressStoreOptions {
  /**
   * The store for express-session: an instance, not its class.
   *
   * @example
   * ```ts
   * import { ExpressStore } from 'fastify-typed-session/stores/express'
   * import { MemoryStore } from 'express-session'
   *
   * const store = new ExpressStore({ store: new MemoryStore() })
   * ```
   */
  store: ExpressSessionStore
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { ExpressStore } from 'fastify-typed-session/stores/express'
   * import { MemoryStore } from 'express-session'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const store = new ExpressStore({ store: new MemoryStore(), clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/** The next operation on a session waits at most this long for one that the store never answers. */
const LONGEST_STEP_MS = 10_000

type Method = 'get' | 'set' | 'destroy' | 'all'

/**
 * Keeps sessions in any store that was written for express-session.
 *
 * Such a store can only read and replace a whole session, so that **the last write wins**: if two processes change one session
 * at the same moment, one change is lost, and a request that runs during a logout may write its session back. Within one
 * process that does not happen, provided that everything uses one `ExpressStore`. The other stores of this package do not have
 * this weakness.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. Methods that need the sessions of an
 * owner throw `ERR_SESSION_STORE_REQUIRED` if the store has no `all()`; otherwise methods throw the errors of the store.
 *
 * @example
 * ```ts
 * import { RedisStore } from 'connect-redis'
 * import { createClient } from 'redis'
 * import { ExpressStore } from 'fastify-typed-session/stores/express'
 *
 * const client = await createClient().connect()
 * const store = new ExpressStore({ store: new RedisStore({ client }) })
 * await app.register(session, { secret: process.env.SESSION_SECRET, store })
 * ```
 */
export class ExpressStore implements SessionStore {
  readonly #store: ExpressSessionStore
  readonly #clock: () => number
  readonly #keys: KeyedQueue = new KeyedQueue(LONGEST_STEP_MS)
  readonly #owners: KeyedQueue = new KeyedQueue(LONGEST_STEP_MS)

  constructor(options: ExpressStoreOptions) {
    assertKnown(options, ['store', 'clock'], 'ExpressStore')
    if (!isExpressSessionStore(options.store)) {
      // The message does not show the value: the settings of a store contain passwords.
      throw new InvalidOptionError(
        'The option store must be a store for express-session, an object with the methods get, set and destroy. If the package exports a function, call it with { Store } and then call the result with new.'
      )
    }
    this.#store = options.store
    this.#clock = readClock(options.clock)
    if (this.#store instanceof EventEmitter) surviveErrors(this.#store)
  }

  async create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit): Promise<CreateResult> {
    const { ownerId } = record
    if (ownerId === undefined || limit === undefined) return this.#add(key, record, expiresAt)
    return this.#owners.run(ownerId, async () => {
      if ((await this.load(key)) !== undefined) return false
      if (!(await this.#admit(ownerId, limit))) return 'over-limit'
      return this.#add(key, record, expiresAt)
    })
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const session = await this.#ask('get', key).catch(unlessMissing)
    const record = toRecord(session)
    return record?.key === key && record.expiresAt >= this.#now() ? assertIntact(record) : undefined
  }

  commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): Promise<CommitResult> {
    return this.#keys.run(key, async () => {
      const record = await this.load(key).catch(unlessUnreadable)
      if (record === undefined) return 'gone'
      if (version !== undefined && version !== record.version) return 'conflict'
      const { permanent = record.permanent, lastSeenAt = record.lastSeenAt } = changes
      const json = applyChanges(record.json, changes)
      await this.#write({ ...record, json, permanent, lastSeenAt, expiresAt, version: record.version + 1 })
      return 'committed'
    })
  }

  /** Does not use `touch` of the store: most stores do not return from `get` what `touch` has changed. */
  touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    return this.#keys.run(key, async () => {
      const record = await this.load(key).catch(unlessUnreadable)
      if (record === undefined) return false
      await this.#write({ ...record, lastSeenAt: lastSeenAt ?? record.lastSeenAt, expiresAt })
      return true
    })
  }

  destroy(key: string): Promise<void> {
    return this.#keys.run(key, () => this.#remove(key))
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    if (!isFunction(this.#store.all)) {
      throw new StoreRequiredError(
        'The sessions of an owner cannot be listed, ended or limited: the store in the ExpressStore has no method all(). Use a store that has one, or another store of this package.'
      )
    }
    // It returns an array, or an object whose keys are the ids.
    const sessions = Object.values((await this.#ask('all')) ?? {})
    const now = this.#now()
    return sessions.flatMap((session) => {
      const record = toRecord(session)
      return record?.ownerId === ownerId && record.expiresAt >= now && isIntact(record) ? [record] : []
    })
  }

  destroyAll(ownerId: string, exceptKey?: string): Promise<number> {
    return this.#owners.run(ownerId, async () => {
      const others = (await this.list(ownerId)).filter(({ key }) => key !== exceptKey)
      for (const { key } of others) await this.destroy(key)
      return others.length
    })
  }

  #add(key: string, record: SessionRecord, expiresAt: number): Promise<boolean> {
    return this.#keys.run(key, async () => {
      if ((await this.load(key)) !== undefined) return false
      const { json, createdAt, lastSeenAt, permanent, ownerId, description } = record
      await this.#write({ key, json, createdAt, lastSeenAt, permanent, ownerId, description, expiresAt, version: 0 })
      return true
    })
  }

  /** Whether the owner may have one more session; if so, ends those that have to make room. */
  async #admit(ownerId: string, limit: OwnerLimit): Promise<boolean> {
    const evicted = admission(await this.list(ownerId), limit)
    if (evicted === 'refuse') return false
    for (const { key } of evicted) await this.destroy(key)
    return true
  }

  /** Replaces a record, or ends it if its `expiresAt` has passed. */
  async #write(record: StoredRecord): Promise<void> {
    const remaining = Math.ceil((record.expiresAt + 1) * 1000 - this.#clock())
    if (remaining > 0) await this.#ask('set', record.key, toSession(record, remaining))
    else await this.#remove(record.key)
  }

  async #remove(key: string): Promise<void> {
    await this.#ask('destroy', key).catch(unlessMissing)
  }

  /**
   * Returns the first answer of the store, by callback or by promise. If the method takes a callback, a promise of undefined is
   * no answer: an `async` method has then passed the callback on and returned.
   */
  #ask(name: Method, ...given: unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const answer = (error?: unknown, value?: unknown): void => {
        if (error) reject(error)
        else resolve(value)
      }
      // The four methods have different parameters, which `given` holds.
      const method = this.#store[name] as (...values: unknown[]) => unknown
      const takesCallback = method.length > given.length
      const returned = method.call(this.#store, ...given, answer)
      if (!isThenable(returned)) return
      returned.then((value) => {
        if (value !== undefined || !takesCallback) resolve(value)
      }, reject)
    }).catch(withoutQuotes)
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}

/**
 * Returns a session in the form of express-session. The record is one member and its data are text, so that no member collides
 * with those that stores read or add (`cookie`, `id`, `__lastAccess`), and no database reorders or refuses members.
 *
 * Stores expire a session by any of the three times in `cookie`, and by the clock of the system, which may differ from
 * `#clock`.
 */
function toSession(record: StoredRecord, remaining: number): object {
  const expires = new Date(Date.now() + remaining)
  return { cookie: { originalMaxAge: remaining, maxAge: remaining, expires, httpOnly: true, path: '/' }, record }
}

/** Returns the record in a session, or undefined if no `ExpressStore` has written it. */
function toRecord(session: unknown): StoredRecord | undefined {
  // `toSession` has written the member `record`; a database may have changed undefined into null.
  const written = (session as { record?: StoredRecord } | null | undefined)?.record
  if (typeof written?.json !== 'string') return undefined
  const { key, json, createdAt, lastSeenAt, permanent, expiresAt, version } = written
  const ownerId = written.ownerId ?? undefined
  const description = written.description ?? undefined
  return { key, json, createdAt, lastSeenAt, permanent, ownerId, description, expiresAt, version }
}

/** Most stores parse what they have, and the message of `JSON.parse` quotes it. */
function withoutQuotes(error: unknown): never {
  throw error instanceof SyntaxError ? unreadableError() : error
}

/** Stores of files report a missing session as `ENOENT`. A missing socket has the same code, but is a failure. */
function unlessMissing(error: unknown): undefined {
  const { code, syscall } = Object(error) as NodeJS.ErrnoException
  if (code !== 'ENOENT' || syscall === 'connect') throw error
}

/**
 * Node.js ends the process if an `error` event has no listener. The call that failed reports its error itself, and the request
 * answers 503, so that one warning about such events is enough. If the application listens, it decides.
 */
function surviveErrors(store: EventEmitter): void {
  if (store.listenerCount('error') > 0) return
  let hasWarned = false
  store.on('error', () => {
    if (hasWarned || store.listenerCount('error') > 1) return
    hasWarned = true
    process.emitWarning(
      "The store in the ExpressStore has emitted an 'error' event that has no listener. Call its on('error', …) to see these errors.",
      { type: 'SessionStoreWarning', code: 'SESSION_EXPRESS_STORE_ERROR' }
    )
  })
}

function isExpressSessionStore(value: unknown): value is ExpressSessionStore {
  const { get, set, destroy } = Object(value) as Record<string, unknown>
  return [get, set, destroy].every(isFunction)
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return isFunction((value as PromiseLike<unknown> | null | undefined)?.then)
}
