import type { StoredRecord } from '../../../types/store.ts'

/** A row as the statements return it. `pg` may return a bigint as a string. */
export interface Row {
  readonly key: string
  readonly data: string
  readonly createdAt: number | string
  readonly lastSeenAt: number | string
  readonly permanent: boolean
  readonly ownerId: string | null
  readonly description: string | null
  readonly expiresAt: number | string
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

/** Returns the record of a row. */
export function toRecord(row: Row): StoredRecord {
  const members: Record<string, string> = JSON.parse(row.data)
  return {
    key: row.key,
    json: `{${Object.entries(members)
      .map(([name, text]) => `"${name}":${text}`)
      .join(',')}}`,
    createdAt: Number(row.createdAt),
    lastSeenAt: Number(row.lastSeenAt),
    permanent: row.permanent,
    ownerId: row.ownerId ?? undefined,
    description: row.description ?? undefined,
    expiresAt: Number(row.expiresAt),
    version: row.version
  }
}
