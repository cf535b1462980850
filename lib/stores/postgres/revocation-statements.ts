/** The comment of a table of a list. */
export const COMMENT = 'fastify-typed-session revocations 1'

/** How many entries a page has. */
export const PAGE = 1000
/** How many of the oldest entries each new one looks at, to remove those that are over. */
const SURPLUS = 100

/** The statements of a list. */
export interface RevocationStatements {
  /** No parameters. Returns the comment of the table, and no row without a table. */
  readonly inspect: string
  readonly create: string
  /**
   * Of those that add, one at a time: otherwise a reader could see a number before a lower one. The lock is held until the end of the
   * transaction.
   */
  readonly lock: string
  /** Parameters: mark, session or null, last second, entry, present second. Returns the entry that the list has, or null. */
  readonly add: string
  /** Parameters: number and mark of a position, present second. Returns rows with number, mark, and the entry unless it is over. */
  readonly since: string
  /** Returns the channel of the list, which no other one of the database has. */
  readonly channel: string
}

/** `table`: quoted, with the schema. */
export function writeStatements(table: string): RevocationStatements {
  const literal = `'${table.replaceAll("'", "''")}'`
  const channel = `'session_revocations_' || ${literal}::regclass::oid`
  return {
    inspect: `SELECT obj_description(oid, 'pg_class') AS comment FROM pg_class WHERE oid = to_regclass(${literal})`,
    create: `
      CREATE TABLE ${table} (
        number bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY,
        mark text NOT NULL,
        session text COLLATE "C",
        kept_until bigint NOT NULL,
        entry text NOT NULL
      );
      CREATE INDEX ON ${table} (session) WHERE session IS NOT NULL;
      COMMENT ON TABLE ${table} IS '${COMMENT}'`,
    lock: `SELECT pg_advisory_xact_lock(hashtextextended(${channel}, 0))`,
    add: `
      WITH over AS (
        DELETE FROM ${table} WHERE number IN (
          SELECT number FROM (SELECT number, kept_until FROM ${table} ORDER BY number LIMIT ${SURPLUS}) AS oldest
          -- The newest stays, because positions lead to it.
          WHERE kept_until < $5::bigint AND number < (SELECT max(number) FROM ${table})
        )
      ), known AS (
        SELECT entry FROM ${table} WHERE session = $2 AND kept_until >= $5::bigint LIMIT 1
      ), added AS (
        INSERT INTO ${table} (mark, session, kept_until, entry)
          SELECT $1, $2, $3, $4 WHERE NOT EXISTS (SELECT FROM known) RETURNING entry
      )
      SELECT (SELECT entry FROM known) AS known, (SELECT pg_notify(${channel}, entry) FROM added)`,
    since: `
      SELECT number, mark, CASE WHEN kept_until >= $3::bigint THEN entry END AS entry FROM ${table}
        WHERE number > coalesce((SELECT number FROM ${table} WHERE number = $1::bigint AND mark = $2), 0)
        ORDER BY number LIMIT ${PAGE}`,
    channel: `SELECT ${channel} AS channel`
  }
}
