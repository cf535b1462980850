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
import { InvalidOptionError } from '../../errors.ts'
import { admission } from '../admission.ts'
import { PruneTimer } from '../prune-timer.ts'
import { Connections, OvertakenError, secondsLeft } from './connections.ts'
import type { MySqlStoreOptions, TableName } from './options.ts'
import { quoteTable, readOptions } from './options.ts'
import type { Row } from './record.ts'
import { toRecord } from './record.ts'
import { abandonedBefore, newReservation } from './reservation.ts'
import type { Session, Value } from './session.ts'
import type { Statements } from './statements.ts'
import { CONFLICT, DONE, PRUNE_BATCH, writeStatements } from './statements.ts'
import { INSPECT, INSPECT_COLUMNS, migrationsFrom, missingFrom, readVersion } from './table.ts'

export type { MySqlConnection, MySqlPool, MySqlStatement, MySqlStoreOptions } from './options.ts'
export type { MySqlRevocationsOptions } from './revocations.ts'
export { MySqlRevocations } from './revocations.ts'

/** For how many seconds `migrate` waits for another process that migrates. */
const MIGRATION = 600

interface Admission {
  readonly result: CreateResult
  /** The keys of those that made room. */
  readonly evicted: readonly string[]
}

/**
 * Keeps sessions in a table of MariaDB or MySQL, for applications of several processes that already use one. The store does not create the
 * table by itself: call `migrate()` when you deploy, or before the application listens.
 *
 * Every method is one statement, except `create` and `commit`: two, and five for a login with `maxPerOwner`.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. The methods throw the errors of `mysql2`,
 * and `ERR_SESSION_STORE_UNAVAILABLE` if the table is missing or outdated, or the settings of a connection do not fit.
 *
 * @example
 * ```ts
 * import { MySqlStore } from 'fastify-typed-session/stores/mysql'
 * import { createPool } from 'mysql2/promise'
 *
 * const store = new MySqlStore({ pool: createPool('mysql://root@127.0.0.1:3306/test') })
 * await store.migrate()
 * await app.register(session, { secret: process.env.SESSION_SECRET, store })
 * ```
 */
export class MySqlStore implements SessionStore {
  readonly #connections: Connections
  readonly #table: TableName
  readonly #clock: () => number
  readonly #sql: Statements
  readonly #timer: PruneTimer

