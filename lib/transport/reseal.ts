import type { CommitResult, MaybePromise, SessionChanges, SessionStore } from '../../types/store.ts'
import type { MemberChanges } from '../data/json-members.ts'
import { applyChanges, toMembers } from '../data/json-members.ts'
import { chain } from '../util/maybe-async.ts'
import type { StoreRecord } from './store-record.ts'

/** Returns changes that write all members anew, those that stay the same, too, so that the store seals them with its newest key. */
export function withAllMembers<Changes extends MemberChanges>(json: string, changes: Changes): Changes {
  return { ...changes, set: Object.fromEntries(toMembers(applyChanges(json, changes))) }
}

/**
 * Commits changes to a record, and seals all its other members with the newest key of the store. If another request has written to the
 * record since it was loaded, `write` writes the changes alone, and the next request seals the others.
 */
export function reseal(
  store: SessionStore,
  { key, json, version }: StoreRecord,
  changes: SessionChanges,
  expiresAt: number,
  write: () => MaybePromise<CommitResult>
): MaybePromise<CommitResult> {
  const written = store.commit(key, withAllMembers(json, changes), expiresAt, version)
  return chain<CommitResult, CommitResult>(written, (result) => (result === 'conflict' ? write() : result))
}
