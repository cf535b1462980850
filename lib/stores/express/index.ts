import { EventEmitter } from 'node:events'
import type {
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoreCall,
  StoredRecord,
  StoreStep
} from '../../../types/store.ts'
import { applyChanges } from '../../data/json-members.ts'
import { isSession } from '../../data/no-session.ts'
import { InvalidOptionError, StoreRequiredError, unlessUnreadable, unreadableError } from '../../errors.ts'
import { assertKnown, isFunction, readClock } from '../../util/check.ts'
import { KeyedQueue } from '../../util/keyed-queue.ts'
import { admission } from '../admission.ts'
import { assertInTime } from '../assert-in-time.ts'
import { askStore } from './ask-store.ts'
import { readAll, readSession, toSession, toSid } from './session-form.ts'

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
  /** Needed to list, end or limit the sessions of an owner, and to list, count or end all of them. */
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

const NO_LIST = 'Sessions cannot be listed, nor ended or limited together: the store in the ExpressStore'
const USE_ANOTHER = 'Use one that can, or another store of this package.'

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
 * owner, or all of them, throw `ERR_SESSION_STORE_REQUIRED` if the store has no `all()`, or one whose result is not recognised;
 * otherwise methods throw the errors of the store.
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

  async create(
    key: string,
    record: SessionRecord,
    expiresAt: number,
    limit?: OwnerLimit,
    call?: StoreCall
  ): Promise<CreateResult> {
    const { ownerId } = record
    if (ownerId === undefined || limit === undefined) return this.#add(key, record, expiresAt, call)
    return this.#owners.run(ownerId, async () => {
      assertInTime(call)
      if ((await this.load(key)) !== undefined) return false
      const evicted = admission(await this.list(ownerId), limit, call?.replacing)
      if (evicted === 'refuse') return 'over-limit'
      for (const oldest of evicted) {
        await this.#end(oldest.key, call)
        call?.evicted?.(oldest.key, ownerId)
      }
      return this.#add(key, record, expiresAt, call)
    })
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const found = await this.#ask('get', toSid(key)).catch(unlessMissing)
    if (!found) return undefined
    const record = readSession(found)
    if (record === 'foreign') return undefined
    if (record === 'damaged' || record === 'unrecognised') throw unreadableError()
    return record.key === key && record.expiresAt >= this.#now() ? record : undefined
  }

  commit(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    version?: number,
    call?: StoreCall
  ): Promise<CommitResult> {
    return this.#change<CommitResult>(key, 'gone', call, async (record) => {
      if (version !== undefined && version !== record.version) return 'conflict'
      const { permanent = record.permanent, lastSeenAt = record.lastSeenAt, extensions = record.extensions } = changes
      const facts = { json: applyChanges(record.json, changes), permanent, lastSeenAt, extensions }
      await this.#write({ ...record, ...facts, expiresAt, version: record.version + 1 }, call)
      return 'committed'
    })
  }

  /** Does not use `touch` of the store: most stores do not return from `get` what `touch` has changed. */
  touch(key: string, expiresAt: number, lastSeenAt?: number, call?: StoreCall): Promise<boolean> {
    return this.#change(key, false, call, async (record) => {
      await this.#write({ ...record, lastSeenAt: lastSeenAt ?? record.lastSeenAt, expiresAt }, call)
      return true
    })
  }

  /** Has no deadline: see `SessionStore`. */
  destroy(key: string): Promise<void> {
    return this.#end(key, undefined)
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    return (await this.#all()).filter((record) => record.ownerId === ownerId)
  }

  destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): Promise<number> {
    return this.#owners.run(ownerId, async () => {
      assertInTime(call)
      const others = (await this.list(ownerId)).filter(({ key }) => key !== exceptKey)
      for (const { key } of others) await this.#end(key, call)
      return others.length
    })
  }

  async count(): Promise<StoreStep<number>> {
    return { found: (await this.#all()).filter(isSession).length, next: undefined }
  }

  /** In the order of the keys. A cursor is the key of the last session. Each step reads all that the store has. */
  async entries(cursor: string | undefined, limit: number): Promise<StoreStep<StoredRecord[]>> {
    const later = (await this.#all()).filter((record) => record.key > (cursor ?? '') && isSession(record))
    const found = later.sort((a, b) => (a.key < b.key ? -1 : 1)).slice(0, limit)
    return { found, next: later.length > limit ? found.at(-1)?.key : undefined }
  }

  /** Leaves what another application has in the store, and what cannot be read: nobody can tell whose it is. */
  async destroyEverything(_cursor?: string, call?: StoreCall): Promise<StoreStep<number>> {
    assertInTime(call)
    const all = await this.#all()
    for (const { key } of all) await this.#end(key, call)
    return { found: all.length, next: undefined }
  }

  /** Returns all live records. */
  async #all(): Promise<StoredRecord[]> {
    if (!isFunction(this.#store.all)) throw new StoreRequiredError(`${NO_LIST} has no method all(). ${USE_ANOTHER}`)
    const sessions = readAll(await this.#ask('all'))
    if (sessions === undefined || sessions.includes('unrecognised')) {
      throw new StoreRequiredError(
        `${NO_LIST} returns from all() neither sessions nor rows that have them in a column sess. ${USE_ANOTHER}`
      )
    }
    const now = this.#now()
    return sessions.filter(
      (session): session is StoredRecord => typeof session === 'object' && session.expiresAt >= now
    )
  }

  #add(key: string, record: SessionRecord, expiresAt: number, call: StoreCall | undefined): Promise<boolean> {
    return this.#keys.run(key, async () => {
      assertInTime(call)
      if ((await this.load(key)) !== undefined) return false
      const { json, createdAt, lastSeenAt, permanent, ownerId, description, extensions } = record
      const facts = { key, json, createdAt, lastSeenAt, permanent, ownerId, description, extensions }
      await this.#write({ ...facts, expiresAt, version: 0 }, call)
      return true
    })
  }

  /** Lets `work` rewrite a live record. Returns `absent` if there is no such record, or no readable one. */
  #change<T>(
    key: string,
    absent: T,
    call: StoreCall | undefined,
    work: (record: StoredRecord) => Promise<T>
  ): Promise<T> {
    return this.#keys.run(key, async () => {
      assertInTime(call)
      const record = await this.load(key).catch(unlessUnreadable)
      return record === undefined ? absent : work(record)
    })
  }

  #end(key: string, call: StoreCall | undefined): Promise<void> {
    return this.#keys.run(key, () => this.#remove(key, call))
  }

  /** Replaces a record, or ends it if its `expiresAt` has passed. */
  async #write(record: StoredRecord, call: StoreCall | undefined): Promise<void> {
    const remaining = Math.ceil((record.expiresAt + 1) * 1000 - this.#clock())
    if (remaining <= 0) return this.#remove(record.key, call)
    assertInTime(call)
    await this.#ask('set', toSid(record.key), toSession(record, remaining))
  }

  async #remove(key: string, call: StoreCall | undefined): Promise<void> {
    assertInTime(call)
    await this.#ask('destroy', toSid(key)).catch(unlessMissing)
  }

  #ask(name: Method, ...given: unknown[]): Promise<unknown> {
    return askStore(this.#store, name, ...given)
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
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
