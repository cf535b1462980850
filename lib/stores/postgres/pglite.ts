import { isFunction, isObject } from '../../util/check.ts'
import type { PGliteDatabase, PGliteRunner, PostgresResult } from './clients.ts'
import type { Driver, Query } from './driver.ts'
import { inOrder } from './driver.ts'

/** Whether this is a `PGlite`. */
export function isPGlite(pool: unknown): pool is PGliteDatabase {
  if (!isObject(pool)) return false
  const { query, exec, transaction, listen } = pool as Record<string, unknown>
  return [query, exec, transaction, listen].every(isFunction)
}

/**
 * Asks a PGlite, which is a database in the process, with one connection: it takes one statement or transaction after the other,
 * whoever asks.
 */
export function fromPGlite(database: PGliteDatabase): Driver {
  const query = queryOn(database)
  const transact = async <T>(run: (query: Query) => Promise<T>): Promise<T> => {
    const result = await database.transaction((transaction) => run(queryOn(transaction)))
    return result as T
  }
  return {
    use: (run) => run(query),
    batch: (statements, assertInTime) =>
      transact(async (query) => {
        assertInTime()
        const result = await inOrder(query, statements)
        assertInTime()
        return result
      }),
    transact,
    async hear(channel, onMessage) {
      const { rows } = await query(channel)
      const [{ channel: name }] = rows as [{ channel: string }]
      const unlisten = await database.listen(name, onMessage)
      // It fails if the database has been closed.
      return () => void unlisten().catch(() => {})
    }
  }
}

function queryOn(runner: PGliteRunner): Query {
  return async (text, values) => {
    if (values !== undefined) return toResult(await runner.query(text, [...values]))
    const results = await runner.exec(text)
    return toResult(results.at(-1) as Awaited<ReturnType<PGliteRunner['query']>>)
  }
}

function toResult({ rows, affectedRows }: Awaited<ReturnType<PGliteRunner['query']>>): PostgresResult {
  return { rows, rowCount: affectedRows ?? null }
}
