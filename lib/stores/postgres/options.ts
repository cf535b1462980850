import { assertKnown, isBoolean, readClock, readOption, readPruneInterval } from '../../util/check.ts'
import type { PGliteDatabase, PostgresJsSql, PostgresPool } from './clients.ts'
import type { Driver } from './driver.ts'
import { toDriver } from './to-driver.ts'

/** PostgreSQL truncates longer names (NAMEDATALEN - 1), which could make two tables one. */
const MAX_NAME_BYTES = 63

/** The options of a `PostgresStore`. */
export interface PostgresStoreOptions {
  /**
   * An open `Pool` of `pg`, what `postgres()` of postgres.js has returned, or a `PGlite`. The store never ends it.
   *
   * @example
   * ```ts
   * import { PostgresStore } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const store = new PostgresStore({ pool: new Pool({ connectionString: process.env.DATABASE_URL }) })
   * ```
   */
  pool: PostgresPool | PostgresJsSql | PGliteDatabase
  /**
   * The name of the table, 1 to 63 bytes, exactly as PostgreSQL shows it: the store quotes it. Default `'sessions'`.
   *
   * @example
   * ```ts
   * import { PostgresStore } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const store = new PostgresStore({ pool: new Pool(), table: 'web_sessions' })
   * ```
   */
  table?: string | undefined
  /**
   * The schema of the table, which must exist. By default, the `search_path` of the connection decides.
   *
   * @example
   * ```ts
   * import { PostgresStore } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const store = new PostgresStore({ pool: new Pool(), schema: 'shop' })
   * ```
   */
  schema?: string | undefined
  /**
   * Whether `migrate` makes the table unlogged. Then writes cost less, but a crash of the server ends every session, and
   * replicas have no sessions. By default, a new table is logged and an existing table stays as it is.
   *
   * @example
   * ```ts
   * import { PostgresStore } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const store = new PostgresStore({ pool: new Pool(), unlogged: true })
   * ```
   */
  unlogged?: boolean | undefined
  /**
   * Seconds between two searches for expired sessions; 0 turns them off. Default 3 600. The first search comes within 30 seconds
   * of the start, or within the interval if that is shorter.
   *
   * @example
   * ```ts
   * import { PostgresStore } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const store = new PostgresStore({ pool: new Pool(), pruneInterval: 600 })
   * ```
   */
  pruneInterval?: number | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { PostgresStore } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const store = new PostgresStore({ pool: new Pool(), clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/** The options as the store uses them. */
export interface PostgresSettings {
  readonly driver: Driver
  /** Quoted, with the schema. */
  readonly table: string
  readonly unlogged: boolean | undefined
  readonly pruneInterval: number
  readonly clock: () => number
}

/** Checks the options. Throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. */
export function readOptions(options: PostgresStoreOptions): PostgresSettings {
  assertKnown(options, ['pool', 'table', 'schema', 'unlogged', 'pruneInterval', 'clock'], 'PostgresStore')
  return {
    driver: toDriver(options.pool, 'PostgresStore'),
    table: readTable(options),
    unlogged: readOption(options.unlogged, undefined, 'unlogged', 'true or false', isBoolean),
    pruneInterval: readPruneInterval(options.pruneInterval),
    clock: readClock(options.clock)
  }
}

/** Returns the name of the table, quoted, with the schema. Throws `ERR_SESSION_OPTION_INVALID`. */
export function readTable(options: Pick<PostgresStoreOptions, 'table' | 'schema'>): string {
  const table = quote(readOption(options.table, 'sessions', 'table', NAME, isName))
  const schema = readOption(options.schema, undefined, 'schema', NAME, isName)
  return schema === undefined ? table : `${quote(schema)}.${table}`
}

const NAME = `a name of 1 to ${MAX_NAME_BYTES} bytes`

function isName(value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) return false
  const bytes = Buffer.from(value)
  // Lone surrogates have no UTF-8.
  return bytes.length <= MAX_NAME_BYTES && bytes.toString() === value
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}
