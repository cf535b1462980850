import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Disk } from '../../lib/stores/file/disk.ts'
import { FileLocks, lockDirectories } from '../../lib/stores/file/lock.ts'
import { fanOut, toFileName } from '../../lib/stores/file/names.ts'
import { OwnerIndex } from '../../lib/stores/file/owner-index.ts'
import { SessionFiles } from '../../lib/stores/file/session-files.ts'
import { Sessions } from '../../lib/stores/file/sessions.ts'
import { newKey, newRecord } from '../../lib/testing/store-contract/bench.ts'
import type { SessionRecord, StoredRecord } from '../../types/store.ts'

const START = 1_763_640_000

/** The parts of a `FileStore`, for tests of single ones. */
export interface FileParts {
  readonly directory: string
  readonly files: SessionFiles
  readonly owners: OwnerIndex
  readonly locks: FileLocks
  readonly sessions: Sessions
  /** Moves the clock. */
  advance(seconds: number): void
  /** Adds a session that lives for so many seconds, and returns its key. */
  add(record?: Partial<SessionRecord>, seconds?: number): Promise<string>
  /** The file of a session. */
  pathOf(key: string): string
}

export function newFileParts(): FileParts {
  const directory = mkdtempSync(join(tmpdir(), 'session-parts-'))
  const [sessionsPath, temporary, ownersPath] = ['sessions', 'temporary', 'owners'].map((name) => join(directory, name))
  const paths = [sessionsPath, temporary] as [string, string]
  for (const path of [...paths, ownersPath as string, ...lockDirectories(directory)]) mkdirSync(path)
  let now = START
  const disk = new Disk(false)
  const files = new SessionFiles(paths, disk)
  const owners = new OwnerIndex(ownersPath as string, disk)
  const locks = new FileLocks(directory, 10)
  const sessions = new Sessions(files, owners, locks, () => now)
  return {
    directory,
    files,
    owners,
    locks,
    sessions,
    advance: (seconds) => {
      now += seconds
    },
    add: async (record, seconds) => {
      const added = toStored(newKey(), record, seconds)
      await sessions.add(added, locks.begin())
      return added.key
    },
    pathOf: (key) => fanOut(join(directory, 'sessions'), toFileName(key))
  }
}

/** A record under a key, which lives for so many seconds from the start. */
export function toStored(key: string, record: Partial<SessionRecord> = {}, seconds = 3600): StoredRecord {
  return { ...newRecord(record), key, expiresAt: START + seconds, version: 0 }
}
