import type { Bounds, Entry } from '../history.ts'
import { entriesOf, lastEffect, mayBeDone } from '../history.ts'

/**
 * Returns whether a write of a session may be lost although it was acknowledged, as documented: `regenerate()` keeps what its own
 * request has loaded, and a write that no `commit()` confirms says nothing if the session has got a new id.
 */
export function mayDrop(entries: readonly Entry[], bounds: Bounds): (write: Entry) => boolean {
  const changes = entriesOf(entries, 'change').filter(mayBeDone)
  return (write) => {
    const { operation } = write
    const isConfirmed = operation.kind !== 'write' || operation.commits
    return changes.some(
      (change) =>
        (!isConfirmed || change.operation.how === 'regenerate') &&
        change.invokedAt <= write.answeredAt &&
        write.invokedAt <= lastEffect(change, bounds)
    )
  }
}
