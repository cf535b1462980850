import { open } from 'node:fs/promises'
import { unlessMissing } from './disk.ts'
import type { ThreadIdentity } from './thread-identity.ts'

/** The owner of a lock: one `FileLocks` in one thread. */
export interface Holder extends ThreadIdentity {
  /** Random and unique to one `FileLocks`. */
  readonly token: string
}

/** A lock file as it was at one moment. */
export interface Sighting {
  readonly holder: Holder
  /**
   * The ctime in nanoseconds. It changes whenever the holder takes or releases any lock, which proves that the holder is alive.
   */
  readonly changedAt: bigint
}

/** Reads a lock file; undefined if there is none. */
export async function look(path: string): Promise<Sighting | undefined> {
  const handle = await unlessMissing(open(path))
  try {
    if (handle === undefined) return undefined
    const { ctimeNs } = await handle.stat({ bigint: true })
    return { holder: parseHolder(await handle.readFile('utf8')), changedAt: ctimeNs }
  } finally {
    await handle?.close()
  }
}

/** Whether the holder of a lock is the same and has shown no sign of life in between. */
export function isSameSighting(a: Sighting, b: Sighting): boolean {
  return a.holder.token === b.holder.token && a.changedAt === b.changedAt
}

/** Returns the holder that a lock file names; `NOBODY`, who cannot be judged, if the file cannot be parsed. */
function parseHolder(text: string): Holder {
  try {
    const holder = JSON.parse(text)
    // 0 and negative numbers stand for a group of processes: see kill(2).
    return holder.pid > 0 ? holder : NOBODY
  } catch {
    return NOBODY
  }
}

const NOBODY: Holder = { token: '', machine: '', pid: 0, thread: 0, started: undefined }
