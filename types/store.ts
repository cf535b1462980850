/** A value that is available at once, as in memory, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/** A session as a store keeps it. All times are whole seconds since 1970. */
export interface SessionRecord {
  /**
   * The data: a JSON object as text. A store may keep the members separately and return them in another order. It returns the
   * text of each value unchanged, or as JSON with the same meaning and the same order of keys.
   */
  readonly json: string
  /** When the session was created. It never changes. */
  readonly createdAt: number
  /** When activity was last recorded. */
  readonly lastSeenAt: number
  /** Whether the cookie outlives the browser. */
  readonly permanent: boolean
  /** The owner, exactly as given to `setOwner()`. It never changes: a session with another owner is another record. */
  readonly ownerId: string | undefined
  /** What the option `describe` returned: a JSON object as text. */
  readonly description: string | undefined
  /**
   * What a version of this package keeps beside the data, as text of letters, digits, `:`, `-` and `_`. Undefined or empty if there
   * is nothing. A store returns it unchanged, whatever it is.
   */
  readonly extensions: string | undefined
}

/** A record as a store returns it. */
export interface StoredRecord extends SessionRecord {
  /** The key under which the store has the record: a hash of the id, 43 characters of base64url. */
  readonly key: string
  /** The last second at which the record is live. */
  readonly expiresAt: number
  /** 0 in a new record. Each commit adds 1; `touch` does not change it. */
  readonly version: number
}

/** The changes of one request. The store applies them to the current record and leaves everything else as it is. */
export interface SessionChanges {
  /** The members to set, with the JSON text of each value. */
  readonly set: Readonly<Record<string, string>>
  /** The names of the members to remove. A missing member is no error. */
  readonly unset: readonly string[]
  /** The new `permanent`; undefined leaves it unchanged. */
  readonly permanent?: boolean | undefined
  /** The new `lastSeenAt`, in seconds since 1970; undefined leaves it unchanged. */
  readonly lastSeenAt?: number | undefined
  /** The new `extensions`, empty for none; undefined leaves them unchanged. */
  readonly extensions?: string | undefined
}

/** How many live records one owner may have. */
export interface OwnerLimit {
  /** The limit, with the new record. At least 1. */
  readonly max: number
  /** Whether the records with the smallest `createdAt` make room. Otherwise the store refuses the new record. */
  readonly evict: boolean
}

/** What a store needs to know of the call that it answers. */
export interface StoreCall {
  /**
   * When the caller gives up, in milliseconds by `performance.now()`. The request has answered 503 by then and others have gone
   * on, so that the store must not write any more. It moves on while the process stands still (a blocked event loop, SIGSTOP):
   * read it when you need it, and do not keep it.
   *
   * @example
   * ```ts
   * import type { StoreCall } from 'fastify-typed-session'
   *
   * function assertInTime(call: StoreCall | undefined): void {
   *   if (call !== undefined && performance.now() > call.deadline) throw new Error('too late')
   * }
   * ```
   */
  readonly deadline: number
  /**
   * The key of the record in whose place the call writes a new one: the caller ends it next, for example when a session gets a new
   * id. A store that ends other records to make room does not count it, and does not end it.
   *
   * @example
   * ```ts
   * import type { StoreCall } from 'fastify-typed-session'
   *
   * function mayMakeRoom(key: string, call: StoreCall | undefined): boolean {
   *   return key !== call?.replacing
   * }
   * ```
   */
  readonly replacing?: string | undefined
  /**
   * `create` and `commit` call it for each record that they have ended to make room, with its key and its owner, so that open
   * connections of that session close at once. A store that does not call it loses nothing but time.
   *
   * @example
   * ```ts
   * import type { StoreCall, StoredRecord } from 'fastify-typed-session'
   *
   * function tell({ key, ownerId }: StoredRecord, call: StoreCall | undefined): void {
   *   call?.evicted?.(key, ownerId)
   * }
   * ```
   */
  readonly evicted?: ((key: string, ownerId: string | undefined) => void) | undefined
}

