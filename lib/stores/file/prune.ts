import { UnreadableError } from './errors.ts'
import type { FileLocks } from './lock.ts'
import type { OwnerIndex } from './owner-index.ts'
import type { SessionFiles } from './session-files.ts'
import type { Sessions } from './sessions.ts'

/** What `prune` cleans up. */
interface Place {
  readonly files: SessionFiles
  readonly owners: OwnerIndex
  readonly locks: FileLocks
  readonly sessions: Sessions
}

/** Removes expired sessions and makes the index of owners match the others. Returns how many were removed, or are damaged. */
export async function pruneSessions(place: Place): Promise<{ expired: number; damaged: number }> {
  const { files, owners, locks, sessions } = place
  let [expired, damaged] = [0, 0]
  for await (const key of files.keys()) {
    try {
      if (await pruneSession(key, place)) expired++
    } catch (error) {
      if (!(error instanceof UnreadableError)) throw error
      damaged++
    }
  }
  await owners.prune(
    async (key) => !(await files.has(key)),
    (key, step) => sessions.withLock(key, locks.begin(), step)
  )
  return { expired, damaged }
}

/**
 * Removes a session if it has expired, and returns whether it did. Adds any other to the index of its owner if it is missing
 * there, for example after the restore of an incomplete backup.
 */
async function pruneSession(key: string, { files, owners, locks, sessions }: Place): Promise<boolean> {
  const record = await files.read(key)
  if (record === undefined) return false
  if (!sessions.isUnexpired(record)) {
    return sessions.remove(key, locks.begin(), (now) => now !== undefined && !sessions.isUnexpired(now))
  }
  const { ownerId } = record
  if (ownerId === undefined || (await owners.has(ownerId, key))) return false
  await sessions.withLock(key, locks.begin(), async () => {
    if ((await files.read(key))?.ownerId === ownerId) await owners.add(ownerId, key)
  })
  return false
}
