import type {
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoredRecord
} from '../../types/store.ts'
import { applyChanges } from '../data/json-members.ts'
import { InvalidOptionError, isUnreadable } from '../errors.ts'
import { assertKnown, isObject, isString, readClock, readOption, readPruneInterval } from '../util/check.ts'
import { admission } from './admission.ts'
import { decodeOwner } from './decode-owner.ts'
import { PruneTimer } from './prune-timer.ts'

/** Milliseconds. While SQLite waits, it blocks the process. */
const BUSY_TIMEOUT = 1000
/** How many rows `prune` removes in one statement, so that requests run in between. */
const BATCH = 500

/** A value that the store passes to SQLite. */
export type SqliteValue = string | number | null

/** A prepared statement, as far as the types of both libraries agree: they type the values differently. */
export interface SqliteStatement {
  get(...values: never[]): unknown
  all(...values: never[]): unknown[]
  run(...values: never[]): { readonly changes: number | bigint }
}

/** A prepared statement that the store can call. */
interface Prepared {
  get(...values: SqliteValue[]): unknown
  all(...values: SqliteValue[]): unknown[]
  run(...values: SqliteValue[]): { readonly changes: number | bigint }
}

/** A `DatabaseSync` of `node:sqlite` or a `Database` of `better-sqlite3`. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  /** Of `node:sqlite`, from Node.js 22.16. */
  readonly isTransaction?: boolean
  /** Of `better-sqlite3`. */
  readonly inTransaction?: boolean
}

/** A database whose statements the store can call. */
interface Handle extends Omit<SqliteDatabase, 'prepare'> {
  prepare(sql: string): Prepared
}

