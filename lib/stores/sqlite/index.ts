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
import { admission } from '../admission.ts'
import { PruneTimer } from '../prune-timer.ts'
import { SqliteAccess } from './access.ts'
import type { Handle, SqliteStoreOptions } from './options.ts'
import { readOptions } from './options.ts'
import type { Row } from './record.ts'
import { encodeOwner, toReadable, toRecord } from './record.ts'
import type { Statements } from './statements.ts'
import { COUNT_BATCH, PRUNE_BATCH, prepare } from './statements.ts'
import { inTransaction } from './transaction.ts'

export type { SqliteDatabase, SqliteStatement, SqliteStoreOptions } from './options.ts'
export type { SqliteRevocationsOptions } from './revocations.ts'
export { SqliteRevocations } from './revocations.ts'

interface Admission {
  readonly result: CreateResult
  /** Those that made room. */
  readonly evicted: readonly Pick<StoredRecord, 'key'>[]
}

/**
 * Keeps sessions in a table of SQLite: for one machine, with any number of processes on one file. Both libraries are
 * synchronous, so that a call blocks the process while the disk works. While another process writes, a call waits without blocking.
 *
 * The store sets `journal_mode = WAL`, `synchronous = NORMAL` and `busy_timeout = 0` on the handle. Open a separate handle for it, so
 * that this affects nothing else, and no transaction of the application includes its calls. A file beside the database,
 * `sessions.db-reserve`, keeps 4 MB, with which sessions can be ended when the disk is full.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`, the latter also if the table does not
 * belong to this store. The methods throw errors that name what failed, with the `code` and the error of SQLite as `cause`.
 *
 * @example
 * ```ts
 * import { DatabaseSync } from 'node:sqlite'
 *
 * const store = new SqliteStore({ database: new DatabaseSync('/var/lib/shop/sessions.db') })
 * await app.register(session, { secret: process.env.SESSION_SECRET, store })
 * ```
 */
export class SqliteStore implements SessionStore {
  readonly #database: Handle
  readonly #clock: () => number
  readonly #access: SqliteAccess
  readonly #statements: Statements
  readonly #timer: PruneTimer

  constructor(options: SqliteStoreOptions) {
    const { database, table, clock, pruneInterval } = readOptions(options)
    this.#database = database
    this.#clock = clock
    this.#access = new SqliteAccess(database)
    this.#statements = this.#access.open(() => prepare(database, table))
    this.#timer = new PruneTimer(pruneInterval, () => this.prune())
  }

  async create(
    key: string,
    record: SessionRecord,
    expiresAt: number,
    limit?: OwnerLimit,
    call?: StoreCall
  ): Promise<CreateResult> {
    this.#timer.start()
    const { json, createdAt, lastSeenAt, permanent, description = null, extensions = null } = record
    const owner = record.ownerId === undefined ? null : encodeOwner(record.ownerId)
    const insert = (): boolean => {
      const facts = [key, json, createdAt, lastSeenAt, Number(permanent), owner, description, extensions]
      return this.#statements.insert.run(...facts, expiresAt, this.#now()).changes > 0
    }
    if (owner === null || limit === undefined) return this.#access.write('create a session', call, insert)
    const { result, evicted } = await this.#transact<Admission>('create a session', call, () => {
      if (this.#find(key) !== undefined) return { result: false, evicted: [] }
      const evicted = admission(this.#candidates(owner), limit, call?.replacing)
      if (evicted === 'refuse') return { result: 'over-limit', evicted: [] }
      for (const oldest of evicted) this.#statements.remove.run(oldest.key)
      return { result: insert(), evicted }
    })
    for (const oldest of evicted) call?.evicted?.(oldest.key, record.ownerId)
    return result
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    return this.#access.read('read a session', () => this.#find(key))
  }

