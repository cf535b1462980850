import type { Check, Entry, History, Operation } from '../history.ts'

/**
 * How many operations of the store a request makes one after another, each with a deadline of its own: `load`, and what it is
 * about. Whoever ends a session also looks where it has gone, and `revokeAll()` looks whether new ones have come.
 */
const OPERATIONS: Readonly<Record<Operation['kind'], number>> = {
  begin: 1,
  increment: 2,
  write: 2,
  read: 2,
  change: 2,
  logout: 3,
  revoke: 2,
  revokeAll: 4,
  list: 1
}

/** Every reply comes within the deadlines of the operations that it needs. The time that its process stood still is not counted. */
export const deadlines: Check = (history) =>
  history.entries.flatMap((entry) => {
    const { storeTimeout, slack } = history.bounds
    const allowed = OPERATIONS[entry.operation.kind] * storeTimeout
    const taken = Math.round(entry.answeredAt - entry.invokedAt - standstill(entry, history))
    if (taken <= allowed + slack) return []
    const text = `${entry.operation.kind} took ${taken} ms, ${allowed} ms and ${slack} ms for a busy machine allowed`
    return [{ check: 'deadlines', text, entries: [entry] }]
  })

function standstill({ process, invokedAt, answeredAt }: Entry, { interruptions }: History): number {
  return interruptions
    .filter((interruption) => interruption.process === undefined || interruption.process === process)
    .map(({ from, to }) => Math.max(0, Math.min(to, answeredAt) - Math.max(from, invokedAt)))
    .reduce((sum, part) => sum + part, 0)
}
