import { InvalidOptionError } from '../../errors.ts'
import { assertKnown, isFunction, readClock, readOption, readPruneInterval } from '../../util/check.ts'

/** The longest name of a table that MySQL and MariaDB allow. */
const MAX_NAME = 64

/** A statement, with the settings that the store needs whatever those of the pool are. */
export interface MySqlStatement {
  readonly sql: string
  readonly rowsAsArray: false
  readonly nestTables: false
  readonly typeCast: true
}

/** The part of a connection of a `Pool` of `mysql2/promise` that the store uses. */
export interface MySqlConnection {
  execute(statement: MySqlStatement, values: (string | number | null)[]): Promise<[result: unknown, fields: unknown]>
  release(): void
  destroy(): void
}

/** The part of a `Pool` of `mysql2/promise` that the store uses. */
export interface MySqlPool {
  getConnection(): Promise<MySqlConnection>
}

/** The options of a `MySqlStore`. */
export interface MySqlStoreOptions {
  /**
   * An open `Pool` of `mysql2/promise`. The store never ends it.
   *
   * @example
   * ```ts
   * import { MySqlStore } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const store = new MySqlStore({ pool: createPool('mysql://root@127.0.0.1:3306/test') })
   * ```
   */
  pool: MySqlPool
  /**
   * The name of the table, 1 to 64 characters. The store quotes it. Default `'sessions'`.
   *
   * @example
   * ```ts
   * import { MySqlStore } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const pool = createPool('mysql://root@127.0.0.1:3306/test')
   * const store = new MySqlStore({ pool, table: 'web_sessions' })
   * ```
   */
  table?: string | undefined
  /**
   * The database of the table, which must exist. Default: the database of the connection.
   *
   * @example
   * ```ts
   * import { MySqlStore } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const pool = createPool('mysql://root@127.0.0.1:3306')
   * const store = new MySqlStore({ pool, schema: 'shop' })
   * ```
   */
  schema?: string | undefined
  /**
   * Seconds between two searches for expired sessions; 0 turns them off. Default 3 600. The first search comes within 30 seconds
   * of the start, or within the interval if that is shorter.
   *
   * @example
   * ```ts
   * import { MySqlStore } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const pool = createPool('mysql://root@127.0.0.1:3306/test')
   * const store = new MySqlStore({ pool, pruneInterval: 600 })
   * ```
   */
  pruneInterval?: number | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { MySqlStore } from 'fastify-typed-session/stores/mysql'
   * import { FakeClock } from 'fastify-typed-session/testing'
   * import { createPool } from 'mysql2/promise'
   *
   * const clock = new FakeClock()
   * const pool = createPool('mysql://root@127.0.0.1:3306/test')
   * const store = new MySqlStore({ pool, clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/** The names of a table and of its database, as the user wrote them. */
export interface TableName {
  readonly table: string
  /** Null for that of the connection. */
  readonly schema: string | null
}

/** The options as the store uses them. */
export interface MySqlSettings extends TableName {
  readonly pool: MySqlPool
  readonly pruneInterval: number
  readonly clock: () => number
}

/** Checks the options. Throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. */
export function readOptions(options: MySqlStoreOptions): MySqlSettings {
  assertKnown(options, ['pool', 'table', 'schema', 'pruneInterval', 'clock'], 'MySqlStore')
  return {
    pool: takePool(options.pool, 'MySqlStore'),
    ...readTable(options),
    pruneInterval: readPruneInterval(options.pruneInterval),
    clock: readClock(options.clock)
  }
}

/** Throws `ERR_SESSION_OPTION_INVALID`. */
export function readTable({ table, schema }: Pick<MySqlStoreOptions, 'table' | 'schema'>): TableName {
  return {
    table: readOption(table, 'sessions', 'table', NAME, isName),
    schema: readOption(schema, undefined, 'schema', NAME, isName) ?? null
  }
}

/** Returns the name of a table for a statement, quoted, with its database if there is one. */
export function quoteTable({ table, schema }: TableName): string {
  return schema === null ? quote(table) : `${quote(schema)}.${quote(table)}`
}

/** `user`: the class that takes it. */
export function takePool(pool: MySqlPool, user: string): MySqlPool {
  const members = Object(pool) as Record<string, unknown>
  // A pool with callbacks has this, and so has its connection: `getConnection` returns no promise.
  const hasCallbacks = isFunction(members.promise)
  // Those of `mariadb` and of `mysql`, whose connections answer in another form.
  const isOther = isFunction(members.importFile) || isFunction(members.acquireConnection)
  if (isFunction(members.getConnection) && !hasCallbacks && !isOther) return pool
  const advice = hasCallbacks ? ' This one takes callbacks: pass pool.promise().' : ''
  const replacement = isOther ? ' This one is of mariadb or mysql: install mysql2.' : ''
  // The message does not show the value: a connection string contains a password.
  throw new InvalidOptionError(
    `The option pool must be a Pool of mysql2/promise: new ${user}({ pool: createPool(…) }).${advice}${replacement}`
  )
}

const NAME = `a name of 1 to ${MAX_NAME} characters, without a space at its end`

/** The server has no names with NUL, or with characters beyond the Basic Multilingual Plane. */
function isName(value: unknown): boolean {
  const isShort = typeof value === 'string' && value !== '' && value.length <= MAX_NAME
  return isShort && !/[\0\p{Cs}\u{10000}-\u{10ffff}]|\s$/u.test(value)
}

function quote(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}
