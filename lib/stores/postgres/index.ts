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
import { toMembers } from '../../data/json-members.ts'
import { InvalidOptionError } from '../../errors.ts'
import { PruneTimer } from '../prune-timer.ts'
import { Connections } from './connections.ts'
import type { Driver, Query, Statement } from './driver.ts'
import type { PostgresStoreOptions } from './options.ts'
import { readOptions } from './options.ts'
import type { Row } from './record.ts'
import { toArray, toData, toName, toRecord } from './record.ts'
import type { Statements } from './statements.ts'
import { writeStatements } from './statements.ts'
import type { Inspection } from './table.ts'
import { COLUMNS, COMMENT, INSPECT, migrationsFrom, readVersion } from './table.ts'

export type {
  PGliteDatabase,
  PGliteRunner,
  PostgresClient,
  PostgresJsRunner,
  PostgresJsSql,
  PostgresPool,
  PostgresResult
} from './clients.ts'
export type { PostgresStoreOptions } from './options.ts'
export type { PostgresRevocationsOptions } from './revocations.ts'
export { PostgresRevocations } from './revocations.ts'

const PRUNE_BATCH = 1000
const REMOVAL_BATCH = 5000

/** What `createWithin` returns. */
interface Admission {
  readonly outcome: 'created' | 'exists' | 'over-limit'
  /** The keys of those that made room, as JSON. */
  readonly evicted: string | null
}

