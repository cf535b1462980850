import type { Check, Entry, Violation } from '../history.ts'
import { entriesOf, group, mayBeDone, ownerOf, sessionOf } from '../history.ts'
import type { Id } from './lineage.ts'
import { idsOf } from './lineage.ts'

/** A session that was acknowledged opens, and is listed, until a request ends it, gives it a new id or needs its place. */
export const kept: Check = ({ entries, bounds }) => {
  const ids = new Map(idsOf(entries).map((id) => [id.key, id]))
  const isExplained = explanations(entries)
  const judge = (id: Id | undefined, entry: Entry, what: string): Violation[] => {
    if (id === undefined || isExplained(id, entry)) return []
    return [{ check: 'kept', text: `the session is ${what}, and nothing has ended it`, entries: [id.entry, entry] }]
  }
  return entries.flatMap((entry) => {
    const { operation, outcome, invokedAt } = entry
    if (outcome.kind === 'gone' && 'key' in operation) return judge(ids.get(operation.key), entry, 'gone')
    if (outcome.kind !== 'ok' || operation.kind !== 'list' || invokedAt < bounds.healthyFrom) return []
    const absent = [...ids.values()].filter(
      ({ key, owner }) => owner === operation.owner && !outcome.keys?.includes(key)
    )
    return absent.flatMap((id) => judge(id, entry, 'not listed'))
  })
}

/** Returns whether a request may have ended an id before the end of another request, which has not found it. */
function explanations(entries: readonly Entry[]): (id: Id, finding: Entry) => boolean {
  const causes = entries.filter(mayBeDone)
  const ofSession = group(causes.filter(canEndItself), sessionOf)
  const ofOwner = group(entries.filter(canEndOthers), ownerOf)
  // While a stranger logs in, the record under the new id can be ended, and the session with it.
  const logins = new Map(entriesOf(entries, 'change').map(({ operation }) => [operation.session, operation.owner]))
  return (id, finding) => {
    const owner = id.owner ?? logins.get(id.session)
    const possible = [...(ofSession.get(id.session) ?? []), ...((owner && ofOwner.get(owner)) || [])]
    return possible.some(
      (cause) =>
        cause !== id.entry && cause !== finding && cause.invokedAt <= finding.answeredAt && !isOver(cause, id.entry)
    )
  }
}

function canEndItself({ operation: { kind } }: Entry): boolean {
  return kind === 'change' || kind === 'logout' || kind === 'revoke'
}

/**
 * A login may need the place of another session of its owner. That has made room already when a login finds that its own session has
 * ended meanwhile.
 */
function canEndOthers(entry: Entry): boolean {
  const { operation, outcome } = entry
  if (operation.kind === 'change') return operation.how === 'login' && (mayBeDone(entry) || outcome.kind === 'gone')
  return (operation.kind === 'begin' || operation.kind === 'revokeAll') && mayBeDone(entry)
}

/** Whether what ended something was over before the id was given. */
function isOver(cause: Entry, given: Entry): boolean {
  return cause.outcome.kind === 'ok' && cause.answeredAt < given.invokedAt
}