/** What a method returns that takes one step through all records of a store. */
export interface StoreStep<Found> {
  /** What this step has found. */
  readonly found: Found
  /** Where the next step begins: a text of at most 200 characters from `A-Za-z0-9_.:@[]-`. Undefined after the last step. */
  readonly next: string | undefined
}

/** The result of `create`. `over-limit`: the owner has as many records as allowed, and the limit does not evict. */
export type CreateResult = boolean | 'over-limit'

/** The result of `commit`. `gone`: there is no live record. `conflict`: it has another version. Neither wrote anything. */
export type CommitResult = 'committed' | 'gone' | 'conflict'

/**
 * Keeps sessions on the server. Pass one as the option `store`. Implement this interface to keep sessions in another database,
 * and check the result with `testStore` and `testRaces` of `fastify-typed-session/testing`.
 *
 * The rules for every implementation:
 *
 * - Each method is one atomic step, also between processes as far as the database allows: a script, a transaction or a lock.
 * - A record is live up to and including the second `expiresAt`. After that no method finds it, whether or not it has been
 *   removed.
 * - If `commit` or `touch` gets an `expiresAt` in the past, it ends the record.
 * - `undefined`, `false` and `gone` mean that the store has looked and found nothing: they log people out. A method that cannot
 *   do its work throws or rejects. The request then fails with `ERR_SESSION_STORE_UNAVAILABLE`, status 503.
 * - A key has 43 characters of base64url. It is a hash, so that nobody can open a session with what is in the store.
 * - A write is applied before the `deadline` of its call or not at all: not from a queue of the client, and not by a server that
 *   was frozen. Only `destroy` may be late, because what it ends is not to go on in any case.
 * - The message of an error contains no key, owner or data of a session.
 *
 * @example
 * ```ts
 * import session, { MemoryStore } from 'fastify-typed-session'
 *
 * await app.register(session, { secret: process.env.SESSION_SECRET, store: new MemoryStore() })
 * ```
 *
 * @example
 * A store in the memory of one process. It keeps all rules, except that it removes an expired record only when its key is used:
 *
 * ```ts
 * import type { OwnerLimit, SessionChanges, SessionRecord, SessionStore, StoreCall, StoredRecord } from 'fastify-typed-session'
 *
 * class MapStore implements SessionStore {
 *   readonly #records = new Map<string, StoredRecord>()
 *   readonly #clock: () => number
 *
 *   constructor(clock: () => number = () => Date.now()) {
 *     this.#clock = clock
 *   }
 *
 *   create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit, call?: StoreCall) {
 *     if (this.load(key) !== undefined) return false
 *     if (record.ownerId !== undefined && limit !== undefined) {
 *       const others = this.list(record.ownerId).filter((other) => other.key !== call?.replacing)
 *       const surplus = Math.max(0, others.length + 1 - limit.max)
 *       if (surplus > 0 && !limit.evict) return 'over-limit'
 *       const oldest = others.sort((a, b) => a.createdAt - b.createdAt).slice(0, surplus)
 *       for (const other of oldest) this.destroy(other.key)
 *     }
 *     this.#records.set(key, { ...record, key, expiresAt, version: 0 })
 *     return true
 *   }
 *
 *   load(key: string) {
 *     const record = this.#records.get(key)
 *     if (record === undefined || this.#isLive(record)) return record
 *     this.destroy(key)
 *     return undefined
 *   }
 *
 *   commit(key: string, changes: SessionChanges, expiresAt: number, version?: number) {
 *     const record = this.load(key)
 *     if (record === undefined) return 'gone'
 *     if (version !== undefined && version !== record.version) return 'conflict'
 *     const members = new Map<string, unknown>(Object.entries(JSON.parse(record.json)))
 *     for (const name of changes.unset) members.delete(name)
 *     for (const [name, text] of Object.entries(changes.set)) members.set(name, JSON.parse(text))
 *     this.#records.set(key, {
 *       ...record,
 *       json: JSON.stringify(Object.fromEntries(members)),
 *       permanent: changes.permanent ?? record.permanent,
 *       lastSeenAt: changes.lastSeenAt ?? record.lastSeenAt,
 *       extensions: changes.extensions ?? record.extensions,
 *       expiresAt,
 *       version: record.version + 1
 *     })
 *     return 'committed'
 *   }
 *
 *   touch(key: string, expiresAt: number, lastSeenAt?: number) {
 *     const record = this.load(key)
 *     if (record === undefined) return false
 *     this.#records.set(key, { ...record, expiresAt, lastSeenAt: lastSeenAt ?? record.lastSeenAt })
 *     return true
 *   }
 *
 *   destroy(key: string) {
 *     this.#records.delete(key)
 *   }
 *
 *   list(ownerId: string) {
 *     return [...this.#records.values()].filter((record) => record.ownerId === ownerId && this.#isLive(record))
 *   }
 *
 *   destroyAll(ownerId: string, exceptKey?: string) {
 *     const others = this.list(ownerId).filter(({ key }) => key !== exceptKey)
 *     for (const { key } of others) this.destroy(key)
 *     return others.length
 *   }
 *
 *   #isLive({ expiresAt }: StoredRecord) {
 *     return expiresAt >= Math.floor(this.#clock() / 1000)
 *   }
 * }
 * ```
 */
