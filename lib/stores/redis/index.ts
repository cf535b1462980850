import { createHash } from 'node:crypto'
import type {
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoreCall,
  StoredRecord
} from '../../../types/store.ts'
import { NO_CHANGES } from '../../data/json-members.ts'
import { unlessUnreadable } from '../../errors.ts'
import { assertKnown, isString, readClock, readOption } from '../../util/check.ts'
import type { IoredisClient, NodeRedisClient, RedisCommands, Script } from './client.ts'
import { toCommands } from './client.ts'
import { ADMIT, ENTRIES, EXTEND, UNLIST } from './owner-scripts.ts'
import {
  EXPIRES_AT,
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
import { CREATE, END, GO_LIVE, IS_THERE, WRITE } from './record-scripts.ts'
import { ScriptWriter } from './writer.ts'

export type { IoredisClient, NodeRedisClient } from './client.ts'

// A record is one hash, so that each change of it is one script. The index of an owner is a sorted set under another key, which
// in a cluster may be on another node: no script can change both. The order of the steps guarantees these rules:
//
//   1. Every live record is in the index of its owner, under a score that is not before its expiry. Therefore the index is
//      written first: a new record is pending, and not live, until it is in the index. A record also stores its own score, so
//      that a commit or touch notices when the index must be extended first. The score lies twice as far ahead as the expiry,
//      so that this happens only once per lifetime of a session.
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
/** An index lists a record for at least this many seconds after its expiry. */
const LEAST_SLACK = 60

/** The options of a `RedisStore`. */
export interface RedisStoreOptions {
  /**
   * An open client of ioredis or node-redis. The store neither connects nor closes it.
   *
   * @example
   * ```ts
   * import { RedisStore } from 'fastify-typed-session/stores/redis'
   * import { Redis } from 'ioredis'
   *
   * const store = new RedisStore({ client: new Redis('redis://localhost') })
   * ```
   */
  client: IoredisClient | NodeRedisClient
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
  readonly #writer: ScriptWriter
  readonly #prefix: string
  readonly #clock: () => number

  constructor(options: RedisStoreOptions) {
    assertKnown(options, ['client', 'prefix', 'clock'], 'RedisStore')
    this.#commands = toCommands(options.client)
    this.#writer = new ScriptWriter(this.#commands)
    this.#prefix = readOption(options.prefix, 'session:', 'prefix', 'a string', isString)
    this.#clock = readClock(options.clock)
  }

  async create(
    key: string,
    record: SessionRecord,
    expiresAt: number,
    limit?: OwnerLimit,
    call?: StoreCall
  ): Promise<CreateResult> {
    const name = this.#nameOf(key)
    const fields = toFields(record, expiresAt)
    // A record that has expired already needs no entry in the index.
    if (record.ownerId === undefined || (expiresAt + 1) * 1000 <= this.#clock()) {
      const [isNew] = await this.#write(CREATE, name, [expiresAt, '', ...fields], call)
      return isNew === '1'
    }
    const owner = toOwner(record.ownerId)
    const entry = toEntry(String(record.createdAt), key)
    const until = this.#listUntil(expiresAt)
    fields.push(LISTED_UNTIL, String(until), PENDING, '1')
    const [isNew] = await this.#write(CREATE, name, [expiresAt, PENDING_MILLISECONDS, ...fields], call)
    if (isNew !== '1') return false
    if (!(await this.#admit(owner, entry, until, limit, call))) {
      await this.#write(END, name, [owner], call)
      return 'over-limit'
    }
    // Changes nothing if another login has evicted the record meanwhile, or destroyAll has ended it: it was created, then ended.
    const [wasThere] = await this.#write(GO_LIVE, name, [], call)
    if (wasThere !== '1') throw new Error('The new record expired before it was complete.')
    return true
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    return toRecord(key, await this.#commands.getAll(this.#nameOf(key)), Math.floor(this.#clock() / 1000))
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

  // May be late, and therefore has no deadline.
  async destroy(key: string): Promise<void> {
    const [, owner = '', createdAt = ''] = await this.#write(END, this.#nameOf(key), [''])
    await this.#unlist(key, owner, createdAt)
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    const keys = (await this.#read(ENTRIES, this.#indexOf(toOwner(ownerId)))).map(toKey)
    const records = await Promise.all(keys.map((key) => this.load(key).catch(unlessUnreadable)))
    return records.filter((record) => record !== undefined && record.ownerId === ownerId) as StoredRecord[]
  }

  async destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): Promise<number> {
    const owner = toOwner(ownerId)
    const entries = await this.#read(ENTRIES, this.#indexOf(owner))
    return this.#end(
      owner,
      entries.filter((entry) => toKey(entry) !== exceptKey),
      call
    )
  }

  /** Does nothing: the store starts nothing by itself. Close the client yourself. */
  async close(): Promise<void> {}

  /**
   * Carries out `commit` and `touch`: one round trip, or three if the index must be extended first. `kind`: the version, and
   * whether it is a commit.
   */
  async #change(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    kind: readonly (string | number)[],
    call: StoreCall | undefined
  ): Promise<CommitResult> {
    const { set, unset, lastSeenAt, permanent } = changes
    const fields = [EXPIRES_AT, String(expiresAt)]
    if (lastSeenAt !== undefined) fields.push(LAST_SEEN_AT, String(lastSeenAt))
    if (permanent !== undefined) fields.push(PERMANENT, toFlag(permanent))
    for (const [name, text] of Object.entries(set)) fields.push(toField(name), text)
    const rest = [...kind, unset.length, ...unset.map(toField), ...fields]
    const write = (listedUntil: number): Promise<string[]> =>
      this.#write(WRITE, this.#nameOf(key), [expiresAt, listedUntil, ...rest], call)
    let [result, owner = '', createdAt = ''] = await write(0)
    if (result === 'unlisted') {
      const until = this.#listUntil(expiresAt)
      await this.#write(EXTEND, this.#indexOf(owner), [until, toEntry(createdAt, key)], call)
      ;[result, owner = '', createdAt = ''] = await write(until)
    }
    if (result !== 'ended') return result as CommitResult
    await this.#unlist(key, owner, createdAt)
    return 'committed'
  }

  /**
   * Adds an entry to the index of an owner and ends the records that have to make room. False if the limit refuses the entry.
   */
  async #admit(
    owner: string,
    entry: string,
    until: number,
    limit: OwnerLimit | undefined,
    call: StoreCall | undefined
  ): Promise<boolean> {
    const { max = 0, evict = false, replacing = '' } = limit ?? {}
    const rule = [until, entry, max, evict ? 1 : 0, replacing]
    const admit = (...stale: readonly (string | number)[]): Promise<string[]> =>
      this.#write(ADMIT, this.#indexOf(owner), [...rule, ...stale], call)
    let [result, ...entries] = await admit(0)
    if (result === 'full') [result, ...entries] = await admit(1, ...(await this.#findStale(owner, entries)))
    if (result === 'over-limit') return false
    await this.#end(owner, entries, call)
    return true
  }

  /** Returns the entries of an owner's index that have no record, live or pending. */
  async #findStale(owner: string, entries: readonly string[]): Promise<string[]> {
    const replies = await Promise.all(entries.map((entry) => this.#read(IS_THERE, this.#nameOf(toKey(entry)), owner)))
    return entries.filter((_, index) => replies[index]?.[0] !== '1')
  }

  /** Ends records of an owner, then removes their entries from the index. Returns how many of the records were live. */
  async #end(owner: string, entries: readonly string[], call: StoreCall | undefined): Promise<number> {
    if (entries.length === 0) return 0
    const replies = await Promise.all(
      entries.map((entry) => this.#write(END, this.#nameOf(toKey(entry)), [owner], call))
    )
    await this.#write(UNLIST, this.#indexOf(owner), entries)
    return replies.filter(([wasLive]) => wasLive === '1').length
  }

  /** Removes the entry of an ended record from the index, if the record had an owner. */
  async #unlist(key: string, owner: string, createdAt: string): Promise<void> {
    if (owner === '') return
    try {
      await this.#write(UNLIST, this.#indexOf(owner), [toEntry(createdAt, key)])
    } catch {
      // The record has ended, so the call has succeeded. An entry without a record has no effect.
    }
  }

  #read(script: Script, name: string, ...values: readonly string[]): Promise<string[]> {
    return this.#commands.run(script, name, [this.#time(), ...values])
  }

  #write(
    script: Script,
    name: string,
    values: readonly (string | number)[],
    call?: StoreCall | undefined
  ): Promise<string[]> {
    return this.#writer.run(script, name, [this.#time(), ...values.map(String)], call)
  }

  #time(): string {
    return String(Math.floor(this.#clock()))
  }

  #listUntil(expiresAt: number): number {
    return expiresAt + Math.max(LEAST_SLACK, expiresAt - Math.floor(this.#clock() / 1000))
  }

  #nameOf(key: string): string {
    return `${this.#prefix}${key}`
  }

  /**
   * The owner is hashed: a hash tag (braces) in an id would decide the slot in a cluster, and key names must not reveal owners.
   */
  #indexOf(owner: string): string {
    return `${this.#prefix}owner:${createHash('sha256').update(owner).digest('base64url')}`
  }
}
