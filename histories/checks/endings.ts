import type { Check, Entry, History, Violation } from '../history.ts'
import { group, hasOpened, isDone } from '../history.ts'
import type { Id } from './lineage.ts'
import { idsOf, successorsIn } from './lineage.ts'

/**
 * After an acknowledged end (logout, `revoke()`, `revokeAll()`) no request that comes later opens the session, under whatever id,
 * and no list has it.
 */
export const endings: Check = (history) => {
  const endedBy = firstEnds(history)
  const violations: Violation[] = []
  const report = (key: string, entry: Entry, what: string): void => {
    const end = endedBy.get(key)
    if (end === undefined || end.answeredAt >= entry.invokedAt) return
    violations.push({ check: 'endings', text: `${what} after ${end.operation.kind}`, entries: [end, entry] })
  }
  for (const entry of history.entries) {
    const { operation, outcome } = entry
    if (hasOpened(entry) && 'key' in operation) report(operation.key, entry, `${operation.kind} opened the session`)
    if (outcome.kind === 'ok') for (const key of outcome.keys ?? []) report(key, entry, 'the session is listed')
  }
  return violations
}

/** Returns, for each key, the first acknowledged request that has ended it. */
function firstEnds({ entries }: History): Map<string, Entry> {
  const ids = idsOf(entries)
  const successors = successorsIn(ids)
  const byOwner = group(ids, ({ owner }) => owner)
  const ends = entries.filter(isDone).sort((a, b) => a.answeredAt - b.answeredAt)
  const first = new Map<string, Entry>()
  for (const end of ends) {
    for (const key of endedKeys(end, byOwner, successors)) if (!first.has(key)) first.set(key, end)
  }
  return first
}

function endedKeys(
  { operation, invokedAt }: Entry,
  byOwner: ReadonlyMap<string, readonly Id[]>,
  successors: (key: string) => ReadonlySet<string>
): Iterable<string> {
  if (operation.kind === 'logout' || operation.kind === 'revoke') return successors(operation.key)
  if (operation.kind !== 'revokeAll') return []
  const kept = operation.except === undefined ? new Set() : successors(operation.except)
  // A session that begins at the same time may begin after it.
  const earlier = (byOwner.get(operation.owner) ?? []).filter(({ entry }) => entry.answeredAt < invokedAt)
  return earlier.flatMap(({ key }) => [...successors(key)]).filter((key) => !kept.has(key))
}
