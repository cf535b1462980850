import type { StoredRecord } from '../../../types/store.ts'

/** A row as the statements return it. `mysql2` may return a number as a string. */
export interface Row {
  readonly key: string
  readonly data: string
  readonly createdAt: number | string
  readonly lastSeenAt: number | string
  readonly permanent: number
  readonly ownerId: string | null
  readonly description: string | null
  readonly extensions: string | null
  readonly expiresAt: number | string
  readonly version: number | string
}

/** Returns the record of a row. */
export function toRecord(row: Row): StoredRecord {
  return {
    key: row.key,
    json: row.data,
    createdAt: Number(row.createdAt),
    lastSeenAt: Number(row.lastSeenAt),
    permanent: Number(row.permanent) !== 0,
    ownerId: row.ownerId ?? undefined,
    description: row.description ?? undefined,
    extensions: row.extensions ?? undefined,
    expiresAt: Number(row.expiresAt),
    version: Number(row.version)
  }
}
