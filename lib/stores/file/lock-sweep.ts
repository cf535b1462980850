import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FileLocks } from './lock.ts'
import { lockDirectories } from './lock.ts'
import type { Sighting } from './sighting.ts'
import { look } from './sighting.ts'
import type { Verdict } from './thread-identity.ts'
import { judgeThread } from './thread-identity.ts'

const DAY = 86_400

/**
 * Removes the locks and tickets of threads and processes that have ended. Where a holder cannot be judged, removes what has not
 * changed for `maxAge` seconds.
 */
export async function sweepLocks(directory: string, locks: FileLocks, maxAge: number = DAY): Promise<void> {
  const [lockFiles, tickets] = lockDirectories(directory)
  const self = await locks.holder()
  const judge = async ({ holder, changedAt }: Sighting): Promise<Verdict | undefined> => {
    const verdict = await judgeThread(holder, self)
    const age = Date.now() / 1000 - Number(changedAt / 1_000_000_000n)
    return verdict === 'dead' || (verdict === 'unknown' && age > maxAge) ? verdict : undefined
  }
  for (const name of await readdir(lockFiles)) await locks.removeIf(name, judge)
  for (const name of await readdir(tickets)) {
    const path = join(tickets, name)
    const sighting = await look(path)
    // If its thread is alive after all, it makes another file.
    if (sighting !== undefined && (await judge(sighting)) !== undefined) await rm(path, { force: true })
  }
}
