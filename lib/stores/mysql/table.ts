import { InvalidOptionError } from '../../errors.ts'

/** The seconds of an `expires_hour`. */
export const HOUR = 3600

/** The comment of a table of this store begins with it; the version follows. */
export const COMMENT: string = 'fastify-typed-session'

/** The columns of the current version. */
export const COLUMNS: readonly (readonly [name: string, type: string, rest: string])[] = [
  // Bytes: every collation but a few would take some texts for the same, such as those that differ by spaces at their ends.
  ['key', 'varbinary', '(43) NOT NULL PRIMARY KEY'],
  ['created_at', 'bigint', ' NOT NULL'],
  ['last_seen_at', 'bigint', ' NOT NULL'],
  ['expires_at', 'bigint', ' NOT NULL'],
  // Indexed instead of expires_at, because it seldom changes: an update that changes no indexed column writes to no other index.
  ['expires_hour', 'bigint', ` GENERATED ALWAYS AS (expires_at DIV ${HOUR}) STORED`],
  ['version', 'int', ' NOT NULL'],
  ['permanent', 'tinyint', ' NOT NULL'],
  // 255 characters of UTF-8.
  ['owner_id', 'varbinary', '(1020)'],
  // No JSON: it would change numbers and the order of keys, and have a limit to depth.
  ['description', 'longtext', ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'],
  ['extensions', 'longtext', ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin'],
  ['data', 'longtext', ' CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL']
]

/** The statements that lead from each version of the table to the next. Never edit a published one; append a new one. */
export const MIGRATIONS: readonly ((table: string) => string)[] = [
  (table) => `
    CREATE TABLE ${table} (
      ${COLUMNS.map(([name, type, rest]) => `\`${name}\` ${type}${rest}`).join(',\n      ')},
      INDEX (expires_hour),
      INDEX (owner_id)
    ) ENGINE = InnoDB ROW_FORMAT = DYNAMIC COMMENT = '${COMMENT} 1'`
]

/** Returns the statements that lead from a version of a table, whose name is quoted, to the current one. */
export function migrationsFrom(version: number, table: string): string[] {
  return MIGRATIONS.slice(version).map((write) => write(table))
}

/** Returns the comment of a table, and no row without a table. Parameters: database or null, table. */
export const INSPECT = `SELECT TABLE_COMMENT AS comment FROM information_schema.TABLES
  WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?`

/** Returns the name and the type of each column. Parameters: as above. */
export const INSPECT_COLUMNS = `SELECT COLUMN_NAME AS name, DATA_TYPE AS type FROM information_schema.COLUMNS
  WHERE TABLE_SCHEMA = COALESCE(?, DATABASE()) AND TABLE_NAME = ?`

/** Returns the missing columns with their types; empty if there are none. */
export function missingFrom(found: readonly { readonly name: string; readonly type: string }[]): string {
  const has = new Set(found.map(({ name, type }) => `${name} ${type}`))
  return COLUMNS.map(([name, type]) => `${name} ${type}`)
    .filter((column) => !has.has(column))
    .join(', ')
}

/**
 * Returns the version of a table; 0 if it does not exist. Throws `ERR_SESSION_OPTION_INVALID` if it is not a table of this
 * store.
 */
export function readVersion(table: string, comment: string | undefined): number {
  if (comment === undefined) return 0
  const version = new RegExp(`^${COMMENT} (\\d+)$`).exec(comment)?.[1]
  if (version === undefined) {
    throw new InvalidOptionError(
      `The table ${table} exists, but MySqlStore did not create it: its comment is not '${COMMENT} ${MIGRATIONS.length}'. Set the option table to another name.`
    )
  }
  if (Number(version) > MIGRATIONS.length) {
    throw new InvalidOptionError(
      `The table ${table} has version ${version}; this version of the package supports ${MIGRATIONS.length}. Update the package.`
    )
  }
  return Number(version)
}
