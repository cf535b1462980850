import type { StoreCall } from '../../../types/store.ts'
import { StoreUnavailableError } from '../../errors.ts'
import { KeyedQueue } from '../../util/keyed-queue.ts'
import { assertInTime } from '../assert-in-time.ts'
import { PATIENCE, watchTime } from '../patience.ts'
import { repeat } from '../repeat.ts'
import { ServerClock } from '../server-clock.ts'
import { isLate, UNLIMITED } from './guard.ts'
import type { MySqlConnection, MySqlPool, TableName } from './options.ts'
import { quoteTable } from './options.ts'
import type { MySqlResult, Value } from './session.ts'
import { Session } from './session.ts'

/** After how many milliseconds the server is asked for its time again: clocks run at different speeds. */
const MEASURE_AFTER = 10_000

const LOCK_WAIT_TIMEOUT = 1205
const DEADLOCK = 1213
/** MariaDB: the row has changed since the snapshot of the transaction. */
const CHANGED_ROW = 1020
const UNDEFINED_COLUMN = 1054
const UNDEFINED_TABLE = 1146

/** A lock is the server's, so its name has that of the database; 64 characters are the longest name. */
const LOCK_NAME = "SHA2(CONCAT_WS('/', COALESCE(?, DATABASE()), ?, ?), 256)"

/** Others have written between the reading and the writing of a step, which is repeated. */
export class OvertakenError extends Error {}

/** What uses a connection. `limit`: until when it may write, for `IN_TIME`. */
type Work<T> = (session: Session, limit: number) => Promise<T>

/**
 * Runs statements on connections of a pool, each of which is a transaction of its own.
 *
 * A statement that the server refuses because of others that ran at the same time is repeated until it succeeds or its time is over.
 */
export class Connections {
  readonly #pool: MySqlPool
  readonly #table: TableName
  /** The class that asks, for errors. */
  readonly #user: string
  readonly #serverClock: ServerClock = new ServerClock()
  readonly #repeated: KeyedQueue = new KeyedQueue()
  /** Those whose settings have been looked at. */
  readonly #usable: WeakSet<object> = new WeakSet()
  #measuredAt: number = Number.NEGATIVE_INFINITY

  constructor(pool: MySqlPool, table: TableName, user = 'MySqlStore') {
    this.#pool = pool
    this.#table = table
    this.#user = user
  }

  /** Runs a statement that reads, or one that may be late. The first value names what others may change at the same time. */
  query(sql: string, values: readonly Value[], call?: StoreCall): Promise<MySqlResult> {
    return this.#persist(values[0], call, () => this.#use(undefined, (session) => session.run(sql, values)))
  }

  /** Runs a statement that writes. `values`: gets the parameter of `IN_TIME`. `subject`: as in `run`. */
  write(
    subject: string,
    sql: string,
    values: (limit: number) => readonly Value[],
    call: StoreCall | undefined
  ): Promise<MySqlResult> {
    return this.run(subject, call, (session, limit) => session.run(sql, values(limit)))
  }

  /** Runs statements on one connection, all again if need be. `subject`: what others may change at the same time. */
  run<T>(subject: string, call: StoreCall | undefined, work: Work<T>): Promise<T> {
    return this.#persist(subject, call, () => this.#use(call, work))
  }

  /**
   * Runs statements while no other process does so for this table and subject. Waits `seconds` for others; undefined if that was not
   * enough. The lock ends with the connection at the latest.
   */
  locked<T>(subject: string, seconds: number, call: StoreCall | undefined, work: Work<T>): Promise<T | undefined> {
    const lock = [this.#table.schema, this.#table.table, subject]
    const attempt: Work<T | undefined> = async (session, limit) => {
      const { rows } = await session.run(`SELECT GET_LOCK(${LOCK_NAME}, ?) AS got`, [...lock, seconds], seconds * 2000)
      if (Number((rows as [{ got: unknown }])[0].got) !== 1) return undefined
      assertInTime(call)
      const result = await work(session, limit)
      await session.run(`SELECT RELEASE_LOCK(${LOCK_NAME}) AS freed`, lock)
      return result
    }
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
    const connection = await this.#pool.getConnection()
    let isUsed = false
    try {
      assertInTime(call)
      isUsed = true
      const session = new Session(connection)
      await this.#assertUsable(connection, session)
      const result = await work(session, call === undefined ? UNLIMITED : await this.#limit(session, call))
      connection.release()
      return result
    } catch (error) {
      if (isUsed && !survives(error)) connection.destroy()
      else connection.release()
      throw error
    }
  }

  async #assertUsable(connection: MySqlConnection, session: Session): Promise<void> {
    // The pool wraps a connection each time that it gives it out.
    const { connection: inner = connection } = connection as { readonly connection?: object }
    if (this.#usable.has(inner)) return
    await session.assertUsable(this.#user)
    this.#usable.add(inner)
  }

  /** Asks the server for its time unless that has been done lately. */
  async #limit(session: Session, call: StoreCall): Promise<number> {
    if (performance.now() - this.#measuredAt > MEASURE_AFTER) {
      const sentAt = performance.now()
      this.#serverClock.note(sentAt, await session.time())
      this.#measuredAt = sentAt
    }
    return Math.floor(Number(this.#serverClock.toServerTime(call.deadline)) * 1000)
  }

  #explain(error: unknown): unknown {
    const number = numberOf(error)
    if (isLate(error))
      return Object.assign(new Error('The change was written too late, and taken back.'), { cause: error })
    if (number !== UNDEFINED_TABLE && number !== UNDEFINED_COLUMN) return error
    const message = `The table ${quoteTable(this.#table)} is missing, or an earlier version of the package created it. Call migrate() of the ${this.#user} when you deploy, or before the application listens.`
    return Object.assign(new StoreUnavailableError(message), { cause: error })
  }
}

/** Returns for how many seconds a call may wait for a lock. */
export function secondsLeft(call: StoreCall | undefined): number {
  const left = call === undefined ? PATIENCE : call.deadline - performance.now()
  return Math.max(0, Math.ceil(left / 1000))
}

function isTransient(error: unknown): boolean {
  if (error instanceof OvertakenError || isLate(error)) return true
  return [LOCK_WAIT_TIMEOUT, DEADLOCK, CHANGED_ROW].includes(numberOf(error))
}

function numberOf(error: unknown): number {
  return Number((Object(error) as { errno?: unknown }).errno)
}
