import type { StoredRecord } from '../../../types/store.ts'
import { unlessUnreadable } from '../../errors.ts'
import { UnreadableError } from './errors.ts'
import type { FileLocks, HeldLock } from './lock.ts'
import { toFileName } from './names.ts'
import type { OwnerIndex } from './owner-index.ts'
import type { SessionFiles } from './session-files.ts'
import type { TimeLimit } from './time-limit.ts'

/**
 * What happens to sessions: in their files, in the index of their owners, under their locks. A call takes the lock of an owner
 * before that of a new session, and that before those of sessions that make room for it, so that there is no deadlock.
 */
export class Sessions {
  readonly #files: SessionFiles
  readonly #owners: OwnerIndex
  readonly #locks: FileLocks
  /** Returns seconds since 1970. */
  readonly #now: () => number

  constructor(files: SessionFiles, owners: OwnerIndex, locks: FileLocks, now: () => number) {
    this.#files = files
    this.#owners = owners
    this.#locks = locks
    this.#now = now
  }

  /** Returns the live record of a key. Throws `UnreadableError` for a damaged file. */
  async find(key: string): Promise<StoredRecord | undefined> {
    const record = await this.#files.read(key)
    return record !== undefined && this.isUnexpired(record) ? record : undefined
  }

  /** Returns the live records of an owner. */
  async ofOwner(ownerId: string): Promise<StoredRecord[]> {
    const live: StoredRecord[] = []
    for (const key of await this.#owners.keys(ownerId)) {
      const record = await this.#files.read(key).catch(unlessUnreadable)
      if (record?.ownerId === ownerId && this.isUnexpired(record)) live.push(record)
    }
    return live
  }

  /**
   * Adds a session, and returns whether its key was free. `makeRoom`: runs just before the session exists, when only its name is
   * missing. `outer`: see `withLock`.
   */
  add(record: StoredRecord, limit: TimeLimit, makeRoom?: () => Promise<void>, outer?: HeldLock): Promise<boolean> {
    const { key, ownerId } = record
    const work = async (lock: HeldLock): Promise<boolean> => {
      const old = await this.#files.read(key)
      if (old !== undefined && this.isUnexpired(old)) return false
      // The index comes first: an owner must be able to end every session that exists.
      if (ownerId !== undefined) await this.#owners.add(ownerId, key)
      await this.#files.write(record, lock, makeRoom)
      if (old?.ownerId !== undefined && old.ownerId !== ownerId) await this.#owners.remove(old.ownerId, key)
      return true
    }
    return this.withLock(key, limit, work, outer)
  }

  /** Lets `work` rewrite a live record. Returns `absent` if there is no such record, or no readable one. */
  change<T>(
    key: string,
    absent: T,
    limit: TimeLimit,
    work: (record: StoredRecord, write: (changed: StoredRecord) => Promise<void>) => Promise<T>
  ): Promise<T> {
    return this.withLock(key, limit, async (lock) => {
      const record = await this.find(key).catch(unlessUnreadable)
      return record === undefined ? absent : work(record, (changed) => this.#files.write(changed, lock))
    })
  }

  /** Removes a session if `isMeant` accepts it, and returns whether it did. `isMeant` gets undefined for an unreadable file. */
  remove(
    key: string,
    limit: TimeLimit,
    isMeant: (record: StoredRecord | undefined) => boolean = () => true,
    outer?: HeldLock
  ): Promise<boolean> {
    const work = async (lock: HeldLock): Promise<boolean> => {
      const found = await this.#files.read(key).catch((error: unknown) => {
        if (error instanceof UnreadableError) return error
        throw error
      })
      if (found === undefined) return false
      const record = found instanceof UnreadableError ? undefined : found
      if (!isMeant(record)) return false
      await this.#files.remove(key, lock)
      if (record?.ownerId !== undefined) await this.#owners.remove(record.ownerId, key)
      return true
    }
    return this.withLock(key, limit, work, outer)
  }

  /** `outer`: a lock that `work` must not lose either. */
  withLock<T>(key: string, limit: TimeLimit, work: (lock: HeldLock) => Promise<T>, outer?: HeldLock): Promise<T> {
    const inner = (lock: HeldLock): Promise<T> => work(outer === undefined ? lock : bothOf(outer, lock))
    return this.#locks.run(`session-${toFileName(key)}`, inner, limit)
  }

  isUnexpired({ expiresAt }: StoredRecord): boolean {
    return expiresAt >= this.#now()
  }
}

function bothOf(outer: HeldLock, inner: HeldLock): HeldLock {
  return {
    assertMayWrite: async () => {
      await outer.assertMayWrite()
      await inner.assertMayWrite()
    }
  }
}