/**
 * Keeps sessions in a table of PostgreSQL, for applications of several processes that already use PostgreSQL. The store does
 * not create the table by itself: call `migrate()` when you deploy, or before the application listens.
 *
 * Every method is one statement, except a login with `maxPerOwner`, which is a short transaction.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. The methods throw the errors of the
 * client, and `ERR_SESSION_STORE_UNAVAILABLE` if the table is missing or outdated.
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
  readonly #driver: Driver
  readonly #connections: Connections
  /** Quoted, with the schema. */
  readonly #table: string
  readonly #unlogged: boolean | undefined
  readonly #clock: () => number
  readonly #sql: Statements
  readonly #timer: PruneTimer

  constructor(options: PostgresStoreOptions) {
    const { driver, table, unlogged, clock, pruneInterval } = readOptions(options)
    this.#driver = driver
    this.#connections = new Connections(driver, table)
    this.#table = table
    this.#unlogged = unlogged
    this.#clock = clock
    this.#sql = writeStatements(table)
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
    const { json, createdAt, lastSeenAt, permanent, ownerId, description, extensions } = record
    const facts = [createdAt, lastSeenAt, permanent, ownerId, description, extensions, expiresAt]
    const values = [key, toData(toMembers(json)), ...facts]
    if (ownerId === undefined || limit === undefined) {
      const { rowCount } = await this.#connections.write(this.#sql.create, [...values, this.#now()], call)
      return rowCount === 1
    }
    const lock = { text: this.#sql.lockOwner, values: [ownerId, this.#table] }
    const all = [...values, this.#now(), limit.max, limit.evict, call?.replacing]
    const write = (until: number): Statement => ({ text: this.#sql.createWithin, values: [...all, until] })
    const { rows } = await this.#connections.locked(lock, write, call)
    const [{ outcome, evicted }] = rows as [Admission]
    for (const other of JSON.parse(evicted ?? '[]')) call?.evicted?.(other, ownerId)
    return outcome === 'over-limit' ? outcome : outcome === 'created'
  }

  async load(key: string): Promise<StoredRecord | undefined> {
    const { rows } = await this.#connections.query(this.#sql.load, [key, this.#now()])
    return (rows as Row[]).map(toRecord)[0]
  }

  async commit(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    version?: number,
    call?: StoreCall
  ): Promise<CommitResult> {
    const set = toData(Object.entries(changes.set))
    const unset = toArray(changes.unset.map(toName))
    const { permanent, lastSeenAt, extensions } = changes
    const values = [key, set, unset, expiresAt, permanent, lastSeenAt, extensions, this.#now()]
    if (version === undefined) {
      const { rowCount } = await this.#connections.write(this.#sql.commit, values, call)
      return rowCount === 1 ? 'committed' : 'gone'
    }
    const { rows } = await this.#connections.write(this.#sql.commitVersion, [...values, version], call)
    return (rows as [{ result: CommitResult }])[0].result
  }

  async touch(key: string, expiresAt: number, lastSeenAt?: number, call?: StoreCall): Promise<boolean> {
    const values = [key, expiresAt, lastSeenAt, this.#now()]
    const { rowCount } = await this.#connections.write(this.#sql.touch, values, call)
    return rowCount === 1
  }

  async destroy(key: string, call?: StoreCall): Promise<void> {
    await this.#connections.query(this.#sql.destroy, [key], call)
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    const { rows } = await this.#connections.query(this.#sql.list, [ownerId, this.#now()])
    return (rows as Row[]).map(toRecord)
  }

  async destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): Promise<number> {
    const values = [ownerId, exceptKey, this.#now()]
    const { rowCount } = await this.#connections.write(this.#sql.destroyAll, values, call)
    return Number(rowCount)
  }

  /** Counts in one step, by one statement, which reads the whole table. */
  async count(): Promise<StoreStep<number>> {
    const { rows } = await this.#connections.query(this.#sql.count, [this.#now()])
    return { found: Number((rows as [{ sessions: string }])[0].sessions), next: undefined }
  }

  /** In the order of the keys. A cursor is the key of the last session. */
  async entries(cursor: string | undefined, limit: number): Promise<StoreStep<StoredRecord[]>> {
    const { rows } = await this.#connections.query(this.#sql.entries, [cursor ?? '', this.#now(), limit])
    const found = (rows as Row[]).map(toRecord)
    return { found, next: found.length < limit ? undefined : found.at(-1)?.key }
  }

  /** Removes 5000 rows in one step, in the order of the keys. A cursor is the last of them. */
  async destroyEverything(cursor?: string, call?: StoreCall): Promise<StoreStep<number>> {
    const { rows } = await this.#connections.write(this.#sql.destroyEverything, [cursor ?? '', REMOVAL_BATCH], call)
    const removed = rows as { key: string }[]
    // The keys are of ASCII, so that this order is that of the index.
    const last = removed
      .map(({ key }) => key)
      .sort()
      .at(-1)
    return { found: removed.length, next: last }
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
    await this.#connections.transact(async (query) => {
      await query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [COMMENT])
      const version = readVersion(this.#table, await this.#inspect(query))
      for (const statement of migrationsFrom(version, this.#table)) await query(statement)
      // The table exists now.
      const { missing, unlogged } = (await this.#inspect(query)) as Inspection
      if (missing !== '') throw new InvalidOptionError(`The table ${this.#table} lacks columns: ${missing}.`)
      if (this.#unlogged !== undefined && this.#unlogged !== unlogged) {
        await query(`ALTER TABLE ${this.#table} SET ${this.#unlogged ? 'UNLOGGED' : 'LOGGED'}`)
      }
    })
  }

  /**
   * Removes expired sessions, up to 1000 in one statement, unless another process is just doing that. Returns how many it
   * removed. The store calls it soon after the start and then every `pruneInterval` seconds; call it yourself, for example from a
   * cron job, if you have turned that off.
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
      const { rowCount } = await this.#connections.query(this.#sql.prune, [this.#now(), PRUNE_BATCH, this.#table])
      pruned += Number(rowCount)
      if (Number(rowCount) < PRUNE_BATCH) return pruned
    }
  }

  async publish(message: string): Promise<void> {
    await this.#connections.query(this.#sql.publish, [message])
  }

  /**
   * Takes one connection of a pool of `pg`, as long as it listens; postgres.js opens one more for all that listens. Not through
   * PgBouncer in transaction mode.
   */
  listen(onMessage: (message: string) => void, onLost: () => void): Promise<() => void> {
    return this.#driver.hear(this.#sql.channel, onMessage, onLost)
  }

  /** Stops pruning. The pool stays open, and the store remains usable. */
  async close(): Promise<void> {
    this.#timer.stop()
  }

  async #inspect(query: Query): Promise<Inspection | undefined> {
    const columns = COLUMNS.map(([name, type]) => `${name} ${type}`)
    const { rows } = await query(INSPECT, [this.#table, toArray(columns)])
    return (rows as Inspection[])[0]
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}
