import type { StoredRecord } from '../../../types/store.ts'
import { isObject } from '../../util/check.ts'

/** A bigint as the client returns it. */
type PostgresBigint = number | string | bigint

/** A row as the statements return it. */
export interface Row {
  readonly key: string
  readonly data: string
  readonly createdAt: PostgresBigint
  readonly lastSeenAt: PostgresBigint
  readonly permanent: boolean
  readonly ownerId: string | null
  readonly description: string | null
  readonly extensions: string | null
  readonly expiresAt: PostgresBigint
  readonly version: number
}

/**
 * Returns members as the column `data` holds them: each name with the JSON of its value, as text. As jsonb values, the keys
 * inside a value would change their order, and PostgreSQL would refuse U+0000 and lone surrogates, which JavaScript allows.
 */
export function toData(members: Iterable<readonly [name: string, text: string]>): string {
  return `{${Array.from(members, ([name, text]) => `${JSON.stringify(toName(name))}:${JSON.stringify(text)}`).join(',')}}`
}

/** Returns the name of a member as JSON writes it, without the quotation marks, for the same reason. */
export function toName(name: string): string {
  return JSON.stringify(name).slice(1, -1)
}

/** Returns an array of texts as PostgreSQL writes it: not every client can do that. */
export function toArray(texts: readonly string[]): string {
  return `{${texts.map((text) => JSON.stringify(text)).join(',')}}`
}

/** Returns the record of a row. */
export function toRecord(row: Row): StoredRecord {
  const members: unknown = JSON.parse(row.data)
  return {
    key: row.key,
    // Somebody may have written other JSON to the column: the plugin refuses what is no object.
    json: isObject(members) ? toJson(members as Record<string, string>) : row.data,
    createdAt: Number(row.createdAt),
    lastSeenAt: Number(row.lastSeenAt),
    permanent: row.permanent,
    ownerId: row.ownerId ?? undefined,
    description: row.description ?? undefined,
    extensions: row.extensions ?? undefined,
    expiresAt: Number(row.expiresAt),
    version: row.version
  }
}

function toJson(members: Readonly<Record<string, string>>): string {
  return `{${Object.entries(members)
    .map(([name, text]) => `"${name}":${text}`)
    .join(',')}}`
}