  constructor(options: MySqlStoreOptions) {
    const { pool, table, schema, clock, pruneInterval } = readOptions(options)
    this.#table = { table, schema }
    this.#connections = new Connections(pool, this.#table)
    this.#clock = clock
    this.#sql = writeStatements(quoteTable(this.#table))
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
    const { ownerId } = record
    const add = (session: Session, until: number, evicted: readonly string[]): Promise<boolean> =>
      this.#add(session, key, record, expiresAt, evicted, until)
    if (ownerId === undefined || limit === undefined) {
      return this.#connections.run(key, call, (session, until) => add(session, until, []))
    }
    const admit = async (session: Session, until: number): Promise<Admission> => {
      const now = this.#now()
      const { rows } = await session.run(this.#sql.candidates, [ownerId, now, key, now])
      const live = rows as readonly Pick<StoredRecord, 'key' | 'createdAt'>[]
      if (live.some((other) => other.key === key)) return { result: false, evicted: [] }
      const surplus = admission(live, limit, call?.replacing)
      if (surplus === 'refuse') return { result: 'over-limit', evicted: [] }
      const evicted = surplus.map((other) => other.key)
      return { result: await add(session, until, evicted), evicted }
    }
    const admitted = await this.#connections.locked(`owner/${ownerId}`, secondsLeft(call), call, admit)
    if (admitted === undefined) throw new Error('Another login of the same owner took too long. Nothing was written.')
    for (const other of admitted.evicted) call?.evicted?.(other, ownerId)
    return admitted.result
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
    const now = this.#now()
    const attempt = async (session: Session, until: number): Promise<CommitResult> => {
      const [found] = (await session.run(this.#sql.read, [key, now])).rows as readonly Pick<Row, 'data' | 'version'>[]
      if (found === undefined) return 'gone'
      if (version !== undefined && version !== Number(found.version)) return 'conflict'
      const { permanent, lastSeenAt, extensions } = changes
      const facts = [applyChanges(found.data, changes), expiresAt, toNumber(permanent), lastSeenAt, extensions]
      const { insertId } = await session.run(this.#sql.commit, [...facts, key, until, now, found.version])
      if (insertId === DONE) return 'committed'
      if (insertId !== CONFLICT) return 'gone'
      if (version === undefined) throw new OvertakenError('Other changes of the session kept coming before this one.')
      return 'conflict'
    }
    return this.#connections.run(key, call, attempt)
  }

  async touch(key: string, expiresAt: number, lastSeenAt?: number, call?: StoreCall): Promise<boolean> {
    const values = (until: number): Value[] => [expiresAt, lastSeenAt, key, until, this.#now()]
    const { insertId } = await this.#connections.write(key, this.#sql.touch, values, call)
    return insertId === DONE
  }

  async destroy(key: string, call?: StoreCall): Promise<void> {
    await this.#connections.query(this.#sql.destroy, [key], call)
  }

  async list(ownerId: string): Promise<StoredRecord[]> {
    const { rows } = await this.#connections.query(this.#sql.list, [ownerId, this.#now()])
    return (rows as Row[]).map(toRecord)
  }

  async destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): Promise<number> {
    const values = (until: number): Value[] => [ownerId, exceptKey, this.#now(), until]
    const { affectedRows } = await this.#connections.write(ownerId, this.#sql.destroyAll, values, call)
    return affectedRows
  }

  /** Counts in one step, by one statement, which reads the whole table. */
  async count(): Promise<StoreStep<number>> {
    const { rows } = await this.#connections.query(this.#sql.count, [this.#now()])
    return { found: Number((rows as [{ sessions: number | string }])[0].sessions), next: undefined }
  }

  /** In the order of the keys. A cursor is the key of the last session. */
  async entries(cursor: string | undefined, limit: number): Promise<StoreStep<StoredRecord[]>> {
    const { rows } = await this.#connections.query(this.#sql.entries(limit), [cursor ?? '', this.#now()])
    const found = (rows as Row[]).map(toRecord)
    return { found, next: found.length < limit ? undefined : found.at(-1)?.key }
  }

  /** Removes 1000 rows in one step. */
  async destroyEverything(_cursor?: string, call?: StoreCall): Promise<StoreStep<number>> {
    const sql = this.#sql.destroyEverything
    const { affectedRows } = await this.#connections.write('everything', sql, (until) => [until], call)
    return { found: affectedRows, next: affectedRows < PRUNE_BATCH ? undefined : 'more' }
  }

  /**
   * Creates the table, or updates it to the version of this package. Does nothing if the table is up to date. Call it when you
   * deploy, or before the application listens; several processes may call it at once. Only this method needs the right to
   * create tables.
   *
   * Throws `ERR_SESSION_OPTION_INVALID`, and changes nothing, if another table has the name.
   *
   * @example
   * ```ts
   * import { MySqlStore } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const store = new MySqlStore({ pool: createPool('mysql://root@127.0.0.1:3306/test') })
   * await store.migrate()
   * ```
   */
  async migrate(): Promise<void> {
    const place = [this.#table.schema, this.#table.table]
    const name = quoteTable(this.#table)
    await this.#connections.locked('migrate', MIGRATION, undefined, async (session) => {
      const [found] = (await session.run(INSPECT, place)).rows as { comment: string }[]
      for (const statement of migrationsFrom(readVersion(name, found?.comment), name)) {
        await session.run(statement, [], MIGRATION * 1000)
      }
      const { rows } = await session.run(INSPECT_COLUMNS, place)
      const missing = missingFrom(rows as { name: string; type: string }[])
      if (missing !== '') throw new InvalidOptionError(`The table ${name} lacks columns: ${missing}.`)
    })
  }

  /**
   * Removes expired sessions, up to 1000 in one statement, unless another process is just doing that. Returns how many it
   * removed. The store calls it soon after the start and then every `pruneInterval` seconds; call it yourself, for example from a
   * cron job, if you have turned that off.
   *
   * @example
   * ```ts
   * import { MySqlStore } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const pool = createPool('mysql://root@127.0.0.1:3306/test')
   * const store = new MySqlStore({ pool, pruneInterval: 0 })
   * console.log(`${await store.prune()} sessions removed`)
   * ```
   */
  async prune(): Promise<number> {
    const now = this.#now()
    const removeAll = async (session: Session): Promise<number> => {
      let pruned = 0
      for (;;) {
        const { affectedRows } = await session.run(this.#sql.prune, [now, abandonedBefore(now), now])
        pruned += affectedRows
        if (affectedRows < PRUNE_BATCH) return pruned
      }
    }
    return (await this.#connections.locked('prune', 0, undefined, removeAll)) ?? 0
  }

  /** Stops pruning. The pool stays open, and the store remains usable. */
  async close(): Promise<void> {
    this.#timer.stop()
  }

  /** Adds a record, and ends others, unless a live record has the key. Nobody sees the record before the last statement. */
  async #add(
    session: Session,
    key: string,
    record: SessionRecord,
    expiresAt: number,
    evicted: readonly string[],
    until: number
  ): Promise<boolean> {
    const now = this.#now()
    const reservation = newReservation(now)
    const { json, createdAt, lastSeenAt, permanent, ownerId, description, extensions } = record
    const facts = [json, createdAt, lastSeenAt, toNumber(permanent), ownerId, description, extensions]
    await session.run(this.#sql.reserve, [key, ...facts, reservation, ...Array<number>(9).fill(now)])
    const keys = [key, ...evicted]
    const sql = this.#sql.activate(evicted.length)
    const { insertId } = await session.run(sql, [reservation, expiresAt, ...keys, key, reservation, until])
    return insertId === DONE
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}

function toNumber(flag: boolean | undefined): number | undefined {
  return flag === undefined ? undefined : Number(flag)
}
