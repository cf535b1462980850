import type { Revocation, RevocationList, RevocationPage } from '../../../types/revocations.ts'
import { RandomPool } from '../../crypto/random.ts'
import { InvalidOptionError } from '../../errors.ts'
import { assertKnown, readClock } from '../../util/check.ts'
import type { RevocationRow } from '../revocation-page.ts'
import { toPage } from '../revocation-page.ts'
import type { PGliteDatabase, PostgresJsSql, PostgresPool } from './clients.ts'
import { Connections } from './connections.ts'
import type { Driver } from './driver.ts'
import { readTable } from './options.ts'
import type { RevocationStatements } from './revocation-statements.ts'
import { COMMENT, PAGE, writeStatements } from './revocation-statements.ts'
import { toDriver } from './to-driver.ts'

const NAME = 'PostgresRevocations'
const MARK_BYTES = 9
const START = '0 -'

/** The options of a `PostgresRevocations`. */
export interface PostgresRevocationsOptions {
  /**
   * An open `Pool` of `pg`, what `postgres()` of postgres.js has returned, or a `PGlite`. The list never ends it, and keeps one
   * connection, on which it hears what is new.
   *
   * @example
   * ```ts
   * import { PostgresRevocations } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const revocations = new PostgresRevocations({ pool: new Pool({ connectionString: process.env.DATABASE_URL }) })
   * ```
   */
  pool: PostgresPool | PostgresJsSql | PGliteDatabase
  /**
   * The name of the table, 1 to 63 bytes, exactly as PostgreSQL shows it: the list quotes it. Default `'session_revocations'`.
   *
   * @example
   * ```ts
   * import { PostgresRevocations } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const revocations = new PostgresRevocations({ pool: new Pool(), table: 'web_revocations' })
   * ```
   */
  table?: string | undefined
  /**
   * The schema of the table, which must exist. By default, the `search_path` of the connection decides.
   *
   * @example
   * ```ts
   * import { PostgresRevocations } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const revocations = new PostgresRevocations({ pool: new Pool(), schema: 'shop' })
   * ```
   */
  schema?: string | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { PostgresRevocations } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const revocations = new PostgresRevocations({ pool: new Pool(), clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/**
 * A list of what has ended early, in a table of PostgreSQL. It tells every process what is new by `LISTEN` and `NOTIFY`. It does not
 * create the table by itself: call `migrate()` when you deploy, or before the application listens.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. The methods throw the errors of the client, and
 * `ERR_SESSION_STORE_UNAVAILABLE` if the table is missing.
 *
 * @example
 * ```ts
 * import { PostgresRevocations } from 'fastify-typed-session/stores/postgres'
 * import { Pool } from 'pg'
 *
 * const revocations = new PostgresRevocations({ pool: new Pool({ connectionString: process.env.DATABASE_URL }) })
 * await revocations.migrate()
 * await app.register(session, { secret: process.env.SESSION_SECRET, revocations })
 * ```
 */
export class PostgresRevocations implements RevocationList {
  readonly #driver: Driver
  readonly #connections: Connections
  /** Quoted, with the schema. */
  readonly #table: string
  readonly #sql: RevocationStatements
  readonly #clock: () => number
  readonly #random: RandomPool = new RandomPool()

  constructor(options: PostgresRevocationsOptions) {
    assertKnown(options, ['pool', 'table', 'schema', 'clock'], NAME)
    const { table = 'session_revocations', schema } = options
    this.#driver = toDriver(options.pool, NAME)
    this.#table = readTable({ table, schema })
    this.#connections = new Connections(this.#driver, this.#table, NAME)
    this.#sql = writeStatements(this.#table)
    this.#clock = readClock(options.clock)
  }

  async add(entry: Revocation): Promise<Revocation | undefined> {
    const session = entry.kind === 'session' ? entry.id : null
    const values = [this.#random.text(MARK_BYTES), session, entry.until, JSON.stringify(entry), this.#now()]
    const { rows } = await this.#connections.locked({ text: this.#sql.lock, values: [] }, () => ({
      text: this.#sql.add,
      values
    }))
    const [{ known }] = rows as [{ known: string | null }]
    return known ? JSON.parse(known) : undefined
  }

  async since(position: string = START): Promise<RevocationPage> {
    const { rows } = await this.#connections.query(this.#sql.since, [...position.split(' '), this.#now()])
    return toPage(rows as readonly RevocationRow[], position, PAGE)
  }

  listen(onEntry: (entry: Revocation) => void, onLost: () => void): Promise<() => void> {
    return this.#driver.hear(this.#sql.channel, (message) => onEntry(JSON.parse(message)), onLost)
  }

  /**
   * Creates the table, unless it is there. Call it when you deploy, or before the application listens; several processes may call it at
   * once. Only this method needs the right to create tables in the schema.
   *
   * Throws `ERR_SESSION_OPTION_INVALID`, and changes nothing, if another table has the name.
   *
   * @example
   * ```ts
   * import { PostgresRevocations } from 'fastify-typed-session/stores/postgres'
   * import { Pool } from 'pg'
   *
   * const revocations = new PostgresRevocations({ pool: new Pool() })
   * await revocations.migrate()
   * ```
   */
  async migrate(): Promise<void> {
    await this.#connections.transact(async (query) => {
      await query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [COMMENT])
      const { rows } = await query(this.#sql.inspect)
      const [found] = rows as { comment: string | null }[]
      if (found === undefined) await query(this.#sql.create)
      else if (found.comment !== COMMENT) {
        throw new InvalidOptionError(
          `The table ${this.#table} exists, but ${NAME} did not create it: its comment is not '${COMMENT}'. Set the option table to another name.`
        )
      }
    })
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}
