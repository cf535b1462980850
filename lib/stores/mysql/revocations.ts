import type { Revocation, RevocationList, RevocationPage } from '../../../types/revocations.ts'
import { RandomPool } from '../../crypto/random.ts'
import { InvalidOptionError } from '../../errors.ts'
import { assertKnown, readClock } from '../../util/check.ts'
import type { RevocationRow } from '../revocation-page.ts'
import { toPage } from '../revocation-page.ts'
import { Connections, secondsLeft } from './connections.ts'
import type { MySqlPool, TableName } from './options.ts'
import { quoteTable, readTable, takePool } from './options.ts'
import type { RevocationStatements } from './revocation-statements.ts'
import { COMMENT, PAGE, writeStatements } from './revocation-statements.ts'
import { INSPECT } from './table.ts'

const NAME = 'MySqlRevocations'
const MARK_BYTES = 9
const START = '0 -'

/** For how many seconds `migrate` waits for another process that migrates. */
const MIGRATION = 60

/** The options of a `MySqlRevocations`. */
export interface MySqlRevocationsOptions {
  /**
   * An open `Pool` of `mysql2/promise`. The list never ends it.
   *
   * @example
   * ```ts
   * import { MySqlRevocations } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const revocations = new MySqlRevocations({ pool: createPool('mysql://root@127.0.0.1:3306/test') })
   * ```
   */
  pool: MySqlPool
  /**
   * The name of the table, 1 to 64 characters. The list quotes it. Default `'session_revocations'`.
   *
   * @example
   * ```ts
   * import { MySqlRevocations } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const pool = createPool('mysql://root@127.0.0.1:3306/test')
   * const revocations = new MySqlRevocations({ pool, table: 'web_revocations' })
   * ```
   */
  table?: string | undefined
  /**
   * The database of the table, which must exist. Default: the database of the connection.
   *
   * @example
   * ```ts
   * import { MySqlRevocations } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const pool = createPool('mysql://root@127.0.0.1:3306')
   * const revocations = new MySqlRevocations({ pool, schema: 'shop' })
   * ```
   */
  schema?: string | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { MySqlRevocations } from 'fastify-typed-session/stores/mysql'
   * import { FakeClock } from 'fastify-typed-session/testing'
   * import { createPool } from 'mysql2/promise'
   *
   * const clock = new FakeClock()
   * const pool = createPool('mysql://root@127.0.0.1:3306/test')
   * const revocations = new MySqlRevocations({ pool, clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

/**
 * A list of what has ended early, in a table of MariaDB or MySQL. The servers tell nothing by themselves: the processes ask every second.
 * The list does not create the table by itself: call `migrate()` when you deploy, or before the application listens.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`. The methods throw the errors of `mysql2`, and
 * `ERR_SESSION_STORE_UNAVAILABLE` if the table is missing, or the settings of a connection do not fit.
 *
 * @example
 * ```ts
 * import { MySqlRevocations } from 'fastify-typed-session/stores/mysql'
 * import { createPool } from 'mysql2/promise'
 *
 * const revocations = new MySqlRevocations({ pool: createPool('mysql://root@127.0.0.1:3306/test') })
 * await revocations.migrate()
 * await app.register(session, { secret: process.env.SESSION_SECRET, revocations })
 * ```
 */
export class MySqlRevocations implements RevocationList {
  readonly #connections: Connections
  readonly #table: TableName
  readonly #sql: RevocationStatements
  readonly #clock: () => number
  readonly #random: RandomPool = new RandomPool()

  constructor(options: MySqlRevocationsOptions) {
    assertKnown(options, ['pool', 'table', 'schema', 'clock'], NAME)
    const { table = 'session_revocations', schema } = options
    this.#table = readTable({ table, schema })
    this.#connections = new Connections(takePool(options.pool, NAME), this.#table, NAME)
    this.#sql = writeStatements(quoteTable(this.#table))
    this.#clock = readClock(options.clock)
  }

  async add(entry: Revocation): Promise<Revocation | undefined> {
    const session = entry.kind === 'session' ? entry.id : null
    const values = [this.#random.text(MARK_BYTES), session, entry.until, JSON.stringify(entry)]
    // One at a time: otherwise a reader could see a number before a lower one.
    const added = await this.#connections.locked(
      'revocations',
      secondsLeft(undefined),
      undefined,
      async (connection) => {
        const now = this.#now()
        const [found] = (await connection.run(this.#sql.look, [session, now])).rows
        const { known, newest } = found as { known: string | null; newest: string | number | null }
        await connection.run(this.#sql.remove, [now, newest])
        if (known === null) await connection.run(this.#sql.insert, values)
        return { known }
      }
    )
    if (added === undefined) throw new Error('Other entries of the list took too long. Nothing was written.')
    return added.known === null ? undefined : JSON.parse(added.known)
  }

  async since(position: string = START): Promise<RevocationPage> {
    const { rows } = await this.#connections.query(this.#sql.since, [this.#now(), ...position.split(' ')])
    return toPage(rows as readonly RevocationRow[], position, PAGE)
  }

  /**
   * Creates the table, unless it is there. Call it when you deploy, or before the application listens; several processes may call it at
   * once. Only this method needs the right to create tables.
   *
   * Throws `ERR_SESSION_OPTION_INVALID`, and changes nothing, if another table has the name.
   *
   * @example
   * ```ts
   * import { MySqlRevocations } from 'fastify-typed-session/stores/mysql'
   * import { createPool } from 'mysql2/promise'
   *
   * const revocations = new MySqlRevocations({ pool: createPool('mysql://root@127.0.0.1:3306/test') })
   * await revocations.migrate()
   * ```
   */
  async migrate(): Promise<void> {
    await this.#connections.locked('migrate', MIGRATION, undefined, async (connection) => {
      const { rows } = await connection.run(INSPECT, [this.#table.schema, this.#table.table])
      const [found] = rows as readonly { readonly comment: string }[]
      if (found === undefined) await connection.run(this.#sql.create)
      else if (found.comment !== COMMENT) {
        throw new InvalidOptionError(
          `The table ${quoteTable(this.#table)} exists, but ${NAME} did not create it: its comment is not '${COMMENT}'. Set the option table to another name.`
        )
      }
    })
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}
