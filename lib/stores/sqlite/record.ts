import type { StoredRecord } from '../../../types/store.ts'
import { unlessUnreadable } from '../../errors.ts'
import { decodeOwner } from '../decode-owner.ts'

/** A row of the table. A handle may return integers as bigint. */
export interface Row {
  readonly key: string
  readonly data: string
  readonly created_at: number | bigint
  readonly last_seen_at: number | bigint
  readonly permanent: number | bigint
  readonly owner: string | null
  readonly description: string | null
  readonly extensions: string | null
  readonly expires_at: number | bigint
  readonly version: number | bigint
}

/** Returns the id as JSON, because text of SQLite cannot hold lone surrogates, nor U+0000 in every library. */
export function encodeOwner(ownerId: string): string {
  return JSON.stringify(ownerId)
}

/** Converts integers by `Number`, because a handle may be configured to return each of them as a bigint. */
export function toRecord(row: Row): StoredRecord {
  return {
    key: row.key,
    json: row.data,
    createdAt: Number(row.created_at),
    lastSeenAt: Number(row.last_seen_at),
    permanent: Number(row.permanent) === 1,
    ownerId: row.owner === null ? undefined : decodeOwner(row.owner),
    description: row.description ?? undefined,
    extensions: row.extensions ?? undefined,
    expiresAt: Number(row.expires_at),
    version: Number(row.version)
  }
}

/** Leaves out what cannot be read. */
export function toReadable(rows: readonly Row[]): StoredRecord[] {
  return rows.flatMap((row) => {
    try {
      return [toRecord(row)]
    } catch (error) {
      unlessUnreadable(error)
      return []
    }
  })
}
