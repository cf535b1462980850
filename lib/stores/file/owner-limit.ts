import type { CreateResult, OwnerLimit, StoredRecord } from '../../../types/store.ts'
import { admission } from '../admission.ts'
import type { FileLocks } from './lock.ts'
import { hashOwner } from './names.ts'
import type { Sessions } from './sessions.ts'
import type { TimeLimit } from './time-limit.ts'

/**
 * Adds a session of an owner who may have so many, while it holds the lock of the owner, which comes before those of sessions.
 *
 * Where others make room, the new session is on the disk first, so that nobody is logged out if it cannot be written. It waits for
 * them: the end of the last one is its beginning, in one step. Whatever stops the process, there is never one too many.
 */
export function addWithin(
  owner: OwnerLimit,
  replacing: string | undefined,
  record: StoredRecord & { readonly ownerId: string },
  limit: TimeLimit,
  { locks, sessions }: { readonly locks: FileLocks; readonly sessions: Sessions }
): Promise<CreateResult> {
  const { key, ownerId } = record
  return locks.run(
    `owner-${hashOwner(ownerId)}`,
    async (lock) => {
      const { live, waiting } = await sessions.ofOwner(ownerId)
      const evicted = admission(live, owner, replacing)
      if (evicted === 'refuse') return (await sessions.find(key)) === undefined ? 'over-limit' : false
      // Those that wait come first: the end of another one must not be their beginning.
      const leaving = [...waiting.filter((other) => other !== key), ...evicted.map((oldest) => oldest.key)]
      if (!(await sessions.add(record, limit, leaving, lock))) return false
      if (leaving.length === 0) return true
      try {
        for (const other of leaving) await sessions.remove(other, limit, isAny, lock)
      } catch (error) {
        // It would begin when the others end, and nobody waits for it any more.
        await sessions.remove(key, locks.begin()).catch(() => {})
        throw error
      }
      // It need not look for the others any more. If this fails, it still does.
      await sessions.change(key, undefined, limit, (added, write) => write(added)).catch(() => {})
      return true
    },
    limit
  )
}

function isAny(): boolean {
  return true
}
