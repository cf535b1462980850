/** What a store answers: the value itself where it is at hand, as in memory, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/** A session as a store keeps it. Times are whole seconds since 1970. */
export interface SessionRecord {
  /**
   * The data: a JSON object as text. Members may be kept one by one and come back in another order; the text of each member
   * comes back as it was given, character by character or as JSON that means the same in the same order.
   */
  readonly json: string
  readonly createdAt: number
  /** When activity was last noted. */
  readonly lastSeenAt: number
  readonly permanent: boolean
  /** Whose session it is. It never changes: another owner gets another record. */
  readonly ownerId: string | undefined
  /** What the option `describe` gave: a JSON object as text. */
  readonly description: string | undefined
}

/** A record that was found in a store. */
export interface StoredRecord extends SessionRecord {
  readonly key: string
  /** The last second at which the record is there. */
  readonly expiresAt: number
  /** 0 for a new record; every commit adds 1. */
  readonly version: number
}

/** What one request changes, and nothing else: the store applies it to what is there at that moment. */
export interface SessionChanges {
  /** Members to set: the JSON text of each value. */
  readonly set: Readonly<Record<string, string>>
  /** Members to remove. One that is not there is no error. */
  readonly unset: readonly string[]
  /** A new value for `permanent`; undefined leaves it. */
  readonly permanent?: boolean | undefined
  /** A new value for `lastSeenAt`; undefined leaves it. */
  readonly lastSeenAt?: number | undefined
}

/** How many live records one owner may have. */
export interface OwnerLimit {
  /** At least 1. */
  readonly max: number
  /** Whether the oldest records (by `createdAt`) make room; otherwise the new one is refused. */
  readonly evict: boolean
  /** The key of a record that the new one takes the place of, and that therefore does not count. */
  readonly replacing?: string | undefined
}

/** `over-limit`: the owner has as many records as allowed, and the limit does not evict. */
export type CreateResult = boolean | 'over-limit'

/** `gone`: there is no live record. `conflict`: its version is another one. In both cases nothing was written. */
export type CommitResult = 'committed' | 'gone' | 'conflict'

/**
 * What keeps sessions on the server. The rules for those who write one (`testStore` of `fastify-typed-session/testing` checks
 * them):
 *
 * - Each method is one atomic step, also between processes, as far as the engine reaches.
 * - A record whose `expiresAt` has passed is not there: for no method, whether or not it has been removed already.
 * - An `expiresAt` that has passed already, given to `commit` or `touch`, ends the record.
 * - A method that cannot do its work throws, or rejects. `undefined`, `false` and `gone` mean that the store has looked and found nothing:
 *   they log people out, an exception answers 503.
 * - Keys are 43 characters of base64url. They are hashes: nobody can open a session with what is in a store.
 * - Nothing of a session belongs into the message of an error.
 *
 * @example
 * ```ts
 * import session, { MemoryStore } from 'fastify-typed-session'
 *
 * await app.register(session, { secret: process.env.SESSION_SECRET, store: new MemoryStore() })
 * ```
 */
export interface SessionStore {
  /** Adds a record. `false` when the key exists already, which must never overwrite it. A limit counts and acts in the same step. */
  create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit): MaybePromise<CreateResult>

  /** The record, or undefined when it is unknown or has expired. */
  load(key: string): MaybePromise<StoredRecord | undefined>

  /**
   * Applies changes to what is there now. It never creates: what was destroyed stays so, whoever comes late. With `version`
   * only if the record still has that version.
   */
  commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): MaybePromise<CommitResult>

  /** Moves the expiry, and `lastSeenAt` if one is given, and neither data nor version. `false` when there is no such record. */
  touch(key: string, expiresAt: number, lastSeenAt?: number): MaybePromise<boolean>

  /** Removes a record. One that is not there is no error. */
  destroy(key: string): MaybePromise<void>

  /** The live records of an owner, in any order. */
  list(ownerId: string): MaybePromise<StoredRecord[]>

  /** Removes the records of an owner, but for one. How many there were. */
  destroyAll(ownerId: string, exceptKey?: string): MaybePromise<number>

  /**
   * Called when the application closes. It ends timers and what else the store itself has started; the data and what the user
   * passed in stay as they are, and another application that shares the store goes on using it.
   */
  close?(): MaybePromise<void>
}
