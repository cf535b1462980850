import { InvalidOptionError } from '../../errors.ts'

/** The seconds of an `expires_hour`. */
export const HOUR = 3600

/** The state of a table, for `migrate`. */
export interface Inspection {
  readonly comment: string | null
  readonly unlogged: boolean
  /** The missing columns, with their types. */
  readonly missing: string
}

/** The comment of a table of this store begins with it; the version follows. */
export const COMMENT: string = 'fastify-typed-session'

/** The columns of the current version. */
export const COLUMNS: readonly (readonly [name: string, type: string, rest: string])[] = [
  // The collation C compares bytes: an upgrade of the system's collations does not break the indexes.
  ['key', 'text', 'COLLATE "C" PRIMARY KEY'],
  ['created_at', 'bigint', 'NOT NULL'],
  ['last_seen_at', 'bigint', 'NOT NULL'],
  ['expires_at', 'bigint', 'NOT NULL'],
  // Indexed instead of expires_at, because it seldom changes: an update that changes no indexed column writes to no index (a
  // heap-only tuple).
  ['expires_hour', 'bigint', `NOT NULL GENERATED ALWAYS AS (expires_at / ${HOUR}) STORED`],
  ['version', 'integer', 'NOT NULL'],
  ['permanent', 'boolean', 'NOT NULL'],
  ['owner_id', 'text', 'COLLATE "C"'],
  ['description', 'text', ''],
  ['extensions', 'text', ''],
  ['data', 'jsonb', 'NOT NULL']
]

/** The statements that lead from each version of the table to the next. Never edit a published one; append a new one. */
export const MIGRATIONS: readonly ((table: string) => string)[] = [
  (table) => `
    CREATE TABLE ${table} (
      ${COLUMNS.map((column) => column.join(' ').trim()).join(',\n      ')}
    ) WITH (fillfactor = 90);
    CREATE INDEX ON ${table} (expires_hour);
    CREATE INDEX ON ${table} (owner_id) WHERE owner_id IS NOT NULL`
]

/** Returns the statements that lead from a version of a table, whose name is quoted, to the current one. */
export function migrationsFrom(version: number, table: string): string[] {
  if (version === MIGRATIONS.length) return []
  const steps = MIGRATIONS.slice(version).map((write) => write(table))
  return [...steps, `COMMENT ON TABLE ${table} IS '${COMMENT} ${MIGRATIONS.length}'`]
}

/** Returns an `Inspection`. Parameters: the quoted name of the table, and an array of its columns as `name type`. */
export const INSPECT: string = `
  SELECT obj_description(oid, 'pg_class') AS comment, relpersistence = 'u' AS unlogged, array_to_string(ARRAY(
    SELECT unnest($2::text::text[])
    EXCEPT
    SELECT attname || ' ' || format_type(atttypid, NULL) FROM pg_attribute
      WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
  ), ', ') AS missing
  FROM pg_class WHERE oid = to_regclass($1)`

/**
 * Returns the version of a table; 0 if it does not exist. Throws `ERR_SESSION_OPTION_INVALID` if it is not a table of this
 * store.
 */
export function readVersion(table: string, found: Inspection | undefined): number {
  if (found === undefined) return 0
  const version = new RegExp(`^${COMMENT} (\\d+)$`).exec(found.comment ?? '')?.[1]
  if (version === undefined) {
    throw new InvalidOptionError(
      `The table ${table} exists, but PostgresStore did not create it: its comment is not '${COMMENT} ${MIGRATIONS.length}'. Set the option table to another name.`
    )
  }
  if (Number(version) > MIGRATIONS.length) {
    throw new InvalidOptionError(
      `The table ${table} has version ${version}; this version of the package supports ${MIGRATIONS.length}. Update the package.`
    )
  }
  return Number(version)
}
