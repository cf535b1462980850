import { InvalidOptionError } from '../../errors.ts'
import { assertKnown, isObject, isString, readClock, readOption, readPruneInterval } from '../../util/check.ts'

/** A value that the store passes to SQLite. */
type SqliteValue = string | number | null

/** A prepared statement, as far as the types of both libraries agree: they type the values differently. */
export interface SqliteStatement {
  get(...values: never[]): unknown
  all(...values: never[]): unknown[]
  run(...values: never[]): { readonly changes: number | bigint }
}

/** A prepared statement that the store can call. */
export interface Prepared {
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
export interface Handle extends Omit<SqliteDatabase, 'prepare'> {
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
   * Seconds between two searches for expired sessions; 0 turns them off. Default 3 600. The first search comes within 30 seconds
   * of the start, or within the interval if that is shorter.
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

/** The options as the store uses them. */
export interface SqliteSettings {
  readonly database: Handle
  readonly table: string
  readonly pruneInterval: number
  readonly clock: () => number
}

/** Checks the options. Throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. */
export function readOptions(options: SqliteStoreOptions): SqliteSettings {
  assertKnown(options, ['database', 'table', 'pruneInterval', 'clock'], 'SqliteStore')
  return {
    database: takeDatabase(options.database),
    table: readTable(options),
    pruneInterval: readPruneInterval(options.pruneInterval),
    clock: readClock(options.clock)
  }
}

/** Returns the handle. Throws `ERR_SESSION_OPTION_INVALID`. */
export function takeDatabase(database: SqliteDatabase): Handle {
  const expected = 'an open DatabaseSync of node:sqlite or Database of better-sqlite3, which returns rows as objects'
  const isDatabase = isObject(database) && givesObjects(database)
  if (!isDatabase) throw new InvalidOptionError(`The option database must be ${expected}.`)
  return database as unknown as Handle
}

/** Returns the name of the table. Throws `ERR_SESSION_OPTION_INVALID`. */
export function readTable({ table }: Pick<SqliteStoreOptions, 'table'>): string {
  const isTable = (value: unknown): boolean => isString(value) && /^(?!sqlite_)\w{1,64}$/i.test(String(value))
  return readOption(table, 'sessions', 'table', 'a name of letters, digits and _', isTable)
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
