import type { Revocation, RevocationPage } from '../../types/revocations.ts'

/** A row of a list in a database. */
export interface RevocationRow {
  readonly number: string | number | bigint
  readonly mark: string
  /** As JSON; null if it is over. */
  readonly entry: string | null
}

/** Returns what a list has after a position. `rows`: in their order, at most `size`. */
export function toPage(rows: readonly RevocationRow[], position: string, size: number): RevocationPage {
  const last = rows.at(-1)
  return {
    entries: rows.flatMap(({ entry }) => (entry ? [JSON.parse(entry) as Revocation] : [])),
    position: last === undefined ? position : `${last.number} ${last.mark}`,
    hasMore: rows.length === size
  }
}
