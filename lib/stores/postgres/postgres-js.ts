import { InvalidOptionError } from '../../errors.ts'
import { isFunction } from '../../util/check.ts'
import type { PostgresJsRunner, PostgresJsSql, PostgresResult } from './clients.ts'
import type { Driver, Query } from './driver.ts'
import { inline } from './inline.ts'

/** Names of columns in both forms that the statements use. */
const COLUMNS = ['key', 'createdAt']

/** In force for the transaction of a batch. */
const READ_COMMITTED = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED'

/** The option of that name, as postgres.js keeps it. */
interface Transform {
  readonly column?: { readonly from?: ((name: string) => string) | undefined } | undefined
  readonly row?: { readonly from?: unknown } | undefined
}

type Rows = readonly unknown[] & { readonly count?: number | null }

/** Whether this is what `postgres()` of postgres.js returns. A transaction or a reserved connection of it is not. */
export function isPostgresJs(pool: unknown): pool is PostgresJsSql {
  if (!isFunction(pool)) return false
  const { unsafe, begin, listen } = pool as unknown as Record<string, unknown>
  return isFunction(unsafe) && isFunction(begin) && isFunction(listen)
}

/**
 * Asks a database through postgres.js. Throws an `InvalidOptionError` for one that changes the rows.
 *
 * A connection that breaks during `sql.begin` or `sql.reserve` ends the process (postgres.js 3.4.9: it writes to a socket that is
 * gone). Therefore a transaction of known statements is one message, which PostgreSQL runs as a transaction.
 */
export function fromPostgresJs(sql: PostgresJsSql): Driver {
  assertUnchangedRows(sql)
  const query = queryOn(sql)
  return {
    use: (run) => run(query),
    async batch(statements, assertInTime) {
      assertInTime()
      // Without values, so that a message can have several statements.
      const { rows } = await query([READ_COMMITTED, ...statements.map(inline)].join(';\n'))
      return toResult(rows.at(-1) as Rows)
    },
    // When the application starts.
    async transact<T>(run: (query: Query) => Promise<T>) {
      const result = await sql.begin('isolation level read committed', (transaction) => run(queryOn(transaction)))
      return result as T
    },
    async hear(channel, onMessage, onLost) {
      const { rows } = await query(channel)
      const [{ channel: name }] = rows as [{ channel: string }]
      return hearOn(sql, name, onMessage, onLost)
    }
  }
}

function queryOn(runner: PostgresJsRunner): Query {
  return async (text, values = []) => {
    const given = values.map((value) => (value ?? null) as string | number | boolean | null)
    return toResult(await runner.unsafe(text, given, { prepare: true }))
  }
}

function toResult(rows: Rows): PostgresResult {
  return { rows, rowCount: rows.count ?? null }
}

/**
 * postgres.js listens on a connection of its own. When that breaks, it listens again by itself, and only then says that it has missed
 * something.
 */
async function hearOn(
  sql: PostgresJsSql,
  channel: string,
  onMessage: (message: string) => void,
  onLost: () => void
): Promise<() => void> {
  let isOver = false
  let hasBegun = false
  const subscription = sql.listen(
    channel,
    (message) => {
      if (!isOver) onMessage(message)
    },
    () => {
      if (hasBegun && !isOver) {
        stop()
        onLost()
      }
      hasBegun = true
    }
  )
  const stop = (): void => {
    isOver = true
    // If it fails, the connection has broken.
    Promise.resolve(subscription)
      .then(({ unlisten }) => unlisten())
      .catch(ignore)
  }
  try {
    await subscription
  } catch (error) {
    // It goes on trying by itself.
    isOver = true
    throw error
  }
  return stop
}

/** Transforms of values are left: they concern values of other types, or turn null into undefined. */
function assertUnchangedRows({ options }: PostgresJsSql): void {
  const { column, row } = options.transform as Transform
  const rename = column?.from ?? ((name: string) => name)
  if (row?.from == null && COLUMNS.every((name) => rename(name) === name)) return
  throw new InvalidOptionError(
    'The option pool is a client of postgres.js with a transform that changes rows or the names of their columns. Give the store a client of its own, without it.'
  )
}

function ignore(): void {}
