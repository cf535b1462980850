import type { PostgresResult } from './clients.ts'

/** Runs one statement. Without values it may be several. */
export type Query = (text: string, values?: readonly unknown[]) => Promise<PostgresResult>

/** A statement with the values of its parameters. */
export interface Statement {
  readonly text: string
  readonly values: readonly unknown[]
}

/**
 * What the store asks of a database, the same for every client. Values are strings, numbers, booleans, null and undefined. A bigint
 * may come back as a number, a string or a BigInt.
 */
export interface Driver {
  /** Runs statements that need not be in a transaction: on one connection, if the client can do that. */
  use<T>(run: (query: Query) => Promise<T>): Promise<T>
  /**
   * Runs statements in one transaction, at READ COMMITTED, and returns the result of the last. `assertInTime` throws if there is no
   * time left: nothing is to be sent, or committed, after that.
   */
  batch(statements: readonly Statement[], assertInTime: () => void): Promise<PostgresResult>
  /** The same for statements that depend on the results of others. */
  transact<T>(run: (query: Query) => Promise<T>): Promise<T>
  /**
   * Hears what is sent to a channel until the function is called that it returns. `channel`: a statement that returns its name.
   * `onLost`: it hears no more.
   */
  hear(channel: string, onMessage: (message: string) => void, onLost: () => void): Promise<() => void>
}

/** Runs statements one after the other, and returns the result of the last. */
export async function inOrder(query: Query, statements: readonly Statement[]): Promise<PostgresResult> {
  const results: PostgresResult[] = []
  for (const { text, values } of statements) results.push(await query(text, values))
  return results.at(-1) as PostgresResult
}
