import type { Bounds, Check, Entry, EntryOf, History, Violation } from '../history.ts'
import { bySession, dataOf, entriesOf, isDone, lastEffect, mayBeDone } from '../history.ts'
import { mayDrop } from './regenerations.ts'

/**
 * For each member the last acknowledged write wins: no earlier one takes its place, however late. What one request writes is
 * there as a whole.
 */
export const lastWrite: Check = (history) =>
  [...bySession(history.entries).values()].flatMap((entries) => {
    const names = new Set(entriesOf(entries, 'write').map(({ operation }) => operation.name))
    return [...names].flatMap((name) => lastWriteOf(name, entries, history))
  })

/** The member that every write sets together with the one that it names. */
export function twinOf(name: string): string {
  return `${name} twin`
}

function lastWriteOf(name: string, entries: readonly Entry[], { bounds }: History): Violation[] {
  const writes = entriesOf(entries, 'write').filter(({ operation }) => operation.name === name)
  const byValue = new Map<unknown, EntryOf<'write'>>(writes.map((entry) => [entry.operation.value, entry]))
  const drops = mayDrop(entries, bounds)
  const acknowledged = writes.filter((entry) => isDone(entry) && !drops(entry))
  /** Whether what a read has shown may be lost, so that an earlier value comes back. */
  const mayReturn = (before: Entry): boolean => {
    const [value] = valuesIn(before, name)
    const write = byValue.get(value)
    return write !== undefined && drops(write)
  }
  const violations: Violation[] = []
  const report = (text: string, ...shown: readonly (Entry | undefined)[]): void => {
    violations.push({ check: 'last-write', text, entries: shown.filter((entry) => entry !== undefined) })
  }
  /** For each write, a read after its time that shows another value. */
  const replaced = new Map<Entry, Entry>()
  const reads = entriesOf(entries, 'read').filter(isDone)
  for (const read of reads.sort((a, b) => a.invokedAt - b.invokedAt)) {
    const [value, twin] = valuesIn(read, name)
    const shown = byValue.get(value)
    if (value !== twin) report(`${name} is ${value}, its twin ${twin}: one request has set both`, shown, read)
    else if (value !== undefined && (shown === undefined || !mayBeDone(shown))) {
      report(`${name} is ${value}, which was refused or never written`, shown, read)
    } else {
      const newer = acknowledged.find((write) => write.answeredAt < read.invokedAt && isAfter(write, shown, bounds))
      const before = shown && replaced.get(shown)
      if (newer !== undefined) {
        report(`${name} is ${value}, after ${newer.operation.value} was acknowledged`, shown, newer, read)
      } else if (before !== undefined && before.answeredAt < read.invokedAt && !mayReturn(before)) {
        report(`${name} is ${value} again, after it was something else`, shown, before, read)
      }
    }
    for (const write of writes) {
      if (write !== shown && !replaced.has(write) && lastEffect(write, bounds) < read.invokedAt)
        replaced.set(write, read)
    }
  }
  return violations
}

/** Whether a write began when another one, if there is one, could take no effect any more. */
function isAfter(write: Entry, other: Entry | undefined, bounds: Bounds): boolean {
  return other === undefined || (write !== other && lastEffect(other, bounds) < write.invokedAt)
}

function valuesIn(read: Entry, name: string): [value: unknown, twin: unknown] {
  const data = dataOf(read)
  return [data[name], data[twinOf(name)]]
}
