import type { Revocation, RevocationList, RevocationPage } from '../../../types/revocations.ts'
import { RandomPool } from '../../crypto/random.ts'
import { InvalidOptionError } from '../../errors.ts'
import { assertKnown, readClock } from '../../util/check.ts'
import { SqliteAccess } from './access.ts'
import type { Handle, Prepared, SqliteDatabase } from './options.ts'
import { readTable, takeDatabase } from './options.ts'
import { createTable } from './statements.ts'
import { inTransaction } from './transaction.ts'

const NAME = 'SqliteRevocations'
/** Milliseconds that opening a list waits for other processes. */
const OPENING_TIMEOUT = 1000
const MARK_BYTES = 9
/** How many entries a page has. */
const PAGE = 1000
/** How many of the oldest entries each new one looks at, to remove those that are over. */
const SURPLUS = 100
const START = '0 -'

/** The options of a `SqliteRevocations`. */
export interface SqliteRevocationsOptions {
  /**
   * An open handle that returns rows as objects. The list never closes it.
   *
   * @example
   * ```ts
   * import Database from 'better-sqlite3'
   * import { SqliteRevocations } from 'fastify-typed-session/stores/sqlite'
   *
   * const revocations = new SqliteRevocations({ database: new Database('revocations.db') })
   * ```
   */
  database: SqliteDatabase
  /**
   * The table, 1 to 64 letters, digits and `_`. The list creates it if it does not exist. Default `'session_revocations'`.
   *
   * @example
   * ```ts
   * import Database from 'better-sqlite3'
   * import { SqliteRevocations } from 'fastify-typed-session/stores/sqlite'
   *
   * const revocations = new SqliteRevocations({ database: new Database('shop.db'), table: 'web_revocations' })
   * ```
   */
  table?: string | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import Database from 'better-sqlite3'
   * import { SqliteRevocations } from 'fastify-typed-session/stores/sqlite'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const revocations = new SqliteRevocations({ database: new Database(':memory:'), clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

interface Row {
  readonly number: number | bigint
  readonly mark: string
  readonly kept_until: number | bigint
  readonly entry: string
}

/** The statements of a list, prepared for its table. */
interface Statements {
  readonly oldest: Prepared
  readonly remove: Prepared
  readonly find: Prepared
  readonly insert: Prepared
  readonly since: Prepared
}

/**
 * A list of what has ended early, in a table of SQLite: for one machine, with any number of processes on one file. It tells nothing by
 * itself: the processes ask every second.
 *
 * The list sets `journal_mode = WAL`, `synchronous = NORMAL` and `busy_timeout = 0` on the handle. Open a separate handle for it.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`, the latter also if the table does not belong to
 * a list. The methods throw errors that name what failed, with the `code` and the error of SQLite as `cause`.
 *
 * @example
 * ```ts
 * import Database from 'better-sqlite3'
 * import { SqliteRevocations } from 'fastify-typed-session/stores/sqlite'
 *
 * const revocations = new SqliteRevocations({ database: new Database('/var/lib/shop/revocations.db') })
 * await app.register(session, { secret: process.env.SESSION_SECRET, revocations })
 * ```
 */
export class SqliteRevocations implements RevocationList {
  readonly #database: Handle
  readonly #access: SqliteAccess
  readonly #statements: Statements
  readonly #clock: () => number
  readonly #random: RandomPool = new RandomPool()

  constructor(options: SqliteRevocationsOptions) {
    assertKnown(options, ['database', 'table', 'clock'], NAME)
    const table = readTable({ table: options.table ?? 'session_revocations' })
    this.#database = takeDatabase(options.database)
    this.#clock = readClock(options.clock)
    this.#access = new SqliteAccess(this.#database, NAME)
    this.#statements = this.#access.open(() => prepare(this.#database, table))
  }

  add(entry: Revocation): Promise<Revocation | undefined> {
    const { oldest, remove, find, insert } = this.#statements
    const session = entry.kind === 'session' ? entry.id : null
    const text = JSON.stringify(entry)
    return this.#access.removeLate('add an entry', undefined, () =>
      inTransaction(this.#database, () => {
        const now = this.#now()
        for (const { number, kept_until } of oldest.all() as Row[]) {
          if (kept_until < now) remove.run(Number(number))
        }
        const known = find.get(session, now) as Row | undefined
        if (known !== undefined) return JSON.parse(known.entry)
        insert.run(this.#random.text(MARK_BYTES), session, entry.until, text)
        return undefined
      })
    )
  }

  async since(position: string = START): Promise<RevocationPage> {
    const [number = '', mark = ''] = position.split(' ')
    const rows = await this.#access.read('read what is new', () => this.#statements.since.all(Number(number), mark))
    const found = rows as Row[]
    const last = found.at(-1)
    const now = this.#now()
    return {
      entries: found.filter(({ kept_until }) => kept_until >= now).map(({ entry }) => JSON.parse(entry)),
      position: last === undefined ? position : `${last.number} ${last.mark}`,
      hasMore: found.length === PAGE
    }
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}

/** While another process makes the table, it waits and blocks this one. Afterwards nothing waits in SQLite. */
function prepare(database: Handle, name: string): Statements {
  database.exec(`PRAGMA busy_timeout = ${OPENING_TIMEOUT}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`)
  createTable(database, name, tableSql(name))
  database.exec('PRAGMA busy_timeout = 0')
  const table = `"${name}"`
  try {
    return {
      // The newest stays, because positions lead to it.
      oldest: database.prepare(
        `SELECT number, kept_until FROM ${table} WHERE number < (SELECT max(number) FROM ${table})
        ORDER BY number LIMIT ${SURPLUS}`
      ),
      remove: database.prepare(`DELETE FROM ${table} WHERE number = ?`),
      find: database.prepare(`SELECT entry FROM ${table} WHERE session = ? AND kept_until >= ?`),
      insert: database.prepare(`INSERT INTO ${table} (mark, session, kept_until, entry) VALUES (?, ?, ?, ?)`),
      since: database.prepare(
        `SELECT number, mark, kept_until, entry FROM ${table}
        WHERE number > ifnull((SELECT number FROM ${table} WHERE number = ? AND mark = ?), 0)
        ORDER BY number LIMIT ${PAGE}`
      )
    }
  } catch (cause) {
    const message = `The table ${table} exists, but it does not belong to a list. Set the option table to another name.`
    throw Object.assign(new InvalidOptionError(message), { cause })
  }
}

function tableSql(name: string): string {
  return `
      CREATE TABLE IF NOT EXISTS "${name}" (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        mark TEXT NOT NULL,
        session TEXT,
        kept_until INTEGER NOT NULL,
        entry TEXT NOT NULL
      ) STRICT;
      CREATE INDEX IF NOT EXISTS "${name}_session" ON "${name}" (session) WHERE session IS NOT NULL`
}