/** The options of a `SqliteStore`. */
export interface SqliteStoreOptions {
  /**
   * An open handle that returns rows as objects. The store never closes it.
   *
   * @example
   * ```ts
   * import Database from 'better-sqlite3'
   * import { SqliteStore } from 'fastify-typed-session/stores/sqlite'
   *
   * const store = new SqliteStore({ database: new Database('sessions.db') })
   * ```
   */
  database: SqliteDatabase
  /**
   * The table, 1 to 64 letters, digits and `_`. The store creates it if it does not exist. Default `'sessions'`.
   *
   * @example
   * ```ts
   * import Database from 'better-sqlite3'
   * import { SqliteStore } from 'fastify-typed-session/stores/sqlite'
   *
   * const store = new SqliteStore({ database: new Database('shop.db'), table: 'web_sessions' })
   * ```
   */
  table?: string | undefined
  /**
   * Seconds between two searches for expired sessions; 0 turns them off. Default 3 600.
   *
   * @example
   * ```ts
   * import Database from 'better-sqlite3'
   * import { SqliteStore } from 'fastify-typed-session/stores/sqlite'
   *
   * const store = new SqliteStore({ database: new Database('sessions.db'), pruneInterval: 600 })
   * ```
   */
  pruneInterval?: number | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import Database from 'better-sqlite3'
   * import { SqliteStore } from 'fastify-typed-session/stores/sqlite'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const store = new SqliteStore({ database: new Database(':memory:'), clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

interface Row {
  readonly key: string
  readonly data: string
  readonly created_at: number | bigint
  readonly last_seen_at: number | bigint
  readonly permanent: number | bigint
  readonly owner: string | null
  readonly description: string | null
  readonly expires_at: number | bigint
  readonly version: number | bigint
}

/**
 * Keeps sessions in a table of SQLite: for one machine, with any number of processes on one file. Both libraries are
 * synchronous, so that a call blocks the process while the disk works, and up to a second while another process writes.
 *
 * The store sets `journal_mode = WAL`, `synchronous = NORMAL` and, if it is 0, `busy_timeout = 1000` on the handle. Open a
 * separate handle for it, so that this affects nothing else, and no transaction of the application includes its calls.
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
  readonly #statements: Statements
  readonly #timer: PruneTimer

  constructor(options: SqliteStoreOptions) {
    assertKnown(options, ['database', 'table', 'pruneInterval', 'clock'], 'SqliteStore')
    const expected = 'an open DatabaseSync of node:sqlite or Database of better-sqlite3, which returns rows as objects'
    const isDatabase = (value: unknown): boolean => isObject(value) && givesObjects(value as SqliteDatabase)
    if (!isDatabase(options.database)) throw new InvalidOptionError(`The option database must be ${expected}.`)
    this.#database = options.database as unknown as Handle
    const isTable = (value: unknown): boolean => isString(value) && /^(?!sqlite_)\w{1,64}$/i.test(String(value))
    const table = readOption(options.table, 'sessions', 'table', 'a name of letters, digits and _', isTable)
    this.#clock = readClock(options.clock)
    const interval = readPruneInterval(options.pruneInterval)
    this.#statements = this.#attempt('begin', () => prepare(this.#database, table))
    this.#timer = new PruneTimer(interval, () => this.prune())
  }

  async create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit): Promise<CreateResult> {
    this.#timer.start()
    const { json, createdAt, lastSeenAt, permanent, description = null } = record
    const owner = record.ownerId === undefined ? null : encodeOwner(record.ownerId)
    const insert = (): boolean => {
      const values = [key, json, createdAt, lastSeenAt, Number(permanent), owner, description, expiresAt, this.#now()]
      return this.#statements.insert.run(...values).changes > 0
    }
    if (owner === null || limit === undefined) return this.#attempt('create a session', insert)
    return this.#transact<CreateResult>('create a session', () => {
      if (this.#find(key) !== undefined) return false
      const evicted = admission(this.#candidates(owner), limit)
      if (evicted === 'refuse') return 'over-limit'
      for (const oldest of evicted) this.#statements.remove.run(oldest.key)
      return insert()
    })
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    return this.#attempt('read a session', () => this.#find(key))
  }

  async commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): Promise<CommitResult> {
    return this.#transact('write a session', () => {
      const record = this.#find(key)
      if (record === undefined) return 'gone'
      if (version !== undefined && version !== record.version) return 'conflict'
      const { permanent = record.permanent, lastSeenAt = record.lastSeenAt } = changes
      const json = applyChanges(record.json, changes)
      this.#statements.update.run(json, Number(permanent), lastSeenAt, expiresAt, key)
      return 'committed'
    })
  }

  async touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    return this.#attempt(
      'write a session',
      () => this.#statements.touch.run(expiresAt, lastSeenAt ?? null, key, this.#now()).changes > 0
    )
  }

  async destroy(key: string): Promise<void> {
    this.#attempt('remove a session', () => this.#statements.remove.run(key))
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    const rows = this.#attempt('list sessions', () => this.#statements.list.all(encodeOwner(ownerId), this.#now()))
    return rows.map((row) => toRecord(row as Row))
  }

  async destroyAll(ownerId: string, exceptKey?: string): Promise<number> {
    return this.#attempt('remove sessions', () =>
      Number(this.#statements.removeOwned.run(encodeOwner(ownerId), this.#now(), exceptKey ?? null).changes)
    )
  }

  /**
   * Removes expired sessions, 500 rows at a time, and returns how many it removed. The store calls it every `pruneInterval`
   * seconds; call it yourself if you have turned that off.
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
      const removed = Number(this.#attempt('remove expired sessions', () => this.#statements.prune.run(now)).changes)
      count += removed
      if (removed < BATCH) return count
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

  /** Takes the write lock first, so that no other process writes between the reading and the writing. */
  #transact<T>(what: string, work: () => T): T {
    return this.#attempt(what, () => {
      this.#database.exec('BEGIN IMMEDIATE')
      try {
        const result = work()
        this.#database.exec('COMMIT')
        return result
      } catch (error) {
        rollBack(this.#database)
        throw error
      }
    })
  }

  #attempt<T>(what: string, work: () => T): T {
    try {
      // The store would read an old snapshot, and a rollback of the application would undo its writes.
      if (this.#database.isTransaction === true || this.#database.inTransaction === true) {
        throw new Error('the application has an open transaction on the handle. Open a separate handle for the store')
      }
      return work()
    } catch (error) {
      if (error instanceof InvalidOptionError || isUnreadable(error)) throw error
      throw Object.assign(new Error(`The SqliteStore could not ${what}: ${explain(error)}`, { cause: error }), {
        code: (error as NodeJS.ErrnoException).code
      })
    }
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}

interface Statements {
  readonly insert: Prepared
  readonly find: Prepared
  readonly update: Prepared
  readonly touch: Prepared
  readonly remove: Prepared
  readonly list: Prepared
  readonly candidates: Prepared
  readonly removeOwned: Prepared
  readonly prune: Prepared
}

