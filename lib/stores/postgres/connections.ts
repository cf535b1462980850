import type { StoreCall } from '../../../types/store.ts'
import { StoreUnavailableError } from '../../errors.ts'
import { KeyedQueue } from '../../util/keyed-queue.ts'
import { assertInTime } from '../assert-in-time.ts'
import { watchTime } from '../patience.ts'
import { repeat } from '../repeat.ts'
import { ServerClock } from '../server-clock.ts'
import type { PostgresResult } from './clients.ts'
import type { Driver, Query, Statement } from './driver.ts'
import { isLate } from './guard.ts'
import { codeOf, isTransient } from './transient.ts'

/** After how many milliseconds the server is asked for its time again: clocks run at different speeds. */
const MEASURE_AFTER = 10_000

const UNLIMITED = Number.POSITIVE_INFINITY
const TIME = 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now'

const UNDEFINED_TABLE = '42P01'
const UNDEFINED_COLUMN = '42703'

/**
 * Runs statements.
 *
 * A statement that the server refuses because of others that ran at the same time is repeated until it succeeds or its time is
 * over. At the default isolation of PostgreSQL, that does not happen.
 */
export class Connections {
  readonly #driver: Driver
  /** Quoted, for the message of an error. */
  readonly #table: string
  readonly #owner: string
  readonly #serverClock: ServerClock = new ServerClock()
  readonly #repeated: KeyedQueue = new KeyedQueue()
  #measuredAt: number = Number.NEGATIVE_INFINITY

  /** `owner`: the class whose `migrate()` makes the table. */
  constructor(driver: Driver, table: string, owner = 'PostgresStore') {
    this.#driver = driver
    this.#table = table
    this.#owner = owner
  }

  /** Runs a statement that reads, or one that may be late. The first value names what others may change at the same time. */
  query(text: string, values: unknown[], call?: StoreCall): Promise<PostgresResult> {
    return this.#persist(values[0], call, () => this.#driver.use((query) => query(text, values)))
  }

  /** Runs a statement that writes. Its last parameter is that of `inTime`. */
  write(text: string, values: unknown[], call: StoreCall | undefined): Promise<PostgresResult> {
    return this.#persist(values[0], call, () =>
      this.#driver.use(async (query) => {
        assertInTime(call)
        const limit = await this.#limit(query, call)
        return query(text, [...values, limit])
      })
    )
  }

  /**
   * Runs two statements in a transaction: one that waits for a lock, and one that sees what was committed meanwhile. The first value
   * of the lock names what others may change at the same time. `limit`: the seconds since 1970, by the clock of the server, until which
   * the other one may write.
   */
  locked(lock: Statement, write: (limit: number) => Statement, call?: StoreCall): Promise<PostgresResult> {
    return this.#persist(lock.values[0], call, async () => {
      const limit = this.#knownLimit(call) ?? (await this.#driver.use((query) => this.#limit(query, call)))
      return this.#driver.batch([lock, write(limit)], () => assertInTime(call))
    })
  }

  /** Runs statements in a transaction. */
  transact<T>(run: (query: Query) => Promise<T>): Promise<T> {
    return this.#persist(undefined, undefined, () => this.#driver.transact(run))
  }

  /** Of those that meet at one `subject`, one at a time tries again. */
  async #persist<T>(subject: unknown, call: StoreCall | undefined, attempt: () => Promise<T>): Promise<T> {
    try {
      return await attempt()
    } catch (error) {
      const isOver = watchTime(call)
      const assertRepeatable = (error: unknown): void => {
        // The clock of the server may have been set, or another server may have answered.
        if (isLate(error)) this.#measuredAt = Number.NEGATIVE_INFINITY
        if (!isTransient(error) || isOver()) throw this.#explain(error)
      }
      assertRepeatable(error)
      return this.#repeated.run(String(subject), () => repeat(attempt, assertRepeatable))
    }
  }

  /** Undefined if the server has not been asked for its time, or not lately. */
  #knownLimit(call: StoreCall | undefined): number | undefined {
    if (call === undefined) return UNLIMITED
    if (performance.now() - this.#measuredAt > MEASURE_AFTER) return undefined
    return Number(this.#serverClock.toServerTime(call.deadline)) / 1000
  }

  async #limit(query: Query, call: StoreCall | undefined): Promise<number> {
    const known = this.#knownLimit(call)
    if (known !== undefined) return known
    const sentAt = performance.now()
    const { rows } = await query(TIME)
    this.#serverClock.note(sentAt, (rows as [{ now: number }])[0].now)
    this.#measuredAt = sentAt
    return this.#limit(query, call)
  }

  #explain(error: unknown): unknown {
    const code = codeOf(error)
    if (code !== UNDEFINED_TABLE && code !== UNDEFINED_COLUMN) return error
    const message = `The table ${this.#table} is missing, or an earlier version of the package created it. Call migrate() of the ${this.#owner} when you deploy, or before the application listens.`
    return Object.assign(new StoreUnavailableError(message), { cause: error })
  }
}
