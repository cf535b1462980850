import { StoreUnavailableError } from '../../errors.ts'
import { TIME } from './guard.ts'
import type { MySqlConnection } from './options.ts'

/** After how many milliseconds a connection that owes an answer is given up: a firewall may have forgotten it. */
const LONGEST_ANSWER = 10_000
/** U+1F600 */
const CHARACTER = '😀'

export type Value = string | number | null | undefined

/** What a statement has returned. */
export interface MySqlResult {
  readonly rows: readonly unknown[]
  readonly affectedRows: number
  /** What the statement has given to `LAST_INSERT_ID`, 0 if nothing. */
  readonly insertId: number
}

/** Runs statements on one connection of a pool. */
export class Session {
  readonly #connection: MySqlConnection

  constructor(connection: MySqlConnection) {
    this.#connection = connection
  }

  /** `longest`: for how many milliseconds it may work, if these are more than usual. */
  async run(sql: string, values: readonly Value[] = [], longest = 0): Promise<MySqlResult> {
    const statement = { sql, rowsAsArray: false, nestTables: false, typeCast: true } as const
    const given = values.map((value) => value ?? null)
    // Prepared: with values in its text, a statement would mean something else under NO_BACKSLASH_ESCAPES.
    const [found] = await inTime(this.#connection.execute(statement, given), Math.max(longest, LONGEST_ANSWER))
    if (Array.isArray(found)) return { rows: found, affectedRows: 0, insertId: 0 }
    const { affectedRows, insertId } = found as { affectedRows: number; insertId: number | string }
    return { rows: [], affectedRows, insertId: Number(insertId) }
  }

  /** Returns the milliseconds since 1970 by the clock of the server. */
  async time(): Promise<number> {
    const { rows } = await this.run(`SELECT ${TIME} AS now`)
    return Number((rows as [{ now: number | string }])[0].now) / 1000
  }

  /** Throws `ERR_SESSION_STORE_UNAVAILABLE` if the settings of the connection would lose changes, characters or deadlines. `user`: the class that asks. */
  async assertUsable(user: string): Promise<void> {
    const { rows } = await this.run(CHECK, [CHARACTER])
    const [{ commits, isRead, sent, isFixed }] = rows as [Record<string, unknown>]
    if (Number(commits) !== 1) throw unusable(user, 'autocommit is off. Turn it on')
    if (Number(isRead) !== 1 || sent !== CHARACTER)
      throw unusable(user, "its charset is not utf8mb4. Set charset: 'utf8mb4'")
    if (Number(isFixed) === 1) throw unusable(user, 'the server was started with --sysdate-is-now. Start it without')
  }
}

const CHECK = `SELECT @@autocommit AS commits, CONVERT(? USING utf8mb4) = CONVERT(X'F09F9880' USING utf8mb4) COLLATE utf8mb4_bin AS isRead,
  CONVERT(X'F09F9880' USING utf8mb4) AS sent, SLEEP(0.001) AS slept, SYSDATE(6) = NOW(6) AS isFixed`

function unusable(user: string, reason: string): Error {
  return new StoreUnavailableError(`${user} cannot use the connections of its pool: ${reason}.`)
}

function inTime<T>(answer: Promise<T>, milliseconds: number): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new Error(`The server did not answer within ${milliseconds / 1000} s.`)),
      milliseconds
    ).unref()
    answer.then(resolve, reject).finally(() => clearTimeout(timer))
  })
}