export interface SessionStore {
  /**
   * Promises that `load` answers at once, without a promise, as from memory. Then a session is loaded when a hook or a handler first
   * uses it, and a request that does not use it does not ask the store, unless its activity is to be noted. Default: not promised;
   * every session is loaded before the handlers, which read it without waiting.
   *
   * If such a `load` throws, so does `request.session`, and the request answers 503. A promise that it returns all the same is an
   * `ERR_SESSION_STORE_UNAVAILABLE`, too.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * console.log(store.loadsAtOnce)
   * ```
   */
  readonly loadsAtOnce?: true | undefined

  /**
   * Adds a record with version 0. `expiresAt` is its last second, in seconds since 1970.
   *
   * Returns `true` if it added the record, and `false` if a live record has the key; it never overwrites one. The key of an
   * expired record is free. If the client of the database repeats a command after a broken connection, the store must recognize
   * its own record.
   *
   * With a `limit` it also counts the live records of `record.ownerId`, without the one at `call.replacing`, in the same
   * atomic step. If the new record would exceed `limit.max`, it ends the records with the smallest `createdAt`, or returns
   * `over-limit` and changes nothing. A record without an owner has no limit. An existing key comes first: then it ends nothing
   * and returns `false`.
   *
   * Throws if it cannot tell whether it has added the record.
   *
   * @example
   * ```ts
   * import type { SessionRecord, SessionStore } from 'fastify-typed-session'
   *
   * // Adds a session that may live for an hour. Of one owner there are at most five; the oldest makes room.
   * async function add(store: SessionStore, key: string, record: SessionRecord): Promise<void> {
   *   const expiresAt = Math.floor(Date.now() / 1000) + 3600
   *   const result = await store.create(key, record, expiresAt, { max: 5, evict: true })
   *   if (result !== true) throw new Error('The key exists.')
   * }
   * ```
   */
  create(
    key: string,
    record: SessionRecord,
    expiresAt: number,
    limit?: OwnerLimit,
    call?: StoreCall
  ): MaybePromise<CreateResult>

