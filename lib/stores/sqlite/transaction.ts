import type { Handle } from './options.ts'

/** Takes the write lock first, so that no other process writes between the reading and the writing. */
export function inTransaction<T>(database: Handle, work: () => T): T {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    rollBack(database)
    throw error
  }
}

/** Throws if the handle is in a transaction: the store would read an old snapshot, and a rollback would undo its writes. */
export function assertNoTransaction(database: Handle): void {
  if (database.isTransaction === true || database.inTransaction === true) {
    throw new Error('the application has an open transaction on the handle. Open a separate handle for the store')
  }
}

/** Rolls back. It fails after errors that have rolled back already, which does not matter. */
function rollBack(database: Handle): void {
  try {
    database.exec('ROLLBACK')
  } catch {}
}
