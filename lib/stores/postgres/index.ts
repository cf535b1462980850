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

const HOUR = 3600
/** PostgreSQL cuts longer names off, and two tables would become one (NAMEDATALEN - 1). */
const MAX_NAME_BYTES = 63
const PRUNE_BATCH = 1000

/** What this store reads of the result of a query. */
export interface PostgresResult {
  readonly rows: readonly unknown[]
  readonly rowCount: number | null
}

/** What this store uses of a connection of a `Pool` of `pg`. */
export interface PostgresClient {
  query(text: string, values?: unknown[]): Promise<PostgresResult>
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
  release(destroy?: boolean): void
}

/** What this store uses of a `Pool` of `pg`. */
export interface PostgresPool {
  query(text: string, values?: unknown[]): Promise<PostgresResult>
  connect(): Promise<PostgresClient>
}

/** The options of a `PostgresStore`. */
export interface PostgresStoreOptions {
  /** A `Pool` of `pg`. It stays yours: the store never ends it. */
  pool: PostgresPool
  /** The name of the table, as it is: it is quoted. Default `'sessions'`. */
  table?: string
  /** The schema of the table, which must exist. Default: none, so that the `search_path` of the connection decides. */
  schema?: string
  /**
   * Whether `migrate` makes the table an unlogged one: writes cost less, a crash of the server ends every session, and replicas
   * have none. Default: a new table is logged, and one that exists stays what it is.
   */
  unlogged?: boolean
  /** Seconds between two searches for expired sessions; 0 for none. Default 3 600. */
  pruneInterval?: number
  /** The time in milliseconds since 1970. For tests. Default `Date.now`. */
  clock?: () => number
}

/** The columns of a record, as `record` of the statements gives them: a bigint may come as text. */
interface Row {
  readonly key: string
  readonly data: string
  readonly createdAt: number | string
  readonly lastSeenAt: number | string
  readonly permanent: boolean
  readonly ownerId: string | null
  readonly description: string | null
  readonly expiresAt: number | string
  readonly version: number
}

/** What `migrate` finds. */
interface Inspection {
  readonly comment: string | null
  readonly unlogged: boolean
  /** Columns that should be there, with their types. */
  readonly missing: string
}

type Statements = Readonly<
  Record<
    | 'create'
    | 'lockOwner'
    | 'createWithin'
    | 'load'
    | 'commit'
    | 'commitVersion'
    | 'touch'
    | 'destroy'
    | 'list'
    | 'destroyAll'
    | 'prune',
    string
  >
>