  async commit(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    version?: number,
    call?: StoreCall
  ): Promise<CommitResult> {
    const write = ({ json, permanent, lastSeenAt, extensions }: StoredRecord): unknown =>
      this.#statements.update.run(
        applyChanges(json, changes),
        Number(changes.permanent ?? permanent),
        changes.lastSeenAt ?? lastSeenAt,
        changes.extensions ?? extensions ?? null,
        expiresAt,
        key
      )
    const isEnd = expiresAt < this.#now()
    return this.#transact<CommitResult>(
      'write a session',
      call,
      () => {
        const record = this.#find(key)
        if (record === undefined) return 'gone'
        if (version !== undefined && version !== record.version) return 'conflict'
        if (isEnd) this.#statements.remove.run(key)
        else write(record)
        return 'committed'
      },
      isEnd
    )
  }

  async touch(key: string, expiresAt: number, lastSeenAt?: number, call?: StoreCall): Promise<boolean> {
    const now = this.#now()
    const { touch, end } = this.#statements
    if (expiresAt < now) return this.#access.remove('end a session', call, () => end.run(key, now).changes > 0)
    return this.#access.write(
      'write a session',
      call,
      () => touch.run(expiresAt, lastSeenAt ?? null, key, this.#now()).changes > 0
    )
  }

  async destroy(key: string, call?: StoreCall): Promise<void> {
    await this.#access.removeLate('remove a session', call, () => this.#statements.remove.run(key))
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    const rows = await this.#access.read('list sessions', () =>
      this.#statements.list.all(encodeOwner(ownerId), this.#now())
    )
    return rows.map((row) => toRecord(row as Row))
  }

  async destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): Promise<number> {
    return this.#access.remove('remove sessions', call, () =>
      Number(this.#statements.removeOwned.run(encodeOwner(ownerId), this.#now(), exceptKey ?? null).changes)
    )
  }

  /** Looks at 10 000 rows in one step, so that it does not block the process for long. */
  async count(cursor: string | undefined): Promise<StoreStep<number>> {
    const row = await this.#access.read('count sessions', () => this.#statements.count.get(this.#now(), cursor ?? ''))
    const { rows, sessions, last } = row as { rows: number | bigint; sessions: number | bigint; last: string | null }
    return { found: Number(sessions), next: Number(rows) < COUNT_BATCH ? undefined : String(last) }
  }

  /** In the order of the keys. A cursor is the key of the last session. */
  async entries(cursor: string | undefined, limit: number): Promise<StoreStep<StoredRecord[]>> {
    const rows = (await this.#access.read('list all sessions', () =>
      this.#statements.entries.all(cursor ?? '', this.#now(), limit)
    )) as Row[]
    return { found: toReadable(rows), next: rows.length < limit ? undefined : rows.at(-1)?.key }
  }

  /** Removes 500 rows in one step. */
  async destroyEverything(_cursor?: string, call?: StoreCall): Promise<StoreStep<number>> {
    const { changes } = await this.#access.remove('remove all sessions', call, () => this.#statements.removeEvery.run())
    return { found: Number(changes), next: Number(changes) < PRUNE_BATCH ? undefined : 'more' }
  }

  /**
   * Removes expired sessions, 500 rows at a time, and returns how many it removed. The store calls it soon after the start and
   * then every `pruneInterval` seconds; call it yourself if you have turned that off.
   *
   * @example
   * ```ts
   * import Database from 'better-sqlite3'
   * import { SqliteStore } from 'fastify-typed-session/stores/sqlite'
   *
   * const store = new SqliteStore({ database: new Database('sessions.db'), pruneInterval: 0 })
   * console.log(`${await store.prune()} sessions removed`)
   * ```
   */
  async prune(): Promise<number> {
    const now = this.#now()
    for (let count = 0; ; ) {
      const { changes } = await this.#access.remove('remove expired sessions', undefined, () =>
        this.#statements.prune.run(now)
      )
      count += Number(changes)
      if (Number(changes) < PRUNE_BATCH) return count
      await new Promise((resolve) => setImmediate(resolve))
    }
  }

  /** Stops pruning. The handle stays open, and the store remains usable. */
  async close(): Promise<void> {
    this.#timer.stop()
  }

  #find(key: string): StoredRecord | undefined {
    const row = this.#statements.find.get(key, this.#now())
    return row === undefined ? undefined : toRecord(row as Row)
  }

  /** Returns what `admission` needs of the live records of an owner, oldest first. */
  #candidates(owner: string): Pick<StoredRecord, 'key' | 'createdAt'>[] {
    const rows = this.#statements.candidates.all(owner, this.#now()) as Pick<Row, 'key' | 'created_at'>[]
    return rows.map((row) => ({ key: row.key, createdAt: Number(row.created_at) }))
  }

  #transact<T>(what: string, call: StoreCall | undefined, work: () => T, isRemoval = false): Promise<T> {
    const step = (): T => inTransaction(this.#database, work)
    return isRemoval ? this.#access.remove(what, call, step) : this.#access.write(what, call, step)
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}
