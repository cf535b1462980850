import { join } from 'node:path'
import type {
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoreCall,
  StoredRecord,
  StoreStep
} from '../../../types/store.ts'
import { applyChanges } from '../../data/json-members.ts'
import { PruneTimer } from '../prune-timer.ts'
import { prepareDirectories } from './directories.ts'
import { Disk } from './disk.ts'
import { explain } from './errors.ts'
import { FileWalk } from './file-walk.ts'
import { FileLocks, lockDirectories } from './lock.ts'
import { sweepLocks } from './lock-sweep.ts'
import { isKey } from './names.ts'
import type { FileStoreOptions } from './options.ts'
import { readFileOptions } from './options.ts'
import { OwnerIndex } from './owner-index.ts'
import { addWithin } from './owner-limit.ts'
import { pruneSessions } from './prune.ts'
import { SessionFiles } from './session-files.ts'
import { Sessions } from './sessions.ts'
import type { TimeLimit } from './time-limit.ts'

export type { FileRevocationsOptions, FileStoreOptions } from './options.ts'
export { FileRevocations } from './revocations.ts'

/**
 * Keeps each session in a file: for one machine, with any number of processes. A write makes a new file and renames it over the
 * old one, so that a process may be killed at any time; a lock for each session keeps two writers apart.
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`, the latter also if other users may
 * enter the directory. The methods throw errors of the disk, which name what failed and have the code of the system (`ENOSPC`,
 * `EROFS`, …) and the original error as `cause`. For a damaged file `load` throws `ERR_SESSION_UNREADABLE`, with its `path`.
 *
 * @example
 * ```ts
 * const store = new FileStore({ directory: '/var/lib/shop/sessions' })
 * await app.register(session, { secret: process.env.SESSION_SECRET, store })
 * ```
 */
export class FileStore implements SessionStore {
  readonly #directory: string
  readonly #files: SessionFiles
  readonly #owners: OwnerIndex
  readonly #locks: FileLocks
  readonly #sessions: Sessions
  readonly #walk: FileWalk
  readonly #timer: PruneTimer
  /** The call of `prune` that is under way. */
  #pruning: Promise<number> | undefined
  #hasWarned = false

  constructor(options: FileStoreOptions) {
    const { directory, fsync, pruneInterval, lockTimeout, clock } = readFileOptions(options)
    const [sessions, temporary] = [join(directory, 'sessions'), join(directory, 'temporary')]
    const owners = join(directory, 'owners')
    prepareDirectories(directory, [sessions, temporary, owners, ...lockDirectories(directory)])
    const disk = new Disk(fsync)
    this.#directory = directory
    this.#files = new SessionFiles([sessions, temporary], disk)
    this.#owners = new OwnerIndex(owners, disk)
    this.#locks = new FileLocks(directory, lockTimeout)
    this.#sessions = new Sessions(this.#files, this.#owners, this.#locks, () => Math.floor(clock() / 1000))
    this.#walk = new FileWalk(this.#files, this.#sessions)
    this.#timer = new PruneTimer(pruneInterval, () => this.prune())
  }

