const OUT_OF_RANGE = 1690

/**
 * Microseconds since 1970 by the clock of the server, at the moment. `UTC_TIMESTAMP` and `NOW` have the time at which the statement
 * began, `SYSDATE` the present one in local time, which alone would jump with summer time.
 */
export const TIME =
  "(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) + TIMESTAMPDIFF(MICROSECOND, NOW(6), SYSDATE(6)))"

/** What a write without a deadline has as its limit. */
export const UNLIMITED: number = Number.MAX_SAFE_INTEGER

/**
 * A condition for WHERE that fails if the time of a write is over by the clock of the server. Its parameter: the microseconds since
 * 1970 until which it may be made.
 *
 * WHERE is evaluated for rows that the statement has locked, after all waiting for them, and an error takes back the whole statement.
 * To match no row instead would look like a session that has gone. No error depends on `sql_mode` less than this one, and it refers to a
 * column so that the server does not evaluate it while it plans.
 */
export const IN_TIME: string = `IF(${TIME} <= ?, TRUE, EXP(710 + version))`

/** Whether `IN_TIME` has caused an error. */
export function isLate(error: unknown): boolean {
  return (Object(error) as { errno?: unknown }).errno === OUT_OF_RANGE
}
