/** The comment of a table of a list. */
export const COMMENT = 'fastify-typed-session revocations 1'

/** How many entries a page has. */
export const PAGE = 1000
/** How many entries that are over each new one removes at most. */
const SURPLUS = 100

/** The statements of a list. Each is a transaction of its own. */
export interface RevocationStatements {
  readonly create: string
  /** Parameters: session or null, present second. Returns the entry that the list has, or null, and the newest number, or null. */
  readonly look: string
  /** Parameters: present second, the newest number, which stays, because positions lead to it. */
  readonly remove: string
  /** Parameters: mark, session or null, last second, entry. */
  readonly insert: string
  /** Parameters: present second, number and mark of a position. Returns rows with number, mark, and the entry unless it is over. */
  readonly since: string
}

/** `table`: quoted, with its database if it has one. */
export function writeStatements(table: string): RevocationStatements {
  return {
    create: `
      CREATE TABLE ${table} (
        number bigint NOT NULL AUTO_INCREMENT PRIMARY KEY,
        mark varchar(12) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
        session varchar(255) CHARACTER SET ascii COLLATE ascii_bin,
        kept_until bigint NOT NULL,
        entry longtext CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
        INDEX (session),
        INDEX (kept_until)
      ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = '${COMMENT}'`,
    look: `SELECT (SELECT entry FROM ${table} WHERE session = ? AND kept_until >= ? LIMIT 1) AS known,
      (SELECT MAX(number) FROM ${table}) AS newest`,
    remove: `DELETE FROM ${table} WHERE kept_until < ? AND number < ? ORDER BY kept_until LIMIT ${SURPLUS}`,
    insert: `INSERT INTO ${table} (mark, session, kept_until, entry) VALUES (?, ?, ?, ?)`,
    since: `SELECT number, mark, IF(kept_until >= ?, entry, NULL) AS entry FROM ${table}
      WHERE number > COALESCE((SELECT number FROM ${table} WHERE number = ? AND mark = ?), 0)
      ORDER BY number LIMIT ${PAGE}`
  }
}
