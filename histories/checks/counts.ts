import type { Check, Entry, EntryOf, History, Violation } from '../history.ts'
import { bySession, entriesOf, isDone, lastEffect, mayBeDone } from '../history.ts'
import { mayDrop } from './regenerations.ts'

/**
 * Every acknowledged increment counts once. One whose outcome is unknown counts once or not at all, and not after its time. One
 * that was refused does not count.
 */
export const counts: Check = (history) =>
  [...bySession(history.entries).values()].flatMap((entries) => countsOf(entries, history))

function countsOf(entries: readonly Entry[], { bounds }: History): Violation[] {
  const increments = new Map(entriesOf(entries, 'increment').map((entry) => [entry.operation.token, entry]))
  const drops = mayDrop(entries, bounds)
  const reads = entriesOf(entries, 'read').filter(isDone)
  const violations = new Map<string, Violation>()
  const report = (text: string, ...shown: readonly (Entry | undefined)[]): void => {
    const found = { check: 'counts', text, entries: shown.filter((entry) => entry !== undefined) }
    if (!violations.has(text)) violations.set(text, found)
  }
  /** For each increment, a read after its time that does not have it. */
  const absent = new Map<number, Entry>()
  for (const read of reads.sort((a, b) => a.invokedAt - b.invokedAt)) {
    const applied = appliedIn(read)
    const seen = new Set<number>()
    for (const token of applied) {
      const increment = increments.get(token)
      if (seen.has(token)) report(`increment ${token} counts twice`, increment, read)
      seen.add(token)
      if (increment === undefined || !mayBeDone(increment)) {
        report(`increment ${token} was refused, and counts`, increment, read)
      }
      const before = absent.get(token)
      if (before !== undefined && before.answeredAt < read.invokedAt) {
        report(`increment ${token} counts only after its time`, increment, before, read)
      }
    }
    for (const [token, increment] of increments) {
      if (seen.has(token) || absent.has(token)) continue
      if (lastEffect(increment, bounds) < read.invokedAt) absent.set(token, read)
      if (isDone(increment) && increment.answeredAt < read.invokedAt && !drops(increment)) {
        report(`increment ${token} was acknowledged, and does not count`, increment, read)
      }
    }
  }
  return [...violations.values()]
}

function appliedIn({ outcome }: EntryOf<'read'>): readonly number[] {
  return (outcome.kind === 'ok' && outcome.data?.applied) || []
}
