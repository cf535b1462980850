import type { CommitResult, MaybePromise, SessionStore } from '../../types/store.ts'
import { toMembers } from '../data/json-members.ts'
import { chain } from '../util/maybe-async.ts'
import type { StoreRecord } from './store-record.ts'

/**
 * Writes the data of a record as they are, so that the store seals them with its newest key, and notes activity. If another request has
 * written to the record since it was loaded, its data stay as they are, until the next request.
 */
export function reseal(
  store: SessionStore,
  { key, json, version }: StoreRecord,
  expiresAt: number,
  lastSeenAt: number | undefined
): MaybePromise<CommitResult> {
  const changes = { set: Object.fromEntries(toMembers(json)), unset: [], lastSeenAt }
  return chain<CommitResult, CommitResult>(store.commit(key, changes, expiresAt, version), (result) =>
    result === 'conflict'
      ? chain(store.touch(key, expiresAt, lastSeenAt), (isThere) => (isThere ? 'committed' : 'gone'))
      : result
  )
}
