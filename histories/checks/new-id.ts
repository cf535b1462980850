import type { Check, Entry, History, Violation } from '../history.ts'
import { entriesOf, group, hasOpened, isAbandoned } from '../history.ts'
import { idsOf } from './lineage.ts'

/**
 * A change of id neither doubles a session nor loses it: the old id opens nothing after it, and of several changes one wins. An
 * answer that says nothing of the outcome brings no new id, and what it has left behind does not stay.
 */
export const newId: Check = (history) => [
  ...doubled(history),
  ...entriesOf(history.entries, 'change').filter(toldNothing).map(withCookie),
  ...entriesOf(history.entries, 'begin').filter(toldNothing).map(withCookie),
  ...orphans(history)
]

function doubled({ entries }: History): Violation[] {
  const ids = idsOf(entries)
  const replaced = group(ids, ({ from }) => from)
  const twice = [...replaced.values()]
    .filter((successors) => successors.length > 1)
    .map((successors) => violation('one id was replaced twice', ...successors.map(({ entry }) => entry)))
  const opened = entries.filter(hasOpened).flatMap((entry) => {
    const { operation } = entry
    const [first] = ('key' in operation && replaced.get(operation.key)) || []
    if (first === undefined || first.entry.answeredAt >= entry.invokedAt) return []
    return [violation('the old id still opens', first.entry, entry)]
  })
  return [...twice, ...opened]
}

function toldNothing({ outcome }: Entry): boolean {
  return outcome.kind === 'unknown' && outcome.setsCookie
}

function withCookie(entry: Entry): Violation {
  return violation('a failure brings a new cookie', entry)
}

/** Sessions that are listed although no browser has ever got them. */
function orphans(history: History): Violation[] {
  const { entries, bounds } = history
  const known = new Set(idsOf(entries).map(({ key }) => key))
  // Only the process that has left a session behind can undo it. A change of id that met an end has to remove one, too.
  const left = group(
    entries.filter((entry) => entry.outcome.kind !== 'ok' && isAbandoned(entry, history)),
    ({ operation }) => (operation.kind === 'begin' || operation.kind === 'change' ? operation.owner : undefined)
  )
  return entriesOf(entries, 'list')
    .filter(({ invokedAt }) => invokedAt >= bounds.healthyFrom)
    .flatMap((entry) => {
      const keys = (entry.outcome.kind === 'ok' && entry.outcome.keys) || []
      const unknown = keys.filter((key) => !known.has(key)).length
      const allowed = left.get(entry.operation.owner)?.length ?? 0
      return unknown <= allowed ? [] : [violation(`${unknown} sessions are listed that no browser has`, entry)]
    })
}

function violation(text: string, ...entries: readonly Entry[]): Violation {
  return { check: 'new-id', text, entries }
}