  create(
    key: string,
    record: SessionRecord,
    expiresAt: number,
    limit?: OwnerLimit,
    call?: StoreCall
  ): Promise<CreateResult> {
    this.#timer.start()
    return this.#write<CreateResult>('create a session', call, async (time) => {
      if (!isKey(key)) throw new TypeError('The key of a session must be 43 characters of base64url.')
      const { json, createdAt, lastSeenAt, permanent, ownerId, description, extensions } = record
      const facts = { key, json, createdAt, lastSeenAt, permanent, ownerId, description, extensions }
      const added = { ...facts, expiresAt, version: 0 }
      if (ownerId === undefined || limit === undefined) return this.#sessions.add(added, time)
      return addWithin(limit, call, { ...added, ownerId }, time, {
        locks: this.#locks,
        sessions: this.#sessions
      })
    })
  }

  load(key: string): Promise<StoredRecord | undefined> {
    return this.#attempt('read a session', async () => (isKey(key) ? this.#sessions.find(key) : undefined))
  }

  commit(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    version?: number,
    call?: StoreCall
  ): Promise<CommitResult> {
    return this.#change<CommitResult>(key, 'gone', call, async (record, write) => {
      if (version !== undefined && version !== record.version) return 'conflict'
      const { permanent = record.permanent, lastSeenAt = record.lastSeenAt, extensions = record.extensions } = changes
      const json = applyChanges(record.json, changes)
      await write({ ...record, json, permanent, lastSeenAt, extensions, expiresAt, version: record.version + 1 })
      return 'committed'
    })
  }

  touch(key: string, expiresAt: number, lastSeenAt?: number, call?: StoreCall): Promise<boolean> {
    return this.#change(key, false, call, async (record, write) => {
      await write({ ...record, expiresAt, lastSeenAt: lastSeenAt ?? record.lastSeenAt })
      return true
    })
  }

  /** Has no deadline: see `SessionStore`. */
  destroy(key: string): Promise<void> {
    return this.#write('remove a session', undefined, async (time) => {
      if (isKey(key)) await this.#sessions.remove(key, time)
    })
  }

  list(ownerId: string): Promise<StoredRecord[]> {
    return this.#attempt('list sessions', () => this.#sessions.ofOwner(ownerId))
  }

  destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): Promise<number> {
    return this.#write('remove sessions', call, async (time) => {
      const isMine = (record: StoredRecord): boolean => record.ownerId === ownerId && this.#sessions.isUnexpired(record)
      let count = 0
      for (const key of await this.#owners.keys(ownerId)) {
        if (key === exceptKey) continue
        if (await this.#sessions.remove(key, time, (record) => record === undefined || isMine(record))) count++
      }
      return count
    })
  }

  count(cursor: string | undefined): Promise<StoreStep<number>> {
    return this.#attempt('count sessions', () => this.#walk.count(cursor))
  }

  /** In the order of the names of the files. A step looks at 500 files at most. */
  entries(cursor: string | undefined, limit: number): Promise<StoreStep<StoredRecord[]>> {
    return this.#attempt('list all sessions', () => this.#walk.entries(cursor, limit))
  }

  destroyEverything(cursor?: string, call?: StoreCall): Promise<StoreStep<number>> {
    return this.#write('remove all sessions', call, (time) => this.#walk.remove(cursor, time))
  }

  /**
   * Removes expired sessions, and the locks and temporary files of killed processes, unless another process is just doing that.
   * Returns how many sessions it removed. It leaves damaged files in place and warns about them once. The store calls it soon
   * after the start and then every `pruneInterval` seconds; call it yourself if you have turned that off.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   *
   * const store = new FileStore({ directory: 'sessions', pruneInterval: 0 })
   * console.log(`${await store.prune()} sessions removed`)
   * ```
   */
  prune(): Promise<number> {
    this.#pruning ??= this.#attempt('remove expired sessions', async () => {
      const expired = await this.#locks.runIfFree('prune', () => this.#prune())
      return expired ?? 0
    }).finally(() => {
      this.#pruning = undefined
    })
    return this.#pruning
  }

  /** Stops pruning and removes the file that identifies this store. The sessions stay, and the store remains usable. */
  async close(): Promise<void> {
    this.#timer.stop()
    await this.#locks.close()
  }

  async #prune(): Promise<number> {
    const { expired, damaged } = await pruneSessions({
      files: this.#files,
      owners: this.#owners,
      locks: this.#locks,
      sessions: this.#sessions
    })
    await this.#files.pruneTemporary()
    await sweepLocks(this.#directory, this.#locks)
    if (damaged > 0) this.#warn(damaged)
    return expired
  }

  #change<T>(
    key: string,
    absent: T,
    call: StoreCall | undefined,
    work: (record: StoredRecord, write: (changed: StoredRecord) => Promise<void>) => Promise<T>
  ): Promise<T> {
    return this.#write('write a session', call, async (time) =>
      isKey(key) ? this.#sessions.change(key, absent, time, work) : absent
    )
  }

  #write<T>(what: string, call: StoreCall | undefined, work: (time: TimeLimit) => Promise<T>): Promise<T> {
    return this.#attempt(what, async () => {
      const time = this.#locks.begin(call)
      time.assertMayWrite()
      return work(time)
    })
  }

  async #attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw explain(what, this.#directory, error)
    }
  }

  #warn(damaged: number): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(
      `The FileStore cannot read ${damaged} of the files in ${join(this.#directory, 'sessions')}. Visitors with these sessions are strangers until they log in again, or the files are restored.`,
      { type: 'SessionStoreWarning', code: 'SESSION_FILE_UNREADABLE' }
    )
  }
}