  /**
   * Returns the live record of a key, or `undefined` if there is none or it has expired. It changes nothing.
   *
   * Throws if it cannot tell: `undefined` logs the visitor out, an exception answers 503. If it has the record and cannot read
   * it, it throws an error with the `code` `ERR_SESSION_UNREADABLE` and the `statusCode` 500: then only the visitor of this
   * session is a stranger, who can log in and out, and the log has a warning with the error. A record whose `json` alone is
   * damaged may be returned as it is. `commit` and `touch` find no record that cannot be read, `list` leaves it out, and
   * `destroy` and `destroyAll` end it.
   *
   * @example
   * ```ts
   * import type { SessionStore } from 'fastify-typed-session'
   *
   * async function userIdOf(store: SessionStore, key: string): Promise<unknown> {
   *   const record = await store.load(key)
   *   return record && JSON.parse(record.json).userId
   * }
   * ```
   */
  load(key: string): MaybePromise<StoredRecord | undefined>

  /**
   * Applies changes to the current record, sets its `expiresAt` (seconds since 1970) and adds 1 to its version, in one atomic
   * step. Members that the changes do not name stay as they are, so that two requests that change different members both
   * succeed. A member that is both set and removed is set.
   *
   * Returns `committed`; or `gone` if there is no live record: it never creates one, so that no late request brings back a
   * session after a logout; or `conflict` if `version` is given and the record has another one. After `gone` and `conflict`
   * nothing has been written. An `expiresAt` in the past ends the record and returns `committed`.
   *
   * Throws if it cannot tell whether it has applied the changes.
   *
   * @example
   * ```ts
   * import type { SessionStore } from 'fastify-typed-session'
   *
   * // Adds 1 to `visits`. If another request writes meanwhile, it starts again from the new record.
   * async function countVisit(store: SessionStore, key: string): Promise<void> {
   *   for (;;) {
   *     const record = await store.load(key)
   *     if (record === undefined) return
   *     const { visits = 0 } = JSON.parse(record.json)
   *     const changes = { set: { visits: JSON.stringify(visits + 1) }, unset: [] }
   *     if ((await store.commit(key, changes, record.expiresAt, record.version)) !== 'conflict') return
   *   }
   * }
   * ```
   */
  commit(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    version?: number,
    call?: StoreCall
  ): MaybePromise<CommitResult>

  /**
   * Sets `expiresAt`, and `lastSeenAt` if it is given (both in seconds since 1970), in one atomic step. It changes neither data
   * nor version, so that a request that only records activity overwrites no change of another request.
   *
   * Returns `false` if there is no live record. An `expiresAt` in the past ends the record and returns `true`.
   *
   * Throws if it cannot tell whether the record is live.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * const key = request.session.id
   * const now = Math.floor(Date.now() / 1000)
   * if (!(await store.touch(key, now + 3600, now))) console.log('the session has ended')
   * ```
   */
  touch(key: string, expiresAt: number, lastSeenAt?: number, call?: StoreCall): MaybePromise<boolean>

  /**
   * Ends a record: after it, no method finds the record, and no commit under way brings it back. A missing record is no error.
   *
   * Throws if the record may still be there: then the visitor is not told that the logout has succeeded.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * const key = request.session.id
   * await store.destroy(key)
   * ```
   */
  destroy(key: string, call?: StoreCall): MaybePromise<void>

  /**
   * Returns the live records of an owner, in any order; an empty array if there are none. It compares the id exactly, character
   * by character. Each record is one that existed during the call, but the list need not be of one moment.
   *
   * Throws if it cannot return them all.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * for (const { key, lastSeenAt } of await store.list('7')) console.log(key, new Date(lastSeenAt * 1000))
   * ```
   */
  list(ownerId: string): MaybePromise<StoredRecord[]>

