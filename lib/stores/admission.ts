import type { OwnerLimit, StoredRecord } from '../../types/store.ts'

/** What `admission` reads of a record. */
type Candidate = Pick<StoredRecord, 'key' | 'createdAt'>

/**
 * The rule of `maxPerOwner`: decides whether an owner with these live records may have one more.
 *
 * Returns the records to end first, oldest `createdAt` first and in the given order within one second; an empty array when
 * there is room. Returns `refuse` when there is none and the limit does not evict. The record that the new one replaces does
 * not count.
 *
 * Stores whose engine decides apply the same rule there: RedisStore in Lua, PostgresStore in SQL.
 */
export function admission<Found extends Candidate>(
  live: readonly Found[],
  { max, evict }: OwnerLimit,
  replacing: string | undefined
): readonly Found[] | 'refuse' {
  const others = live.filter(({ key }) => key !== replacing)
  const surplus = others.length + 1 - max
  if (surplus <= 0) return []
  return evict ? others.toSorted((a, b) => a.createdAt - b.createdAt).slice(0, surplus) : 'refuse'
}
