import { NO_SESSION } from '../../data/no-session.ts'
import { IN_TIME } from './guard.ts'
import { HOUR } from './table.ts'

/** How many rows `prune` removes at most, and each step that removes all. */
export const PRUNE_BATCH = 1000

/**
 * What statements that write give to `LAST_INSERT_ID`: the number of rows that they tell depends on a flag of the client. The expressions
 * refer to a column, because the server evaluates constants while it plans.
 */
export const DONE = 1
export const CONFLICT = 2

/** The statements of the store. Each is a transaction of its own. */
export interface Statements {
  /**
   * Adds a record that is not live yet, whose `expires_at` is a negative number which nobody else has, or overwrites one that is not live.
   * Parameters: key, data, created, last seen, permanent, owner, description, extensions, that number, the present second.
   */
  readonly reserve: string
  /** Makes a reserved record live, and ends `others` records. Parameters: number, last second, keys with that of the new one first, its key, number, limit. */
  activate(others: number): string
  readonly load: string
  /** Returns the data and the version. Parameters: key, present second. */
  readonly read: string
  /** Parameters: data, last second, permanent, last seen, extensions, key, limit, present second, version. */
  readonly commit: string
  /** Parameters: last second, last seen, key, limit, present second. */
  readonly touch: string
  readonly destroy: string
  readonly list: string
  /** Returns what `admission` needs of the live records of an owner, oldest first, and the record of a key. Parameters: owner, second, key, second. */
  readonly candidates: string
  /** Parameters: owner, key that stays or null, present second, limit. */
  readonly destroyAll: string
  /** Parameters: present second. */
  readonly count: string
  /** Parameters: key, present second. */
  entries(limit: number): string
  /** Leaves reservations: nobody is logged in by one. Parameters: limit. */
  readonly destroyEverything: string
  /** Parameters: present second, the least `expires_at`, present second. */
  readonly prune: string
}

/**
 * Returns the statements for a table, whose name is quoted. They are correct at any isolation level: an UPDATE or DELETE reads the newest
 * version of each row, when it has got the lock of that row, and evaluates its WHERE then.
 */
export function writeStatements(table: string): Statements {
  const text = (column: string): string => `CONVERT(\`${column}\` USING utf8mb4)`
  const record = `${text('key')} AS \`key\`, data, created_at AS createdAt, last_seen_at AS lastSeenAt, permanent,
    ${text('owner_id')} AS ownerId, description, extensions, expires_at AS expiresAt, version`
  const isSession = `NOT extensions <=> '${NO_SESSION}'`
  const written = ['data', 'created_at', 'last_seen_at', 'permanent', 'owner_id', 'description', 'extensions']
  // The columns are assigned in this order, and each expression sees the columns before it with their new values: expires_at is the last.
  const overwrite = [...written, 'version', 'expires_at']
    .map((column) => `${column} = IF(expires_at < ?, VALUES(${column}), ${column})`)
    .join(', ')
  return {
    reserve: `INSERT INTO ${table} (\`key\`, ${written.join(', ')}, expires_at, version)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0) ON DUPLICATE KEY UPDATE ${overwrite}`,
    activate: (others) => `UPDATE ${table}
      SET expires_at = IF(expires_at = ?, LAST_INSERT_ID(IF(expires_at < 0, ${DONE}, 0)) * ?, 0)
      WHERE \`key\` IN (?${', ?'.repeat(others)}) AND (\`key\` <> ? OR expires_at = ?) AND ${IN_TIME}`,
    load: `SELECT ${record} FROM ${table} WHERE \`key\` = ? AND expires_at >= ?`,
    read: `SELECT data, version FROM ${table} WHERE \`key\` = ? AND expires_at >= ?`,
    commit: `UPDATE ${table} SET data = ?, version = version + 1, expires_at = ?, permanent = COALESCE(?, permanent),
      last_seen_at = COALESCE(?, last_seen_at), extensions = COALESCE(?, extensions)
      WHERE \`key\` = ? AND ${IN_TIME} AND LAST_INSERT_ID(CASE
        WHEN expires_at < ? THEN 0
        WHEN version <> ? THEN ${CONFLICT}
        ELSE ${DONE} END) = ${DONE}`,
    touch: `UPDATE ${table} SET expires_at = ?, last_seen_at = COALESCE(?, last_seen_at)
      WHERE \`key\` = ? AND ${IN_TIME} AND LAST_INSERT_ID(IF(expires_at < ?, 0, ${DONE})) = ${DONE}`,
    destroy: `DELETE FROM ${table} WHERE \`key\` = ?`,
    list: `SELECT ${record} FROM ${table} WHERE owner_id = ? AND expires_at >= ?`,
    candidates: `SELECT ${text('key')} AS \`key\`, created_at AS createdAt FROM (
        SELECT \`key\`, created_at, last_seen_at FROM ${table} WHERE owner_id = ? AND expires_at >= ?
        UNION SELECT \`key\`, created_at, last_seen_at FROM ${table} WHERE \`key\` = ? AND expires_at >= ?
      ) AS live ORDER BY created_at, last_seen_at, live.\`key\` DESC`,
    destroyAll: `DELETE FROM ${table} WHERE owner_id = ? AND NOT \`key\` <=> ? AND expires_at >= ? AND ${IN_TIME}`,
    count: `SELECT COUNT(*) AS sessions FROM ${table} WHERE expires_at >= ? AND ${isSession}`,
    // By the column: the name alone would mean the converted text, which has another order.
    entries: (limit) => `SELECT ${record} FROM ${table} AS kept WHERE \`key\` > ? AND expires_at >= ? AND ${isSession}
      ORDER BY kept.\`key\` LIMIT ${limit}`,
    destroyEverything: `DELETE FROM ${table} WHERE expires_at >= 0 AND ${IN_TIME} ORDER BY \`key\` LIMIT ${PRUNE_BATCH}`,
    prune: `DELETE FROM ${table} WHERE expires_hour <= ? DIV ${HOUR} AND expires_at >= ? AND expires_at < ?
      ORDER BY expires_hour LIMIT ${PRUNE_BATCH}`
  }
}
