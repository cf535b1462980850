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
import { NO_CHANGES } from '../../data/json-members.ts'
import { isSession } from '../../data/no-session.ts'
import { unlessUnreadable, unreadableError } from '../../errors.ts'
import { assertKnown, isString, readClock, readOption, readWholeOption } from '../../util/check.ts'
import { NAME, PUBLISH } from './channel-scripts.ts'
import { toCommands } from './client.ts'
import type { RedisCommands } from './commands.ts'
import { warnOfEviction } from './eviction.ts'
import type { ValkeyGlideClient } from './glide.ts'
import type { IoredisClient } from './ioredis.ts'
import { KeyNames } from './key-names.ts'
import { isCluster } from './node-of.ts'
import type { NodeRedisClient } from './node-redis.ts'
import { OwnerIndex } from './owner-index.ts'
import {
  EXPIRES_AT,
  EXTENSIONS,
  LAST_SEEN_AT,
  LISTED_UNTIL,
  PENDING,
  PERMANENT,
  toEntry,
  toField,
  toFields,
  toFlag,
  toKey,
  toOwner,
  toRecord
} from './record.ts'
import { CREATE, END, GO_LIVE, WRITE } from './record-scripts.ts'
import { Replicas } from './replicas.ts'
import { ScriptRunner } from './runner.ts'
import { Scan } from './scan.ts'
import { IS_SESSION } from './scan-scripts.ts'
import type { Hear } from './subscription.ts'
import { hearing } from './subscription.ts'

export type { ValkeyGlideClient } from './glide.ts'
export type { IoredisClient } from './ioredis.ts'
export type { NodeRedisClient } from './node-redis.ts'
export type { RedisRevocationsOptions } from './revocations.ts'
export { RedisRevocations } from './revocations.ts'

// A record is one hash, so that each change of it is one script. The index of an owner is a sorted set under another key, which
// in a cluster may be on another node: no script can change both. The order of the steps guarantees these rules:
//
//   1. Every live record is in the index of its owner, under a score that is not before its expiry. Therefore the index is
//      written first: a new record is pending, and not live, until it is in the index. A record also stores its own score, so
//      that a commit or touch notices when the index must be extended first. The score lies twice as far ahead as the expiry,
//      so that this happens only once per lifetime of a session.
//      An index can be lost all the same, by an eviction or a DEL. Therefore a session that is active lists itself again.
//   2. An entry of the index may have no live record: after a crash, after an expiry, or while a record is created or ended.
//      Therefore `list` loads the records, and a limit first removes the entries without a record. It does not remove the entry
//      of a login under way, because the record of that login is pending since before the entry.
//   3. One script on the index applies a limit, so that simultaneous logins do not exceed it. The same script marks the entries
//      to evict by a negative score, and their records end before the new record goes live. If that is cut short, the next
//      login of the owner ends the marked records.
//
// A client may send a command again although Redis has executed it: its connection broke before the reply, a cluster redirected
// it, a failover led to another server. Therefore each command has a mark, which stays where it has written, for as long as the
// command may come again: on the record, on the stub that an ended record leaves behind, or in the index. The script that finds
// the mark of its own command writes nothing and gives the same answer as before.

/** A record that waits longer than this for its place in the index is removed. */
const PENDING_MILLISECONDS = 60_000
/** Nobody has more replicas of one master. */
const MOST_REPLICAS = 100
/** How many records one step through all of them is to count or end. */
const STEP = 500
/** An index lists a record for at least this many seconds after its expiry. */
const LEAST_SLACK = 60