  /**
   * Ends the live records of an owner, except the one at `exceptKey`, and returns how many it has ended. A record that is
   * created during the call may survive it; `app.sessions.revokeAll()` calls `list` afterwards and repeats the call if need be.
   *
   * Throws if one of them may still be there.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * const key = request.session.id
   * const ended = await store.destroyAll('7', key)
   * console.log(`${ended} other sessions ended`)
   * ```
   */
  destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): MaybePromise<number>

  /**
   * Counts the live sessions, step by step: each step has a deadline of its own, and is to take less than a second. A record whose
   * `extensions` are exactly `:N` is no session, but something that the package keeps beside them, and does not count. `cursor`: the
   * `next` of the step before; undefined in the first one. Each session that is there all the time counts once; one that begins or ends
   * meanwhile may count.
   *
   * Optional, like `entries` and `destroyEverything`. Without it `app.sessions.count()` rejects with `ERR_SESSION_STORE_REQUIRED`.
   *
   * Throws if it cannot tell.
   *
   * @example
   * ```ts
   * import type { SessionStore, StoreStep } from 'fastify-typed-session'
   *
   * async function countAll(store: SessionStore): Promise<number> {
   *   let [total, cursor]: [number, string | undefined] = [0, undefined]
   *   do {
   *     const step: StoreStep<number> | undefined = await store.count?.(cursor)
   *     total += step?.found ?? 0
   *     cursor = step?.next
   *   } while (cursor !== undefined)
   *   return total
   * }
   * ```
   */
  count?(cursor: string | undefined): MaybePromise<StoreStep<number>>

  /**
   * Returns the next live sessions in the store's own order, about `limit` of them, which is 1 to 1000. A step may return fewer, even
   * none: only one without `next` is the last. What is a session is said at `count`. `cursor`: as there.
   *
   * Each session that is there from the first step to the last is returned, once if the store can keep an order. It leaves out records
   * that cannot be read. A cursor that it does not know returns anything or throws `ERR_SESSION_VALUE`: it may come from a URL.
   *
   * Throws if it cannot return them.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * const { found, next } = await store.entries(undefined, 100)
   * console.log(found.length, next === undefined)
   * ```
   */
  entries?(cursor: string | undefined, limit: number): MaybePromise<StoreStep<StoredRecord[]>>

  /**
   * Ends all records, step by step, as `count` counts: sessions, what the package keeps beside them, and records that cannot be read.
   * `found` is how many it has removed; expired ones may count. `app.sessions.revokeEverything()` begins again until a run through all
   * steps has found nothing.
   *
   * Throws if one of them may still be there.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * const { found } = await store.destroyEverything()
   * console.log(`${found} records ended`)
   * ```
   */
  destroyEverything?(cursor: string | undefined, call?: StoreCall): MaybePromise<StoreStep<number>>

  /**
   * Stops what the store itself has started, such as timers. The plugin calls it when the application closes. The data and the
   * client that the user passed in stay as they are, and another application that shares the store can go on using it.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * await store.close()
   * ```
   */
  close?(): MaybePromise<void>

  /**
   * Passes a text of at most 4000 bytes on to everybody who listens, in this process and in all others that share the store. By it
   * processes tell each other which sessions have ended, so that open connections close at once. A process that hears nothing for ten seconds
   * also publishes, to know whether it hears itself. Nobody waits for it, and it may fail or
   * get lost: processes also look at the sessions of open connections by themselves, now and then. Default: without this method and `listen`, they look
   * every `signalInterval` seconds.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * store.listen((message) => console.log(message))
   * store.publish('hello')
   * ```
   */
  publish?(message: string): MaybePromise<void>

  /**
   * Tells of each message that is published from now on, and returns a function that ends that. Calls `onLost` once when it may miss
   * messages from now on, because a connection broke: it is over then, and the caller listens anew. A store that removes expired sessions
   * itself may tell of each by `onExpired`, with its key and owner, as `MemoryStore` does.
   *
   * Throws if it cannot listen.
   *
   * @example
   * ```ts
   * const store = new MemoryStore()
   * const stop = store.listen((message) => console.log(message))
   * stop()
   * ```
   */
  listen?(
    onMessage: (message: string) => void,
    onLost: () => void,
    onExpired?: (key: string, ownerId: string | undefined) => void
  ): MaybePromise<() => MaybePromise<void>>
}
