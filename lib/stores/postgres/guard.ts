/** Becomes part of the error that a late write causes, and of the line in the log of the server. */
const LATE = 'written too late: '

/**
 * Returns an expression for RETURNING that fails if the time of a write is over by the clock of the server. `parameter`: the
 * seconds since 1970 until which it may be made.
 *
 * RETURNING is evaluated for rows that have been written, after all waiting for locks, and an error takes back the statement. A
 * condition in WHERE would not be evaluated again after a lock whose holder changed nothing; and it would count no rows, which
 * looks like a session that has gone.
 */
export function inTime(parameter: number): string {
  // Text that is no boolean is an error. It contains the time because PostgreSQL evaluates a constant while it plans.
  return `CASE WHEN clock_timestamp() <= to_timestamp($${parameter}::float8) THEN true
    ELSE concat('${LATE}', clock_timestamp())::boolean END`
}

/**
 * Returns an expression for the last statement of a transaction: if `COMMIT` does not come in time, the server ends the connection,
 * and takes back the transaction. `parameter`: as in `inTime`.
 */
export function endInTime(parameter: number): string {
  const left = `1000 * ($${parameter}::float8 - extract(epoch FROM clock_timestamp())::float8)`
  // 0 would mean no limit. The setting holds until the end of the transaction.
  return `set_config('idle_in_transaction_session_timeout', least(greatest(${left}, 1), 2147483647)::integer::text, true)`
}

/** Whether `inTime` has caused an error. */
export function isLate(error: unknown): boolean {
  return error instanceof Error && error.message.includes(LATE)
}
