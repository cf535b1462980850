import { NO_SESSION } from '../../data/no-session.ts'
import { endInTime, inTime } from './guard.ts'
import { COMMENT, HOUR } from './table.ts'

/** One text for each statement of the store. */
export type Statements = Readonly<
  Record<
    | 'create'
    | 'lockOwner'
    | 'createWithin'
    | 'load'
    | 'commit'
    | 'commitVersion'
    | 'touch'
    | 'destroy'
    | 'list'
    | 'destroyAll'
    | 'count'
    | 'entries'
    | 'destroyEverything'
    | 'prune'
    | 'channel'
    | 'publish',
    string
  >
>

/**
 * Returns the statements for a table, whose name is quoted. They are correct at READ COMMITTED, the default of PostgreSQL,
 * where an UPDATE that has waited for another one reads the row again before it writes.
 *
 * They cannot deadlock: a statement for one key locks one row and waits for no second one, statements that remove several rows
 * of an owner lock them in the order of their keys, and `prune` waits for no lock.
 *
 * JSON and arrays are parameters of type text: some clients would write the text of JSON as a JSON string.
 */
export function writeStatements(table: string): Statements {
  const record = `key, data::text AS data, created_at AS "createdAt", last_seen_at AS "lastSeenAt", permanent, owner_id AS "ownerId",
    description, extensions, expires_at AS "expiresAt", version`
  const insert = `INSERT INTO ${table} AS old
    (key, data, created_at, last_seen_at, permanent, owner_id, description, extensions, expires_at, version)`
  const values = `$1::text, $2::text::jsonb, $3::bigint, $4::bigint, $5::boolean, $6::text, $7::text, $8::text, $9::bigint, 0`
  // A new record may take the key of an expired one.
  const orReplace = `ON CONFLICT (key) DO UPDATE SET data = EXCLUDED.data, created_at = EXCLUDED.created_at,
    last_seen_at = EXCLUDED.last_seen_at, permanent = EXCLUDED.permanent, owner_id = EXCLUDED.owner_id,
    description = EXCLUDED.description, extensions = EXCLUDED.extensions, expires_at = EXCLUDED.expires_at, version = 0
    WHERE old.expires_at < $10::bigint`
  const update = `UPDATE ${table} SET data = (data - $3::text::text[]) || $2::text::jsonb, version = version + 1,
    expires_at = $4::bigint, permanent = coalesce($5::boolean, permanent), last_seen_at = coalesce($6::bigint, last_seen_at),
    extensions = coalesce($7::text, extensions)
    WHERE key = $1::text AND expires_at >= $8::bigint`
  const isSession = `extensions IS DISTINCT FROM '${NO_SESSION}'`
  const channel = `'sessions_' || '${table.replaceAll("'", "''")}'::regclass::oid`
  return {
    create: `${insert} VALUES (${values}) ${orReplace} RETURNING ${inTime(11)}`,
    // The lock covers the table and the owner, so that two stores in one database do not wait for each other.
    lockOwner: `SELECT pg_advisory_xact_lock(hashtextextended($1, coalesce(to_regclass($2)::oid::bigint, 0)))`,
    // A second statement, because a statement sees what was committed before it began: one that first waits for `lockOwner` and then
    // counts would count too few. `done` makes `endInTime` read the clock after the evicted ones have ended. The rule is that of
    // `admission` in admission.ts.
    createWithin: `
      WITH others AS (
        SELECT key, row_number() OVER (ORDER BY created_at DESC, last_seen_at DESC, key) AS place FROM ${table}
        WHERE owner_id = $6::text AND expires_at >= $10::bigint AND key <> $1::text AND key IS DISTINCT FROM $13::text
      ), created AS (
        ${insert} SELECT ${values} WHERE $12::boolean OR (SELECT count(*) FROM others) < $11::bigint
        ${orReplace} RETURNING ${inTime(14)}
      ), doomed AS (
        SELECT key FROM ${table}
        WHERE EXISTS (SELECT FROM created) AND key IN (SELECT key FROM others WHERE place >= $11::bigint)
        ORDER BY key FOR UPDATE
      ), evicted AS (
        DELETE FROM ${table} AS old USING doomed WHERE old.key = doomed.key RETURNING old.key
      )
      SELECT CASE
        WHEN EXISTS (SELECT FROM created) THEN 'created'
        WHEN NOT $12::boolean AND (SELECT count(*) FROM others) >= $11::bigint
          AND NOT EXISTS (SELECT FROM ${table} WHERE key = $1::text AND expires_at >= $10::bigint) THEN 'over-limit'
        ELSE 'exists' END AS outcome, evicted, ${endInTime(14)}
      FROM (SELECT json_agg(key)::text AS evicted FROM evicted) AS done`,
    load: `SELECT ${record} FROM ${table} WHERE key = $1 AND expires_at >= $2`,
    commit: `${update} RETURNING ${inTime(9)}`,
    // Separate from `commit`, because it takes three times as long to plan. The lock in `found` reads the newest version of the
    // row: without it, a record that was destroyed while the update waited would count as a conflict.
    commitVersion: `
      WITH written AS (
        ${update} AND version = $9::integer RETURNING ${inTime(10)}
      ), found AS (
        SELECT 1 FROM ${table}
        WHERE key = $1::text AND expires_at >= $8::bigint AND NOT EXISTS (SELECT FROM written) FOR NO KEY UPDATE
      )
      SELECT CASE
        WHEN EXISTS (SELECT FROM written) THEN 'committed'
        WHEN EXISTS (SELECT FROM found) THEN 'conflict'
        ELSE 'gone' END AS result`,
    touch: `UPDATE ${table} SET expires_at = $2::bigint, last_seen_at = coalesce($3::bigint, last_seen_at)
      WHERE key = $1 AND expires_at >= $4 RETURNING ${inTime(5)}`,
    destroy: `DELETE FROM ${table} WHERE key = $1`,
    list: `SELECT ${record} FROM ${table} WHERE owner_id = $1 AND expires_at >= $2`,
    destroyAll: `
      WITH doomed AS (
        SELECT key FROM ${table} WHERE owner_id = $1 AND key IS DISTINCT FROM $2 AND expires_at >= $3
        ORDER BY key FOR UPDATE
      )
      DELETE FROM ${table} AS old USING doomed WHERE old.key = doomed.key RETURNING ${inTime(4)}`,
    count: `SELECT count(*) AS sessions FROM ${table} WHERE expires_at >= $1 AND ${isSession}`,
    entries: `SELECT ${record} FROM ${table} WHERE key > $1 AND expires_at >= $2 AND ${isSession} ORDER BY key LIMIT $3`,
    destroyEverything: `
      WITH doomed AS (
        SELECT key FROM ${table} WHERE key > $1 ORDER BY key LIMIT $2 FOR UPDATE
      )
      DELETE FROM ${table} AS old USING doomed WHERE old.key = doomed.key RETURNING old.key, ${inTime(3)}`,
    // One process at a time: whoever does not get the lock removes nothing. A lock of two numbers is none of `lockOwner`.
    prune: `
      WITH turn AS (
        SELECT pg_try_advisory_xact_lock(hashtext('${COMMENT} prune'), to_regclass($3)::oid::integer) AS is_mine
      ), doomed AS (
        SELECT key FROM ${table}
        WHERE (SELECT is_mine FROM turn) AND expires_hour <= $1::bigint / ${HOUR} AND expires_at < $1::bigint
        ORDER BY expires_hour LIMIT $2 FOR UPDATE SKIP LOCKED
      )
      DELETE FROM ${table} AS old USING doomed WHERE old.key = doomed.key`,
    channel: `SELECT ${channel} AS channel`,
    publish: `SELECT pg_notify(${channel}, $1)`
  }
}
