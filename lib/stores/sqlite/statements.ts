import { NO_SESSION } from '../../data/no-session.ts'
import { InvalidOptionError } from '../../errors.ts'
import type { Handle, Prepared } from './options.ts'
import { inTransaction } from './transaction.ts'

/** Milliseconds that opening a store waits for other processes. */
const OPENING_TIMEOUT = 1000
/** How many rows `prune` removes at most, and each step that removes all. */
export const PRUNE_BATCH = 500
/** How many rows are counted in one step. */
export const COUNT_BATCH = 10_000

/** The statements of the store, prepared for its table. */
export interface Statements {
  readonly insert: Prepared
  readonly find: Prepared
  readonly update: Prepared
  readonly touch: Prepared
  readonly remove: Prepared
  readonly end: Prepared
  readonly list: Prepared
  readonly candidates: Prepared
  readonly removeOwned: Prepared
  readonly prune: Prepared
  readonly count: Prepared
  readonly entries: Prepared
  readonly removeEvery: Prepared
}

/**
 * Prepares a handle for the store: its settings, the table, the statements. While another process makes the table, it waits and
 * blocks this one. Afterwards nothing waits in SQLite.
 */
export function prepare(database: Handle, name: string): Statements {
  database.exec(`PRAGMA busy_timeout = ${OPENING_TIMEOUT}; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL`)
  createTable(database, name, tableSql(name))
  database.exec('PRAGMA busy_timeout = 0')
  const table = `"${name}"`
  const isSession = `extensions IS NOT '${NO_SESSION}'`
  try {
    return {
      insert: database.prepare(
        `INSERT INTO ${table} AS old (key, data, created_at, last_seen_at, permanent, owner, description, extensions, expires_at, version)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0)
        ON CONFLICT (key) DO UPDATE SET data = excluded.data, created_at = excluded.created_at, last_seen_at = excluded.last_seen_at,
          permanent = excluded.permanent, owner = excluded.owner, description = excluded.description,
          extensions = excluded.extensions, expires_at = excluded.expires_at, version = 0
        WHERE old.expires_at < ?`
      ),
      find: database.prepare(`SELECT * FROM ${table} WHERE key = ? AND expires_at >= ?`),
      update: database.prepare(
        `UPDATE ${table} SET data = ?, permanent = ?, last_seen_at = ?, extensions = ?, expires_at = ?, version = version + 1
        WHERE key = ?`
      ),
      touch: database.prepare(
        `UPDATE ${table} SET expires_at = ?, last_seen_at = coalesce(?, last_seen_at) WHERE key = ? AND expires_at >= ?`
      ),
      remove: database.prepare(`DELETE FROM ${table} WHERE key = ?`),
      end: database.prepare(`DELETE FROM ${table} WHERE key = ? AND expires_at >= ?`),
      list: database.prepare(`SELECT * FROM ${table} WHERE owner = ? AND expires_at >= ?`),
      candidates: database.prepare(
        `SELECT key, created_at FROM ${table} WHERE owner = ? AND expires_at >= ? ORDER BY created_at, rowid`
      ),
      removeOwned: database.prepare(`DELETE FROM ${table} WHERE owner = ? AND expires_at >= ? AND key IS NOT ?`),
      prune: database.prepare(
        `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE expires_at < ? LIMIT ${PRUNE_BATCH})`
      ),
      count: database.prepare(
        `SELECT count(*) AS rows, max(key) AS last, count(*) FILTER (WHERE expires_at >= ? AND ${isSession}) AS sessions
        FROM (SELECT key, expires_at, extensions FROM ${table} WHERE key > ? ORDER BY key LIMIT ${COUNT_BATCH})`
      ),
      entries: database.prepare(
        `SELECT * FROM ${table} WHERE key > ? AND expires_at >= ? AND ${isSession} ORDER BY key LIMIT ?`
      ),
      removeEvery: database.prepare(
        `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} LIMIT ${PRUNE_BATCH})`
      )
    }
  } catch (cause) {
    const message = `The table ${table} exists, but it does not belong to the SqliteStore. Set the option table to another name.`
    throw Object.assign(new InvalidOptionError(message), { cause })
  }
}

/** Looks for the table first: creating one, even with IF NOT EXISTS, would wait for the process that is writing. */
export function createTable(database: Handle, name: string, sql: string): void {
  const count = database.prepare("SELECT count(*) AS count FROM sqlite_schema WHERE type = 'table' AND name = ?")
  if (Number((count.get(name) as { count: number | bigint }).count) === 1) return
  inTransaction(database, () => database.exec(sql))
}

/** Returns the statements that create the table and its indexes. */
export function tableSql(name: string): string {
  return `
      CREATE TABLE IF NOT EXISTS "${name}" (
        key TEXT NOT NULL PRIMARY KEY,
        data TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        last_seen_at INTEGER NOT NULL,
        permanent INTEGER NOT NULL,
        owner TEXT,
        description TEXT,
        extensions TEXT,
        expires_at INTEGER NOT NULL,
        version INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX IF NOT EXISTS "${name}_expires_at" ON "${name}" (expires_at);
      CREATE INDEX IF NOT EXISTS "${name}_owner" ON "${name}" (owner, created_at) WHERE owner IS NOT NULL`
}
