import type { StoreCall } from '../../../types/store.ts'
import { StoreUnavailableError } from '../../errors.ts'
import { KeyedQueue } from '../../util/keyed-queue.ts'
import { assertInTime } from '../assert-in-time.ts'
import { watchTime } from '../patience.ts'
import { repeat } from '../repeat.ts'
import { ServerClock } from '../server-clock.ts'
import { isLate } from './guard.ts'
import type { PostgresClient, PostgresPool, PostgresResult } from './options.ts'

/** After how many milliseconds the server is asked for its time again: clocks run at different speeds. */
const MEASURE_AFTER = 10_000

const UNLIMITED = Number.POSITIVE_INFINITY
const TIME = 'SELECT extract(epoch FROM clock_timestamp())::float8 * 1000 AS now'

const SERIALIZATION_FAILURE = '40001'
const DEADLOCK = '40P01'
const UNDEFINED_TABLE = '42P01'
const UNDEFINED_COLUMN = '42703'

/** What uses a connection. `limit`: the seconds since 1970, by the clock of the server, until which it may write. */
type Work<T> = (client: PostgresClient, limit: number) => Promise<T>

/**
 * Runs statements on connections of a pool.
 *
 * A statement that the server refuses because of others that ran at the same time is repeated until it succeeds or its time is
 * over. At the default isolation of PostgreSQL, that does not happen.
 */
export class Connections {
  readonly #pool: PostgresPool
  /** Quoted, for the message of an error. */
  readonly #table: string
  readonly #owner: string
  readonly #serverClock: ServerClock = new ServerClock()
  readonly #repeated: KeyedQueue = new KeyedQueue()
  #measuredAt: number = Number.NEGATIVE_INFINITY

  /** `owner`: the class whose `migrate()` makes the table. */
  constructor(pool: PostgresPool, table: string, owner = 'PostgresStore') {
    this.#pool = pool
    this.#table = table
    this.#owner = owner
  }

  /** Runs a statement that reads, or one that may be late. The first value names what others may change at the same time. */
  query(text: string, values: unknown[], call?: StoreCall): Promise<PostgresResult> {
    return this.#persist(values[0], call, () => this.#use(undefined, (client) => client.query(text, values)))
  }

  /** Runs a statement that writes. Its last parameter is that of `inTime`. */
  write(text: string, values: unknown[], call: StoreCall | undefined): Promise<PostgresResult> {
    const work: Work<PostgresResult> = (client, limit) => client.query(text, [...values, limit])
    return this.#persist(values[0], call, () => this.#use(call, work))
  }

  /** Runs statements in a transaction. `subject`: what others may change at the same time. */
  transact<T>(subject: string, call: StoreCall | undefined, run: Work<T>): Promise<T> {
    const attempt: Work<T> = async (client, limit) => {
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      const result = await run(client, limit)
      assertInTime(call)
      await client.query('COMMIT')
      return result
    }
    // PostgreSQL rolls a transaction back when its connection ends, whatever state it is in.
    return this.#persist(subject, call, () => this.#use(call, attempt, () => false))
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

  /** Takes a connection, and gives it back. `survives`: whether the connection can be used after an error. */
  async #use<T>(call: StoreCall | undefined, work: Work<T>, survives = isTransient): Promise<T> {
    const client = await this.#pool.connect()
    // A connection that breaks between two queries emits an event, which ends the process if it has no listener. The next query
    // reports the failure.
    client.on('error', ignore)
    let isUsed = false
    try {
      assertInTime(call)
      isUsed = true
      const limit =
        call === undefined ? UNLIMITED : (this.#knownLimit(call) ?? (await this.#measureLimit(client, call)))
      const result = await work(client, limit)
      giveBack(client, true)
      return result
    } catch (error) {
      giveBack(client, !isUsed || survives(error))
      throw error
    }
  }

  /** Undefined if the server has not been asked for its time, or not lately. */
  #knownLimit(call: StoreCall): number | undefined {
    if (performance.now() - this.#measuredAt > MEASURE_AFTER) return undefined
    return Number(this.#serverClock.toServerTime(call.deadline)) / 1000
  }

  async #measureLimit(client: PostgresClient, call: StoreCall): Promise<number> {
    const sentAt = performance.now()
    const { rows } = await client.query(TIME)
    this.#serverClock.note(sentAt, (rows as [{ now: number }])[0].now)
    this.#measuredAt = sentAt
    return Number(this.#serverClock.toServerTime(call.deadline)) / 1000
  }

  #explain(error: unknown): unknown {
    const code = codeOf(error)
    if (code !== UNDEFINED_TABLE && code !== UNDEFINED_COLUMN) return error
    const message = `The table ${this.#table} is missing, or an earlier version of the package created it. Call migrate() of the ${this.#owner} when you deploy, or before the application listens.`
    return Object.assign(new StoreUnavailableError(message), { cause: error })
  }
}

function giveBack(client: PostgresClient, isUsable: boolean): void {
  if (isUsable) client.removeListener('error', ignore)
  client.release(!isUsable)
}

function isTransient(error: unknown): boolean {
  const code = codeOf(error)
  return code === SERIALIZATION_FAILURE || code === DEADLOCK || isLate(error)
}

function codeOf(error: unknown): unknown {
  return (Object(error) as { code?: unknown }).code
}

function ignore(): void {}