function prepare(database: Handle, name: string): Statements {
  const { timeout } = database.prepare('PRAGMA busy_timeout').get() as { timeout: number | bigint }
  if (Number(timeout) === 0) database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT}`)
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
  createTable(database, name)
  const table = `"${name}"`
  try {
    return {
      insert: database.prepare(
        `INSERT INTO ${table} AS old (key, data, created_at, last_seen_at, permanent, owner, description, expires_at, version)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0)
        ON CONFLICT (key) DO UPDATE SET data = excluded.data, created_at = excluded.created_at, last_seen_at = excluded.last_seen_at,
          permanent = excluded.permanent, owner = excluded.owner, description = excluded.description,
          expires_at = excluded.expires_at, version = 0
        WHERE old.expires_at < ?`
      ),
      find: database.prepare(`SELECT * FROM ${table} WHERE key = ? AND expires_at >= ?`),
      update: database.prepare(
        `UPDATE ${table} SET data = ?, permanent = ?, last_seen_at = ?, expires_at = ?, version = version + 1 WHERE key = ?`
      ),
      touch: database.prepare(
        `UPDATE ${table} SET expires_at = ?, last_seen_at = coalesce(?, last_seen_at) WHERE key = ? AND expires_at >= ?`
      ),
      remove: database.prepare(`DELETE FROM ${table} WHERE key = ?`),
      list: database.prepare(`SELECT * FROM ${table} WHERE owner = ? AND expires_at >= ?`),
      candidates: database.prepare(
        `SELECT key, created_at FROM ${table} WHERE owner = ? AND expires_at >= ? ORDER BY created_at, rowid`
      ),
      removeOwned: database.prepare(`DELETE FROM ${table} WHERE owner = ? AND expires_at >= ? AND key IS NOT ?`),
      prune: database.prepare(
        `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE expires_at < ? LIMIT ${BATCH})`
      )
    }
  } catch (cause) {
    const message = `The table ${table} exists, but it does not belong to the SqliteStore. Set the option table to another name.`
    throw Object.assign(new InvalidOptionError(message), { cause })
  }
}

/** Looks for the table first: creating one, even with IF NOT EXISTS, would wait for the process that is writing. */
function createTable(database: Handle, name: string): void {
  const count = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table' AND name = ?")
  if (Number((count.get(name) as { count: number | bigint }).count) === 1) return
  database.exec('BEGIN IMMEDIATE')
  try {
    database.exec(`
      CREATE TABLE IF NOT EXISTS "${name}" (
        key TEXT NOT NULL PRIMARY KEY,
        data TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL,
        permanent INTEGER NOT NULL,
        owner TEXT,
        description TEXT,
        expires_at INTEGER NOT NULL,
        version INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX IF NOT EXISTS "${name}_expires_at" ON "${name}" (expires_at);
      CREATE INDEX IF NOT EXISTS "${name}_owner" ON "${name}" (owner, created_at) WHERE owner IS NOT NULL;
      COMMIT`)
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** Rolls back. It fails after errors that have rolled back already, which does not matter. */
function rollBack(database: Handle): void {
  try {
    database.exec('ROLLBACK')
  } catch {}
}

/** Whether it is a handle that returns rows as objects, as both libraries open one. */
function givesObjects(database: SqliteDatabase): boolean {
  try {
    // This statement does not read the file, which another process may be writing to.
    const row = database.prepare('PRAGMA busy_timeout').get()
    return isObject(row) && Number.isInteger(Number((row as { timeout: unknown }).timeout))
  } catch {
    return false
  }
}

function explain(error: unknown): string {
  const { message, code, errcode } = error as { message: string; code?: string; errcode?: number }
  const isBusy = code?.startsWith('SQLITE_BUSY') || (Number(errcode) & 0xff) === 5
  return isBusy ? `another connection was writing for longer than busy_timeout (${message}).` : `${message}.`
}

/** Returns the id as JSON, because text of SQLite cannot hold lone surrogates, nor U+0000 in every library. */
function encodeOwner(ownerId: string): string {
  return JSON.stringify(ownerId)
}

/** Converts integers by `Number`, because a handle may be configured to return each of them as a bigint. */
function toRecord(row: Row): StoredRecord {
  return {
    key: row.key,
    json: row.data,
    createdAt: Number(row.created_at),
    lastSeenAt: Number(row.last_seen_at),
    permanent: Number(row.permanent) === 1,
    ownerId: row.owner === null ? undefined : decodeOwner(row.owner),
    description: row.description ?? undefined,
    expiresAt: Number(row.expires_at),
    version: Number(row.version)
  }
}