/**
 * Keeps sessions in a table of PostgreSQL, for applications of several processes that have such a server already. The store
 * makes no table by itself: call `migrate()` when you deploy, or before you listen.
 *
 * Every method is one statement, but for a login with `maxPerOwner`, which is a short transaction.
 *
 * Throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. Its methods throw what `pg` throws, and
 * `ERR_SESSION_STORE_UNAVAILABLE` where the table is missing.
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
  /** Quoted. */
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
    // Two statements, since the second must see what others did while the first one waited for them: a statement sees what was
    // committed before it began, so one that both waits and counts would count too few.
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
   * Creates the table, or brings it to the version of this package. Does nothing to one that is up to date, and may be called by
   * several processes at once. The role needs the right to create tables in the schema, for this only.
   *
   * Throws `ERR_SESSION_OPTION_INVALID` if there is a table of that name that is not this store's, and changes nothing.
   */
  async migrate(): Promise<void> {
    await this.#transact(async (client) => {
      await client.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [COMMENT])
      const version = readVersion(this.#table, await this.#inspect(client))
      for (const write of MIGRATIONS.slice(version)) await client.query(write(this.#table))
      if (version < MIGRATIONS.length) {
        await client.query(`COMMENT ON TABLE ${this.#table} IS '${COMMENT} ${MIGRATIONS.length}'`)
      }
      // It exists by now.
      const { missing, unlogged } = (await this.#inspect(client)) as Inspection
      if (missing !== '') throw new InvalidOptionError(`The table ${this.#table} has another shape: no ${missing}.`)
      if (this.#unlogged !== undefined && this.#unlogged !== unlogged) {
        await client.query(`ALTER TABLE ${this.#table} SET ${this.#unlogged ? 'UNLOGGED' : 'LOGGED'}`)
      }
    })
  }

  /** Removes what has expired, in small steps. How many there were. */
  async prune(): Promise<number> {
    let pruned = 0
    for (;;) {
      const { rowCount } = await this.#query(this.#sql.prune, [this.#now(), PRUNE_BATCH])
      pruned += Number(rowCount)
      if (Number(rowCount) < PRUNE_BATCH) return pruned
    }
  }

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
    // A connection that breaks between two queries says so by an event, which ends the process if nobody listens. The next
    // query fails as well.
    client.on('error', ignore)
    try {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      const result = await run(client)
      await client.query('COMMIT')
      client.removeListener('error', ignore)
      client.release()
      return result
    } catch (error) {
      // Without its connection a transaction is rolled back, in whatever state it is.
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
    const message = `The table ${this.#table} is missing, or was made by an earlier version. Call migrate() of the PostgresStore once, when you deploy or before you listen.`
    return Object.assign(new StoreUnavailableError(message), { cause: error })
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}

const UNDEFINED_TABLE = '42P01'
const UNDEFINED_COLUMN = '42703'

/** How the comment of the table begins; the version follows. */
const COMMENT = 'fastify-typed-session'

const COLUMNS: readonly (readonly [name: string, type: string, rest: string])[] = [
  // Compared byte by byte: an upgrade of the system's collations does not break the indexes.
  ['key', 'text', 'COLLATE "C" PRIMARY KEY'],
  ['created_at', 'bigint', 'NOT NULL'],
  ['last_seen_at', 'bigint', 'NOT NULL'],
  ['expires_at', 'bigint', 'NOT NULL'],
  // What is indexed in the place of expires_at: it seldom changes, and an update that changes no indexed column need not write
  // to any index (a heap-only tuple).
  ['expires_hour', 'bigint', `NOT NULL GENERATED ALWAYS AS (expires_at / ${HOUR}) STORED`],
  ['version', 'integer', 'NOT NULL'],
  ['permanent', 'boolean', 'NOT NULL'],
  ['owner_id', 'text', 'COLLATE "C"'],
  ['description', 'text', ''],
  ['data', 'jsonb', 'NOT NULL']
]

/** What leads from each version of the table to the next. What was published is never edited; what is new is appended. */
const MIGRATIONS: readonly ((table: string) => string)[] = [
  (table) => `
    CREATE TABLE ${table} (${COLUMNS.map((column) => column.join(' ')).join(', ')})
      WITH (fillfactor = 90);
    CREATE INDEX ON ${table} (expires_hour);
    CREATE INDEX ON ${table} (owner_id) WHERE owner_id IS NOT NULL`
]

const INSPECT = `
  SELECT obj_description(oid, 'pg_class') AS comment, relpersistence = 'u' AS unlogged, array_to_string(ARRAY(
    SELECT unnest($2::text[])
    EXCEPT
    SELECT attname || ' ' || format_type(atttypid, NULL) FROM pg_attribute
      WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
  ), ', ') AS missing
  FROM pg_class WHERE oid = to_regclass($1)`

/** The version of a table; 0 if there is none. */
function readVersion(table: string, found: Inspection | undefined): number {
  if (found === undefined) return 0
  const version = new RegExp(`^${COMMENT} (\\d+)$`).exec(found.comment ?? '')?.[1]
  if (version === undefined) {
    throw new InvalidOptionError(
      `There is a table ${table} that PostgresStore did not make: its comment is not '${COMMENT} ${MIGRATIONS.length}'. Set the option table to another name.`
    )
  }
  if (Number(version) > MIGRATIONS.length) {
    throw new InvalidOptionError(
      `The table ${table} has version ${version}; this version of the package knows ${MIGRATIONS.length}. Update the package.`
    )
  }
  return Number(version)
}

/**
 * The statements. They are right at READ COMMITTED, the default of PostgreSQL, where an UPDATE that had to wait for another
 * looks at the row again before it writes.
 *
 * None can deadlock: a statement for one key holds one row and waits for no second one, those that remove several rows of an
 * owner lock them in the order of their keys, and `prune` waits for nobody.
 */
function writeStatements(table: string): Statements {
  const record = `key, data::text AS data, created_at AS "createdAt", last_seen_at AS "lastSeenAt", permanent, owner_id AS "ownerId",
    description, expires_at AS "expiresAt", version`
  const insert = `INSERT INTO ${table} AS old
    (key, data, created_at, last_seen_at, permanent, owner_id, description, expires_at, version)`
  const values = `$1::text, $2::jsonb, $3::bigint, $4::bigint, $5::boolean, $6::text, $7::text, $8::bigint, 0`
  // The key of an expired record is free.
  const orReplace = `ON CONFLICT (key) DO UPDATE SET data = EXCLUDED.data, created_at = EXCLUDED.created_at,
    last_seen_at = EXCLUDED.last_seen_at, permanent = EXCLUDED.permanent, owner_id = EXCLUDED.owner_id,
    description = EXCLUDED.description, expires_at = EXCLUDED.expires_at, version = 0
    WHERE old.expires_at < $9::bigint`
  const update = `UPDATE ${table} SET data = (data - $3::text[]) || $2::jsonb, version = version + 1,
    expires_at = $4::bigint, permanent = coalesce($5::boolean, permanent), last_seen_at = coalesce($6::bigint, last_seen_at)
    WHERE key = $1::text AND expires_at >= $7::bigint`
  return {
    create: `${insert} VALUES (${values}) ${orReplace}`,
    // The table is a part of what is locked: two stores in one database do not wait for each other.
    lockOwner: `SELECT pg_advisory_xact_lock(hashtextextended($1, coalesce(to_regclass($2)::oid::bigint, 0)))`,
    createWithin: `
      WITH others AS (
        SELECT key, row_number() OVER (ORDER BY created_at DESC, last_seen_at DESC, key) AS place FROM ${table}
        WHERE owner_id = $6::text AND expires_at >= $9::bigint AND key <> $1::text AND key IS DISTINCT FROM $12::text
      ), created AS (
        ${insert} SELECT ${values} WHERE $11::boolean OR (SELECT count(*) FROM others) < $10::bigint
        ${orReplace} RETURNING 1
      ), doomed AS (
        SELECT key FROM ${table}
        WHERE EXISTS (SELECT FROM created) AND key IN (SELECT key FROM others WHERE place >= $10::bigint)
        ORDER BY key FOR UPDATE
      ), evicted AS (
        DELETE FROM ${table} AS old USING doomed WHERE old.key = doomed.key
      )
      SELECT CASE
        WHEN EXISTS (SELECT FROM created) THEN 'created'
        WHEN NOT $11::boolean AND (SELECT count(*) FROM others) >= $10::bigint
          AND NOT EXISTS (SELECT FROM ${table} WHERE key = $1::text AND expires_at >= $9::bigint) THEN 'over-limit'
        ELSE 'exists' END AS outcome`,
    load: `SELECT ${record} FROM ${table} WHERE key = $1 AND expires_at >= $2`,
    commit: update,
    // Apart from `commit`, since it takes three times as long to plan. The lock of `found` makes it look at the newest version
    // of the row: without it a record that was destroyed while the update waited would count as a conflict.
    commitVersion: `
      WITH written AS (
        ${update} AND version = $8::integer RETURNING 1
      ), found AS (
        SELECT 1 FROM ${table}
        WHERE key = $1::text AND expires_at >= $7::bigint AND NOT EXISTS (SELECT FROM written) FOR NO KEY UPDATE
      )
      SELECT CASE
        WHEN EXISTS (SELECT FROM written) THEN 'committed'
        WHEN EXISTS (SELECT FROM found) THEN 'conflict'
        ELSE 'gone' END AS result`,
    touch: `UPDATE ${table} SET expires_at = $2::bigint, last_seen_at = coalesce($3::bigint, last_seen_at)
      WHERE key = $1 AND expires_at >= $4`,
    destroy: `DELETE FROM ${table} WHERE key = $1`,
    list: `SELECT ${record} FROM ${table} WHERE owner_id = $1 AND expires_at >= $2`,
    destroyAll: `
      WITH doomed AS (
        SELECT key FROM ${table} WHERE owner_id = $1 AND key IS DISTINCT FROM $2 AND expires_at >= $3
        ORDER BY key FOR UPDATE
      )
      DELETE FROM ${table} AS old USING doomed WHERE old.key = doomed.key`,
    prune: `
      WITH doomed AS (
        SELECT key FROM ${table} WHERE expires_hour <= $1::bigint / ${HOUR} AND expires_at < $1::bigint
        ORDER BY expires_hour LIMIT $2 FOR UPDATE SKIP LOCKED
      )
      DELETE FROM ${table} AS old USING doomed WHERE old.key = doomed.key`
  }
}

/**
 * Members as the column has them: under each name its JSON as text. As real jsonb the keys inside a value would change their
 * order, and U+0000 and lone surrogates, which JavaScript allows, would be refused.
 */
function toData(members: Iterable<readonly [name: string, text: string]>): string {
  return `{${Array.from(members, ([name, text]) => `${JSON.stringify(toName(name))}:${JSON.stringify(text)}`).join(',')}}`
}

/** The name of a member as JSON has it between the quotation marks, for the same reason. */
function toName(name: string): string {
  return JSON.stringify(name).slice(1, -1)
}

function toRecord(row: Row): StoredRecord {
  const members: Record<string, string> = JSON.parse(row.data)
  return {
    key: row.key,
    json: `{${Object.entries(members)
      .map(([name, text]) => `"${name}":${text}`)
      .join(',')}}`,
    createdAt: Number(row.createdAt),
    lastSeenAt: Number(row.lastSeenAt),
    permanent: row.permanent,
    ownerId: row.ownerId ?? undefined,
    description: row.description ?? undefined,
    expiresAt: Number(row.expiresAt),
    version: row.version
  }
}

function takePool(pool: PostgresPool): PostgresPool {
  const methods = Object(pool) as Record<string, unknown>
  if (isFunction(methods.query) && isFunction(methods.connect)) return pool
  // Without what came: a connection string has a password in it.
  throw new InvalidOptionError('The option pool must be a Pool of pg: new PostgresStore({ pool: new pg.Pool() }).')
}

const NAME = `a name of 1 to ${MAX_NAME_BYTES} bytes`

function isName(value: unknown): boolean {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) return false
  const bytes = Buffer.from(value)
  // Lone surrogates do not survive the way to the server.
  return bytes.length <= MAX_NAME_BYTES && bytes.toString() === value
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function ignore(): void {}
