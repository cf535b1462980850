import type { Entry } from '../history.ts'
import { entriesOf, group } from '../history.ts'

/** An id of a session, as far as the history knows it: by its key. */
export interface Id {
  readonly key: string
  readonly session: string
  readonly owner: string | undefined
  /** The key that it has replaced. */
  readonly from: string | undefined
  /** The request that got it. */
  readonly entry: Entry
}

/** Returns every id that an application has given to a browser. */
export function idsOf(entries: readonly Entry[]): Id[] {
  const begun = entriesOf(entries, 'begin').flatMap((entry): Id[] => {
    const { outcome, operation } = entry
    if (outcome.kind !== 'ok' || outcome.key === undefined) return []
    return [{ key: outcome.key, session: operation.session, owner: operation.owner, from: undefined, entry }]
  })
  const changed = entriesOf(entries, 'change').flatMap((entry): Id[] => {
    const { outcome, operation } = entry
    if (outcome.kind !== 'ok' || outcome.key === undefined) return []
    return [{ key: outcome.key, session: operation.session, owner: operation.owner, from: operation.key, entry }]
  })
  return [...begun, ...changed]
}

/**
 * Returns a function that gives the keys to which the login under a key has moved, and the key itself. A stranger's session does
 * not lead to the login that has replaced it.
 */
export function successorsIn(ids: readonly Id[]): (key: string) => ReadonlySet<string> {
  const owners = new Map(ids.map(({ key, owner }) => [key, owner]))
  const next = group(ids, ({ from, owner }) =>
    from !== undefined && owner !== undefined && owners.get(from) === owner ? from : undefined
  )
  return (key) => {
    const found = new Set([key])
    for (const one of found) for (const { key: successor } of next.get(one) ?? []) found.add(successor)
    return found
  }
}
