import type {
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoredRecord
} from '../../../types/store.ts'
import { toMembers } from '../../data/json-members.ts'
import { InvalidOptionError, StoreUnavailableError } from '../../errors.ts'
import { assertKnown, isBoolean, isFunction, readClock, readOption, readPruneInterval } from '../../util/check.ts'
import { PruneTimer } from '../prune-timer.ts'
import type { Row } from './record.ts'
import { toData, toName, toRecord } from './record.ts'
import type { Statements } from './statements.ts'
import { writeStatements } from './statements.ts'
import type { Inspection } from './table.ts'
import { COLUMNS, COMMENT, INSPECT, MIGRATIONS, readVersion } from './table.ts'

/** PostgreSQL truncates longer names (NAMEDATALEN - 1), which could make two tables one. */
const MAX_NAME_BYTES = 63
const PRUNE_BATCH = 1000

/** The part of a query's result that the store reads. */
export interface PostgresResult {
  readonly rows: readonly unknown[]
  readonly rowCount: number | null
}

/** The part of a connection of a `Pool` of `pg` that the store uses. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<PostgresResult>
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
  release(destroy?: boolean): void
}

/** The part of a `Pool` of `pg` that the store uses. */
export interface PostgresPool {
  query(text: string, values?: unknown[]): Promise<PostgresResult>
  connect(): Promise<PostgresClient>
}

/** The options of a `PostgresStore`. */
export interface PostgresStoreOptions {
  /**
   * An open `Pool` of `pg`. The store never ends it.
   *
   * @example
   * ```ts
   * import { PostgresStore } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const store = new PostgresStore({ pool: new Pool({ connectionString: process.env.DATABASE_URL }) })
   * ```
   */
  pool: PostgresPool
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
   * Seconds between two searches for expired sessions; 0 turns them off. Default 3 600.
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

/**
 * Keeps sessions in a table of PostgreSQL, for applications of several processes that already use PostgreSQL. The store does
 * not create the table by itself: call `migrate()` when you deploy, or before the application listens.
 *
 * Every method is one statement, except a login with `maxPerOwner`, which is a short transaction.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. The methods throw the errors of `pg`,
 * and `ERR_SESSION_STORE_UNAVAILABLE` if the table is missing or outdated.
 *
 * @example
 * ```ts
 * import pg from 'pg'
 *
 * const store = new PostgresStore({ pool: new pg.Pool({ connectionString: process.env.DATABASE_URL }) })
 * await store.migrate()
 * await app.register(session, { secret: process.env.SESSION_SECRET, store })
 * ```
 */
export class PostgresStore implements SessionStore {
  readonly #pool: PostgresPool
  /** Quoted, with the schema. */
  readonly #table: string
  readonly #unlogged: boolean | undefined
  readonly #clock: () => number
  readonly #sql: Statements
  readonly #timer: PruneTimer

  constructor(options: PostgresStoreOptions) {
    assertKnown(options, ['pool', 'table', 'schema', 'unlogged', 'pruneInterval', 'clock'], 'PostgresStore')
    this.#pool = takePool(options.pool)
    const table = quote(readOption(options.table, 'sessions', 'table', NAME, isName))
    const schema = readOption(options.schema, undefined, 'schema', NAME, isName)
    this.#table = schema === undefined ? table : `${quote(schema)}.${table}`
    this.#unlogged = readOption(options.unlogged, undefined, 'unlogged', 'true or false', isBoolean)
    this.#clock = readClock(options.clock)
    this.#sql = writeStatements(this.#table)
    const interval = readPruneInterval(options.pruneInterval)
    this.#timer = new PruneTimer(interval, () => this.prune())
  }

  async create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit): Promise<CreateResult> {
    this.#timer.start()
    const { json, createdAt, lastSeenAt, permanent, ownerId, description } = record
    const values = [key, toData(toMembers(json)), createdAt, lastSeenAt, permanent, ownerId, description, expiresAt]
    if (ownerId === undefined || limit === undefined) {
      const { rowCount } = await this.#query(this.#sql.create, [...values, this.#now()])
      return rowCount === 1
    }
    return this.#transact(async (client) => {
      await client.query(this.#sql.lockOwner, [ownerId, this.#table])
      const all = [...values, this.#now(), limit.max, limit.evict, limit.replacing]
      const { rows } = await client.query(this.#sql.createWithin, all)
      const [{ outcome }] = rows as [{ outcome: 'created' | 'exists' | 'over-limit' }]
      return outcome === 'over-limit' ? outcome : outcome === 'created'
    })
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const { rows } = await this.#query(this.#sql.load, [key, this.#now()])
    return (rows as Row[]).map(toRecord)[0]
  }

  async commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): Promise<CommitResult> {
    const set = toData(Object.entries(changes.set))
    const unset = changes.unset.map(toName)
    const values = [key, set, unset, expiresAt, changes.permanent, changes.lastSeenAt, this.#now()]
    if (version === undefined) {
      const { rowCount } = await this.#query(this.#sql.commit, values)
      return rowCount === 1 ? 'committed' : 'gone'
    }
    const { rows } = await this.#query(this.#sql.commitVersion, [...values, version])
    return (rows as [{ result: CommitResult }])[0].result
  }

  async touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    const { rowCount } = await this.#query(this.#sql.touch, [key, expiresAt, lastSeenAt, this.#now()])
    return rowCount === 1
  }

