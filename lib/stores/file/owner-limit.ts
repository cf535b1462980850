import type { CreateResult, OwnerLimit, StoreCall, StoredRecord } from '../../../types/store.ts'
import { admission } from '../admission.ts'
import type { FileLocks } from './lock.ts'
import { hashOwner } from './names.ts'
import type { Sessions } from './sessions.ts'
import type { TimeLimit } from './time-limit.ts'

/**
 * Adds a session of an owner who may have so many, while it holds the lock of the owner, which comes before those of sessions.
 *
 * Where others make room, the new session is on the disk first, so that nobody is logged out if it cannot be written; then the others
 * end, and then it gets its name. Whatever stops the process, there is never one too many.
 */
export function addWithin(
  owner: OwnerLimit,
  call: StoreCall | undefined,
  record: StoredRecord & { readonly ownerId: string },
  limit: TimeLimit,
  { locks, sessions }: { readonly locks: FileLocks; readonly sessions: Sessions }
): Promise<CreateResult> {
  const { key, ownerId } = record
  return locks.run(
    `owner-${hashOwner(ownerId)}`,
    async (lock) => {
      const evicted = admission(await sessions.ofOwner(ownerId), owner, call?.replacing)
      if (evicted === 'refuse') return (await sessions.find(key)) === undefined ? 'over-limit' : false
      const makeRoom = async (): Promise<void> => {
        for (const oldest of evicted) {
          await sessions.remove(oldest.key, limit, undefined, lock)
          call?.evicted?.(oldest.key, ownerId)
        }
      }
      return sessions.add(record, limit, makeRoom, lock)
    },
    limit
  )
}