/** The options of a `RedisStore`. */
export interface RedisStoreOptions {
  /**
   * An open client of ioredis, iovalkey, node-redis or valkey-glide. The store neither connects nor closes it.
   *
   * @example
   * ```ts
   * import { RedisStore } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   *
   * const store = new RedisStore({ client: new Redis('redis://localhost') })
   * ```
   */
  client: IoredisClient | NodeRedisClient | ValkeyGlideClient
  /**
   * An open client of ioredis, iovalkey or node-redis that runs no other commands, on which the store hears which sessions end in
   * other processes. It stays yours. Default: a connection that the store opens by `client.duplicate()`, and closes, as long as a
   * `session.signal` is open or `app.sessions.onEnded()` has a listener. A pool of node-redis and a client of valkey-glide cannot
   * open one: without a `subscriber`, the store hears nothing.
   *
   * @example
   * ```ts
   * import { RedisStore } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   *
   * const store = new RedisStore({ client: new Redis(), subscriber: new Redis() })
   * ```
   */
  subscriber?: object | undefined
  /**
   * The prefix of all keys in Redis. Default `'session:'`. Applications that share a Redis need one each.
   *
   * @example
   * ```ts
   * import { RedisStore } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   *
   * const store = new RedisStore({ client: new Redis(), prefix: 'shop:session:' })
   * ```
   */
  prefix?: string | undefined
  /**
   * How many replicas must have the end of a session before `destroy`, `destroyAll` and a `commit` that ends it succeed, 0 to 100,
   * so that a failover does not undo a logout. If fewer have it in time, the session has ended on the master, and the call fails:
   * the request answers 503. Default 0. It needs a client of ioredis or iovalkey, or one of
   * `createClient()` of node-redis.
   *
   * @example
   * ```ts
   * import { RedisStore } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   *
   * const client = new Redis({ sentinels: [{ host: '10.0.0.1', port: 26379 }], name: 'mymaster', failoverDetector: true })
   * const store = new RedisStore({ client, waitForReplicas: 1 })
   * ```
   */
  waitForReplicas?: number | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { RedisStore } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const store = new RedisStore({ client: new Redis(), clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/**
 * Keeps sessions in Redis (6.2 or later) or Valkey: one server, Sentinel or Cluster. A load and a commit are one round trip
 * each; Redis removes expired sessions.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. The methods throw the errors of the
 * client and of Redis unchanged.
 *
 * @example
 * ```ts
 * import { Redis } from 'ioredis'
 *
 * const store = new RedisStore({ client: new Redis('redis://localhost') })
 * await app.register(session, { secret: process.env.SESSION_SECRET, store })
 * ```
 */
export class RedisStore implements SessionStore {
  readonly #commands: RedisCommands
  /** Only when somebody listens: the client need not be able to open another connection. */
  readonly #hearing: () => Hear
  readonly #runner: ScriptRunner
  readonly #names: KeyNames
  readonly #owners: OwnerIndex
  readonly #scan: Scan
  readonly #replicas: Replicas | undefined
  readonly #clock: () => number
  #hasAskedForPolicy = false

  constructor(options: RedisStoreOptions) {
    assertKnown(options, ['client', 'subscriber', 'prefix', 'waitForReplicas', 'clock'], 'RedisStore')
    this.#hearing = (): Hear => hearing(options.client, options.subscriber)
    if (options.subscriber !== undefined) this.#hearing()
    this.#commands = toCommands(options.client)
    this.#names = new KeyNames(readOption(options.prefix, 'session:', 'prefix', 'a string', isString))
    const replicas = readWholeOption(options.waitForReplicas, 0, 'waitForReplicas', 'replicas', 0, MOST_REPLICAS)
    this.#replicas = replicas === 0 ? undefined : new Replicas(options.client, replicas, this.#commands.nodeOf)
    this.#clock = readClock(options.clock)
    this.#runner = new ScriptRunner(this.#commands, this.#clock)
    this.#owners = new OwnerIndex(this.#runner, this.#names)
    this.#scan = new Scan(this.#commands, this.#names, isCluster(options.client))
  }

  async create(
    key: string,
    record: SessionRecord,
    expiresAt: number,
    limit?: OwnerLimit,
    call?: StoreCall
  ): Promise<CreateResult> {
    this.#askForPolicy()
    const name = this.#names.ofRecord(key)
    const fields = toFields(record, expiresAt)
    // A record that has expired already needs no entry in the index.
    if (record.ownerId === undefined || (expiresAt + 1) * 1000 <= this.#clock()) {
      const [isNew] = await this.#runner.write(CREATE, name, [expiresAt, '', ...fields], call)
      return isNew === '1'
    }
    const owner = toOwner(record.ownerId)
    const entry = toEntry(String(record.createdAt), key)
    const until = this.#listUntil(expiresAt)
    fields.push(LISTED_UNTIL, String(until), PENDING, '1')
    const [isNew] = await this.#runner.write(CREATE, name, [expiresAt, PENDING_MILLISECONDS, ...fields], call)
    if (isNew !== '1') return false
    const evicted = await this.#owners.admit(owner, entry, until, limit, call)
    if (evicted === undefined) {
      await this.#runner.write(END, name, [owner], call)
      return 'over-limit'
    }
    for (const other of evicted) call?.evicted?.(other, record.ownerId)
    // Changes nothing if another login has evicted the record meanwhile, or destroyAll has ended it: it was created, then ended.
    const [wasThere] = await this.#runner.write(GO_LIVE, name, [], call)
    if (wasThere !== '1') throw new Error('The new record expired before it was complete.')
    return true
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const fields = await this.#commands.getAll(this.#names.ofRecord(key)).catch(unlessNoHash)
    return toRecord(key, fields, Math.floor(this.#clock() / 1000))
  }

  async commit(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    version?: number,
    call?: StoreCall
  ): Promise<CommitResult> {
    return this.#change(key, changes, expiresAt, [version ?? '', '1'], call)
  }

  async touch(key: string, expiresAt: number, lastSeenAt?: number, call?: StoreCall): Promise<boolean> {
    return (await this.#change(key, { ...NO_CHANGES, lastSeenAt }, expiresAt, ['', ''], call)) === 'committed'
  }

  // May be late, and therefore Redis gets no deadline.
  async destroy(key: string, call?: StoreCall): Promise<void> {
    const [, owner = '', createdAt = ''] = await this.#runner.write(END, this.#names.ofRecord(key), [''])
    await Promise.all([this.#owners.unlist(key, owner, createdAt), this.#confirm([key], '', call)])
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    const keys = (await this.#owners.entries(toOwner(ownerId))).map(toKey)
    const records = await Promise.all(keys.map((key) => this.load(key).catch(unlessUnreadable)))
    return records.filter((record) => record !== undefined && record.ownerId === ownerId) as StoredRecord[]
  }

  async destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): Promise<number> {
    const owner = toOwner(ownerId)
    const entries = (await this.#owners.entries(owner)).filter((entry) => toKey(entry) !== exceptKey)
    const count = await this.#owners.end(owner, entries, call)
    await this.#confirm(entries.map(toKey), owner, call)
    return count
  }

  /** By `SCAN`, and a look at each record. */
  async count(cursor: string | undefined): Promise<StoreStep<number>> {
    const { keys, next } = await this.#scan.step(cursor, STEP)
    const replies = await Promise.all(keys.map((key) => this.#runner.read(IS_SESSION, this.#names.ofRecord(key))))
    return { found: replies.filter(([isSession]) => isSession === '1').length, next }
  }

  /** By `SCAN`, in no order: it may return a few more sessions than asked for, and one of them twice. */
  async entries(cursor: string | undefined, limit: number): Promise<StoreStep<StoredRecord[]>> {
    const { keys, next } = await this.#scan.step(cursor, limit)
    const records = await Promise.all(keys.map((key) => this.load(key).catch(unlessUnreadable)))
    return { found: records.filter((record) => record !== undefined && isSession(record)) as StoredRecord[], next }
  }

  async destroyEverything(cursor?: string, call?: StoreCall): Promise<StoreStep<number>> {
    const { keys, next } = await this.#scan.step(cursor, STEP)
    const ended: string[] = []
    const end = async (key: string): Promise<void> => {
      const [wasLive, owner = '', createdAt = ''] = await this.#runner.write(END, this.#names.ofRecord(key), [''])
      if (wasLive === '1') ended.push(key)
      await this.#owners.unlist(key, owner, createdAt)
    }
    await Promise.all(keys.map(end))
    await this.#confirm(ended, '', call)
    return { found: ended.length, next }
  }

  async publish(message: string): Promise<void> {
    await this.#commands.run(PUBLISH, this.#names.ofChannel(), [message])
  }

  /** Opens one more connection by `client.duplicate()`, unless there is a `subscriber`. */
  async listen(onMessage: (message: string) => void, onLost: () => void): Promise<() => void> {
    // The client may put a prefix of its own in front of the name.
    const [channel = ''] = await this.#commands.run(NAME, this.#names.ofChannel(), [])
    return this.#hearing()(channel, onMessage, onLost)
  }

  /** Closes the connections that `waitForReplicas` needs. Close the client yourself. */
  async close(): Promise<void> {
    await this.#replicas?.close()
  }

  /**
   * Carries out `commit` and `touch`: one round trip, or three if the index must be extended first. Activity also looks after the
   * entry in the index, which nobody waits for. `kind`: the version, and whether it is a commit.
   */
  async #change(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    kind: readonly (string | number)[],
    call: StoreCall | undefined
  ): Promise<CommitResult> {
    const { set, unset, lastSeenAt, permanent, extensions } = changes
    const fields = [EXPIRES_AT, String(expiresAt)]
    if (lastSeenAt !== undefined) fields.push(LAST_SEEN_AT, String(lastSeenAt))
    if (permanent !== undefined) fields.push(PERMANENT, toFlag(permanent))
    if (extensions !== undefined) fields.push(EXTENSIONS, extensions)
    for (const [name, text] of Object.entries(set)) fields.push(toField(name), text)
    const rest = [...kind, unset.length, ...unset.map(toField), ...fields]
    const write = (listedUntil: number): Promise<string[]> =>
      this.#runner.write(WRITE, this.#names.ofRecord(key), [expiresAt, listedUntil, ...rest], call)
    let [result, owner = '', createdAt = '', listedUntil] = await write(0)
    if (listedUntil !== undefined && lastSeenAt !== undefined) {
      this.#owners.restore(owner, toEntry(createdAt, key), Number(listedUntil))
    }
    if (result === 'unlisted') {
      const until = this.#listUntil(expiresAt)
      await this.#owners.extend(owner, toEntry(createdAt, key), until, call)
      ;[result, owner = '', createdAt = ''] = await write(until)
    }
    if (result !== 'ended') return result as CommitResult
    await Promise.all([this.#owners.unlist(key, owner, createdAt), this.#confirm([key], '', call)])
    return 'committed'
  }

  /** Waits until replicas have the ends of records, if the option asks for it. */
  async #confirm(keys: readonly string[], owner: string, call: StoreCall | undefined): Promise<void> {
    const names = keys.map((key) => this.#names.ofRecord(key))
    await this.#replicas?.confirm(names, owner, call)
  }

  /** Nobody waits for the answer. The user of the application may not be allowed to ask. */
  #askForPolicy(): void {
    if (this.#hasAskedForPolicy) return
    this.#hasAskedForPolicy = true
    this.#commands.memoryInfo().then(warnOfEviction, () => {})
  }

  #listUntil(expiresAt: number): number {
    return expiresAt + Math.max(LEAST_SLACK, expiresAt - Math.floor(this.#clock() / 1000))
  }
}

/** For the `catch` of a load: something else under the key of a session is one that cannot be read. */
function unlessNoHash(error: unknown): never {
  throw error instanceof Error && error.message.startsWith('WRONGTYPE') ? unreadableError() : error
}