  async destroy(key: string): Promise<void> {
    await this.#query(this.#sql.destroy, [key])
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    const { rows } = await this.#query(this.#sql.list, [ownerId, this.#now()])
    return (rows as Row[]).map(toRecord)
  }

  async destroyAll(ownerId: string, exceptKey?: string): Promise<number> {
    const { rowCount } = await this.#query(this.#sql.destroyAll, [ownerId, exceptKey, this.#now()])
    return Number(rowCount)
  }

  /**
   * Creates the table, or updates it to the version of this package. Does nothing if the table is up to date. Call it when you
   * deploy, or before the application listens; several processes may call it at once. Only this method needs the right to
   * create tables in the schema.
   *
   * Throws `ERR_SESSION_OPTION_INVALID`, and changes nothing, if another table has the name.
   *
   * @example
   * ```ts
   * import pg from 'pg'
   *
   * const store = new PostgresStore({ pool: new pg.Pool() })
   * await store.migrate()
   * ```
   */
  async migrate(): Promise<void> {
    await this.#transact(async (client) => {
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [COMMENT])
      const version = readVersion(this.#table, await this.#inspect(client))
      for (const write of MIGRATIONS.slice(version)) await client.query(write(this.#table))
      if (version < MIGRATIONS.length) {
        await client.query(`COMMENT ON TABLE ${this.#table} IS '${COMMENT} ${MIGRATIONS.length}'`)
      }
      // The table exists now.
      const { missing, unlogged } = (await this.#inspect(client)) as Inspection
      if (missing !== '') throw new InvalidOptionError(`The table ${this.#table} lacks columns: ${missing}.`)
      if (this.#unlogged !== undefined && this.#unlogged !== unlogged) {
        await client.query(`ALTER TABLE ${this.#table} SET ${this.#unlogged ? 'UNLOGGED' : 'LOGGED'}`)
      }
    })
  }

  /**
   * Removes expired sessions, up to 1000 in one statement. Returns how many it removed. The store calls it every
   * `pruneInterval` seconds; call it yourself, for example from a cron job, if you have turned that off.
   *
   * @example
   * ```ts
   * import { PostgresStore } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const store = new PostgresStore({ pool: new Pool(), pruneInterval: 0 })
   * console.log(`${await store.prune()} sessions removed`)
   * ```
   */
  async prune(): Promise<number> {
    let pruned = 0
    for (;;) {
      const { rowCount } = await this.#query(this.#sql.prune, [this.#now(), PRUNE_BATCH])
      pruned += Number(rowCount)
      if (Number(rowCount) < PRUNE_BATCH) return pruned
    }
  }

  /** Stops pruning. The pool stays open, and the store remains usable. */
  async close(): Promise<void> {
    this.#timer.stop()
  }

  async #query(text: string, values: unknown[]): Promise<PostgresResult> {
    try {
      return await this.#pool.query(text, values)
    } catch (error) {
      throw this.#explain(error)
    }
  }

  async #transact<T>(run: (client: PostgresClient) => Promise<T>): Promise<T> {
    const client = await this.#pool.connect()
    // A connection that breaks between two queries emits an event, which ends the process if it has no listener. The next query
    // reports the failure.
    client.on('error', ignore)
    try {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      const result = await run(client)
      await client.query('COMMIT')
      client.removeListener('error', ignore)
      client.release()
      return result
    } catch (error) {
      // PostgreSQL rolls a transaction back when its connection ends, whatever state it is in.
      client.release(true)
      throw this.#explain(error)
    }
  }

  async #inspect(client: PostgresClient): Promise<Inspection | undefined> {
    const { rows } = await client.query(INSPECT, [this.#table, COLUMNS.map(([name, type]) => `${name} ${type}`)])
    return (rows as Inspection[])[0]
  }

  #explain(error: unknown): unknown {
    const { code } = Object(error) as { code?: unknown }
    if (code !== UNDEFINED_TABLE && code !== UNDEFINED_COLUMN) return error
    const message = `The table ${this.#table} is missing, or an earlier version of the package created it. Call migrate() of the PostgresStore when you deploy, or before the application listens.`
    return Object.assign(new StoreUnavailableError(message), { cause: error })
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}

const UNDEFINED_TABLE = '42P01'
const UNDEFINED_COLUMN = '42703'

function takePool(pool: PostgresPool): PostgresPool {
  const methods = Object(pool) as Record<string, unknown>
  if (isFunction(methods.query) && isFunction(methods.connect)) return pool
  // The message does not show the value: a connection string contains a password.
  throw new InvalidOptionError('The option pool must be a Pool of pg: new PostgresStore({ pool: new pg.Pool() }).')
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

function ignore(): void {}
