import { randomUUID } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type {
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoredRecord
} from '../../../types/store.ts'
import { applyChanges } from '../../data/json-members.ts'
import { InvalidOptionError, unlessUnreadable } from '../../errors.ts'
import { assertKnown, isBoolean, isString, readClock, readOption, readPruneInterval } from '../../util/check.ts'
import { admission } from '../admission.ts'
import { PruneTimer } from '../prune-timer.ts'
import { DIRECTORY_MODE, Disk, IS_POSIX, unlessMissing, walk } from './disk.ts'
import { explain, UnreadableError } from './errors.ts'
import { decodeRecord, encodeRecord } from './format.ts'
import type { HeldLock } from './lock.ts'
import { FileLocks, lockDirectories } from './lock.ts'
import { fanOut, hashOwner, isFileName, isKey, toFileName, toKey } from './names.ts'
import { OwnerIndex } from './owner-index.ts'

const HOUR = 3600

/** The options of a `FileStore`. */
export interface FileStoreOptions {
  /**
   * The directory that keeps the sessions. It must belong to this store alone, and only the user of the process may enter it
   * (mode 0700). The store makes it if it does not exist.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   *
   * const store = new FileStore({ directory: '/var/lib/shop/sessions' })
   * ```
   */
  directory: string
  /**
   * Whether each change waits until it is on the disk. Default `false`: a killed process loses nothing, but a power failure may
   * lose the last changes and damage the newest sessions.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   *
   * const store = new FileStore({ directory: 'sessions', fsync: false })
   * ```
   */
  fsync?: boolean | undefined
  /**
   * Seconds between two searches for expired sessions; 0 turns them off. Default 3 600.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   *
   * const store = new FileStore({ directory: 'sessions', pruneInterval: 600 })
   * ```
   */
  pruneInterval?: number | undefined
  /**
   * Seconds, 0.01 to 600, that a call waits while another call writes to the same session; then it throws. Default 5.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   *
   * const store = new FileStore({ directory: 'sessions', lockTimeout: 1 })
   * ```
   */
  lockTimeout?: number | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { FileStore } from 'fastify-typed-session/stores/file'
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const store = new FileStore({ directory: 'sessions', clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

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
  readonly #sessions: string
  readonly #temporary: string
  readonly #disk: Disk
  readonly #owners: OwnerIndex
  readonly #clock: () => number
  readonly #locks: FileLocks
  readonly #timer: PruneTimer
  #hasWarned = false

  constructor(options: FileStoreOptions) {
    assertKnown(options, ['directory', 'fsync', 'pruneInterval', 'lockTimeout', 'clock'], 'FileStore')
    const isPath = (value: unknown): boolean => isString(value) && value !== ''
    this.#directory = resolve(readOption(options.directory ?? '', '', 'directory', 'the path of a directory', isPath))
    this.#sessions = join(this.#directory, 'sessions')
    this.#temporary = join(this.#directory, 'temporary')
    const owners = join(this.#directory, 'owners')
    this.#disk = new Disk(readOption(options.fsync, false, 'fsync', 'true or false', isBoolean))
    this.#owners = new OwnerIndex(owners, this.#disk)
    this.#clock = readClock(options.clock)
    const interval = readPruneInterval(options.pruneInterval)
    const isTimeout = (value: unknown): boolean => typeof value === 'number' && value >= 0.01 && value <= 600
    const timeout = readOption(options.lockTimeout, 5, 'lockTimeout', 'a number of seconds from 0.01 to 600', isTimeout)
    this.#prepare([this.#sessions, owners, this.#temporary, ...lockDirectories(this.#directory)])
    this.#locks = new FileLocks(this.#directory, timeout)
    this.#timer = new PruneTimer(interval, () => this.prune())
  }

  create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit): Promise<CreateResult> {
    this.#timer.start()
    return this.#attempt<CreateResult>('create a session', async () => {
      if (!isKey(key)) throw new TypeError('The key of a session must be 43 characters of base64url.')
      const create = (): Promise<boolean> => this.#create(key, record, expiresAt)
      if (record.ownerId === undefined || limit === undefined) return create()
      return this.#createWithin(limit, record.ownerId, key, create)
    })
  }

  load(key: string): Promise<StoredRecord | undefined> {
    return this.#attempt('read a session', async () => (isKey(key) ? this.#readAlive(key) : undefined))
  }

  commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): Promise<CommitResult> {
    return this.#attempt('write a session', () =>
      this.#change<CommitResult>(key, 'gone', async (record, write) => {
        if (version !== undefined && version !== record.version) return 'conflict'
        const { permanent = record.permanent, lastSeenAt = record.lastSeenAt } = changes
        const json = applyChanges(record.json, changes)
        await write({ ...record, json, permanent, lastSeenAt, expiresAt, version: record.version + 1 })
        return 'committed'
      })
    )
  }

  touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    return this.#attempt('write a session', () =>
      this.#change(key, false, async (record, write) => {
        await write({ ...record, expiresAt, lastSeenAt: lastSeenAt ?? record.lastSeenAt })
        return true
      })
    )
  }

  destroy(key: string): Promise<void> {
    return this.#attempt('remove a session', async () => {
      if (isKey(key)) await this.#remove(key, () => true)
    })
  }

  list(ownerId: string): Promise<StoredRecord[]> {
    return this.#attempt('list sessions', () => this.#list(ownerId))
  }

  destroyAll(ownerId: string, exceptKey?: string): Promise<number> {
    return this.#attempt('remove sessions', async () => {
      let count = 0
      for (const key of await this.#owners.keys(ownerId)) {
        if (key === exceptKey) continue
        const isMine = (record: StoredRecord): boolean => record.ownerId === ownerId && this.#isAlive(record)
        if (await this.#remove(key, (record) => record === undefined || isMine(record))) count++
      }
      return count
    })
  }

  /**
   * Removes expired sessions, and the locks and temporary files of killed processes. Returns how many sessions it removed. It
   * leaves damaged files in place and warns about them once. The store calls it every `pruneInterval` seconds; call it yourself
   * if you have turned that off.
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
    return this.#attempt('remove expired sessions', async () => {
      let [expired, damaged] = [0, 0]
      for await (const name of walk(this.#sessions, isFileName)) {
        try {
          if (await this.#pruneSession(toKey(name))) expired++
        } catch (error) {
          if (!(error instanceof UnreadableError)) throw error
          damaged++
        }
      }
      await this.#owners.prune(
        (key) => this.#isGone(key),
        (key, step) => this.#withLock(key, step)
      )
      await this.#pruneTemporary()
      await this.#locks.sweep()
      if (damaged > 0) this.#warn(damaged)
      return expired
    })
  }

  /** Stops pruning and removes the file that identifies this process. The sessions stay, and the store remains usable. */
  async close(): Promise<void> {
    this.#timer.stop()
    await this.#locks.close()
  }

  async #create(key: string, record: SessionRecord, expiresAt: number): Promise<boolean> {
    const { json, createdAt, lastSeenAt, permanent, ownerId, description } = record
    return this.#withLock(key, async (lock) => {
      const old = await this.#read(key)
      if (old !== undefined && this.#isAlive(old)) return false
      // The index comes first: an owner must be able to end every session that exists.
      if (ownerId !== undefined) await this.#owners.add(ownerId, key)
      const version = 0
      await this.#write(lock, { key, json, createdAt, lastSeenAt, permanent, ownerId, description, expiresAt, version })
      if (old?.ownerId !== undefined && old.ownerId !== ownerId) await this.#owners.remove(old.ownerId, key)
      return true
    })
  }

  /**
   * A call takes the lock of the owner before that of a session, and never holds two sessions, so that there is no deadlock. It
   * ends the oldest sessions last: if the new one cannot be written, nobody is logged out.
   */
  #createWithin(
    limit: OwnerLimit,
    ownerId: string,
    key: string,
    create: () => Promise<boolean>
  ): Promise<CreateResult> {
    return this.#locks.run(`owner-${hashOwner(ownerId)}`, async () => {
      const evicted = admission(await this.#list(ownerId), limit)
      if (evicted === 'refuse') return (await this.#readAlive(key)) === undefined ? 'over-limit' : false
      if (!(await create())) return false
      for (const oldest of evicted) await this.#remove(oldest.key, () => true)
      return true
    })
  }

  /** Lets `work` rewrite a live record while it holds its lock. Returns `absent` if there is no such record, or no readable one. */
  async #change<T>(
    key: string,
    absent: T,
    work: (record: StoredRecord, write: (changed: StoredRecord) => Promise<void>) => Promise<T>
  ): Promise<T> {
    if (!isKey(key)) return absent
    return this.#withLock(key, async (lock) => {
      const record = await this.#readable(key)
      return record === undefined ? absent : work(record, (changed) => this.#write(lock, changed))
    })
  }

  /** Removes a session if `isMeant` accepts it, and returns whether it did. `isMeant` gets undefined for an unreadable file. */
  #remove(key: string, isMeant: (record: StoredRecord | undefined) => boolean): Promise<boolean> {
    return this.#withLock(key, async (lock) => {
      const found = await this.#read(key).catch((error: unknown) => {
        if (error instanceof UnreadableError) return error
        throw error
      })
      if (found === undefined) return false
      const record = found instanceof UnreadableError ? undefined : found
      if (!isMeant(record)) return false
      const path = this.#path(key)
      await lock.assertHeld()
      await unlink(path)
      await this.#disk.sync(dirname(path))
      if (record?.ownerId !== undefined) await this.#owners.remove(record.ownerId, key)
      return true
    })
  }

  #withLock<T>(key: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    return this.#locks.run(`session-${toFileName(key)}`, work)
  }

  async #read(key: string): Promise<StoredRecord | undefined> {
    const path = this.#path(key)
    const text = await unlessMissing(readFile(path, 'utf8'))
    if (text === undefined) {
      // Throws if the disk is not mounted, which must not log everybody out.
      await stat(this.#sessions)
      return undefined
    }
    try {
      return decodeRecord(key, text)
    } catch (cause) {
      throw new UnreadableError(path, cause as Error)
    }
  }

  async #readAlive(key: string): Promise<StoredRecord | undefined> {
    const record = await this.#read(key)
    return record !== undefined && this.#isAlive(record) ? record : undefined
  }

  /** Like `#readAlive`, but returns undefined for a damaged file: nobody can use its session. */
  #readable(key: string): Promise<StoredRecord | undefined> {
    return this.#readAlive(key).catch(unlessUnreadable)
  }

  /** Replaces the whole file: a reader gets the old record or the new one. */
  async #write(lock: HeldLock, record: StoredRecord): Promise<void> {
    const path = this.#path(record.key)
    const temporary = join(this.#temporary, randomUUID())
    try {
      await this.#disk.write(temporary, encodeRecord(record))
      await lock.assertHeld()
      await rename(temporary, path).catch(async () => {
        // The directory may be missing. After any other error, the second attempt fails as well.
        await this.#disk.makeDirectory(dirname(path))
        await rename(temporary, path)
      })
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
    await this.#disk.sync(dirname(path))
  }

  async #list(ownerId: string): Promise<StoredRecord[]> {
    const records: StoredRecord[] = []
    for (const key of await this.#owners.keys(ownerId)) {
      const record = await this.#readable(key)
      if (record?.ownerId === ownerId) records.push(record)
    }
    return records
  }

  /**
   * Removes a session if it has expired, and returns whether it did. Adds a live session to the index of its owner if it is
   * missing there, for example after the restore of an incomplete backup.
   */
  async #pruneSession(key: string): Promise<boolean> {
    const record = await this.#read(key)
    if (record === undefined) return false
    if (!this.#isAlive(record)) return this.#remove(key, (now) => now !== undefined && !this.#isAlive(now))
    const { ownerId } = record
    if (ownerId === undefined) return false
    if (await this.#owners.has(ownerId, key)) return false
    await this.#withLock(key, async () => {
      if ((await this.#readAlive(key))?.ownerId === ownerId) await this.#owners.add(ownerId, key)
    })
    return false
  }

  async #isGone(key: string): Promise<boolean> {
    return (await unlessMissing(stat(this.#path(key)))) === undefined
  }

  /** Removes the files of writes that were cut short more than an hour ago. */
  async #pruneTemporary(): Promise<void> {
    for (const name of await readdir(this.#temporary)) {
      const path = join(this.#temporary, name)
      const stats = await unlessMissing(stat(path))
      if (stats !== undefined && Date.now() - stats.mtimeMs > HOUR * 1000) await rm(path, { force: true })
    }
  }

  #prepare(directories: readonly string[]): void {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: DIRECTORY_MODE })
      const { mode, uid } = statSync(this.#directory)
      if (IS_POSIX && ((mode & 0o077) !== 0 || uid !== process.getuid?.())) {
        const found = `it belongs to user ${uid} and has mode ${(mode & 0o777).toString(8).padStart(4, '0')}`
        throw new InvalidOptionError(
          `The option directory must be a directory that only the user of this process may enter; ${found}. Use "chmod 700", or name a new directory inside it: ${join(this.#directory, 'sessions')}.`
        )
      }
      for (const path of directories) mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE })
    } catch (error) {
      throw explain('open its directories', this.#directory, error)
    }
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
      `The FileStore cannot read ${damaged} of the files in ${this.#sessions}. Visitors with these sessions are strangers until they log in again, or the files are restored.`,
      { type: 'SessionStoreWarning', code: 'SESSION_FILE_UNREADABLE' }
    )
  }

  #path(key: string): string {
    return fanOut(this.#sessions, toFileName(key))
  }

  #isAlive({ expiresAt }: StoredRecord): boolean {
    return expiresAt >= Math.floor(this.#clock() / 1000)
  }
}
