import type { Check, Entry, History, Violation } from '../history.ts'
import { entriesOf, group, hasOpened, isAbandoned, keyOf, keysOf, lastEffect, ownerOf } from '../history.ts'
import { idsOf } from './lineage.ts'

/**
 * An owner never has more live sessions than the limit. On top come those that are getting a new id while the list is read, and
 * those that begin meanwhile: a list need not be of one moment.
 */
export const limit: Check = (history) => {
  const { entries, bounds } = history
  const ids = idsOf(entries)
  const owners = new Map(ids.map(({ key, owner }) => [key, owner]))
  const moving = group(entries.filter(mayAdd), ownerOf)
  const judge = (owner: string, live: number, from: number, to: number, shown: readonly Entry[]): Violation[] => {
    const others = (moving.get(owner) ?? []).filter(
      (entry) => entry.invokedAt <= to && from <= lastMove(entry, history)
    )
    if (live <= bounds.maxPerOwner + others.length) return []
    const text = `${live} live sessions of one owner, ${bounds.maxPerOwner} allowed, ${others.length} under way`
    return [{ check: 'limit', text, entries: shown }]
  }
  const listed = entriesOf(entries, 'list').flatMap((entry) => {
    const { operation, outcome, invokedAt, answeredAt } = entry
    if (outcome.kind !== 'ok') return []
    return judge(operation.owner, keysOf(entry).length, invokedAt, answeredAt, [entry])
  })
  const last = entries.filter((entry) => entry.invokedAt >= bounds.healthyFrom && hasOpened(entry))
  const byOwner = group(last, (entry) => owners.get(keyOf(entry) as string))
  const opened = [...byOwner].flatMap(([owner, reads]) => {
    const keys = new Set(reads.map(keyOf))
    return judge(owner, keys.size, bounds.healthyFrom, Number.POSITIVE_INFINITY, reads)
  })
  return [...listed, ...opened]
}

/** A change of id that fails in the end has had both records for a moment, too. */
function mayAdd({ operation, outcome }: Entry): boolean {
  return operation.kind === 'change' || (operation.kind === 'begin' && outcome.kind !== 'refused')
}

/** When both records of a change of id, or one that replaces another, are no longer there together. */
function lastMove(entry: Entry, history: History): number {
  if (entry.outcome.kind !== 'unknown') return entry.answeredAt
  if (isAbandoned(entry, history)) return Number.POSITIVE_INFINITY
  const isUndone = entry.operation.kind === 'change'
  return isUndone ? history.bounds.healthyFrom : lastEffect(entry, history.bounds)
}
