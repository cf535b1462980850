import { createHash, randomUUID } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat, unlink, writeFile } from 'node:fs/promises'
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
import { InvalidOptionError } from '../../errors.ts'
import {
  assertKnown,
  isBoolean,
  isString,
  readClock,
  readOption,
  readPruneInterval,
  readWholeOption
} from '../../util/check.ts'
import { admission } from '../admission.ts'
import { PruneTimer } from '../prune-timer.ts'
import { decodeRecord, encodeRecord } from './format.ts'
import type { HeldLock } from './lock.ts'
import { FileLocks, lockDirectories } from './lock.ts'

const HOUR = 3600
const FILE_MODE = 0o600
const DIRECTORY_MODE = 0o700
/** Windows has no such modes, and no way to put a directory on the disk. */
const IS_POSIX = process.platform !== 'win32'

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'the process may not do that there',
  EPERM: 'the process may not do that there, or the disk has no hard links',
  EMFILE: 'the process has too many open files',
  ENFILE: 'the system has too many open files',
  ENOENT: 'the directory, or a part of it, has gone. Is the disk mounted?'
}

/** The options of a `FileStore`. */
export interface FileStoreOptions {
  /**
   * Where sessions are kept: a directory of its own, that only the user of the process may enter (mode 0700). It is made when
   * there is none.
   */
  directory: string
  /**
   * Whether a change is on the disk, and not only with the system, before it counts. Default `false`: a killed process loses
   * nothing, a power failure may lose the last changes and damage new sessions.
   */
  fsync?: boolean
  /** Seconds between two searches for expired sessions; 0 for none. Default 3 600. */
  pruneInterval?: number
  /** Milliseconds that a call waits for a session that others are writing to. Default 5 000. */
  lockTimeout?: number
  /** The time in milliseconds since 1970. For tests. Default `Date.now`. */
  clock?: () => number
}

/**
 * Keeps each session in a file: for one machine, with as many processes as you like. A write is a new file that takes the
 * place of the old one, so that a process may be killed at any time; a lock for each session keeps writers apart.
 *
 * Throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`, the latter also when others may enter the directory.
 * An error of the disk says what could not be done, with the code of the system (`ENOSPC`, `EROFS`, …) and its `cause`.
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
  readonly #owners: string
  readonly #temporary: string
  readonly #fsync: boolean
  readonly #clock: () => number
  readonly #locks: FileLocks
  readonly #timer: PruneTimer
  #hasWarned = false

  constructor(options: FileStoreOptions) {
    assertKnown(options, ['directory', 'fsync', 'pruneInterval', 'lockTimeout', 'clock'], 'FileStore')
    const isPath = (value: unknown): boolean => isString(value) && value !== ''
    this.#directory = resolve(readOption(options.directory ?? '', '', 'directory', 'the path of a directory', isPath))
    this.#sessions = join(this.#directory, 'sessions')
    this.#owners = join(this.#directory, 'owners')
    this.#temporary = join(this.#directory, 'temporary')
    this.#fsync = readOption(options.fsync, false, 'fsync', 'true or false', isBoolean)
    this.#clock = readClock(options.clock)
    const interval = readPruneInterval(options.pruneInterval)
    const timeout = readWholeOption(options.lockTimeout, 5000, 'lockTimeout', 'milliseconds', 10, 600_000)
    this.#prepare()
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
      for (const key of await this.#listKeys(ownerId)) {
        if (key === exceptKey) continue
        const isMine = (record: StoredRecord): boolean => record.ownerId === ownerId && this.#isAlive(record)
        if (await this.#remove(key, (record) => record === undefined || isMine(record))) count++
      }
      return count
    })
  }

  /**
   * Removes what has expired, and what killed processes left behind. How many sessions there were. Damaged files stay, and a
   * warning says so once.
   */
  prune(): Promise<number> {
    return this.#attempt('remove expired sessions', async () => {
      let [expired, damaged] = [0, 0]
      for await (const name of walk(this.#sessions, isName)) {
        try {
          if (await this.#pruneSession(toKey(name))) expired++
        } catch (error) {
          if (!(error instanceof UnreadableError)) throw error
          damaged++
        }
      }
      await this.#pruneOwners()
      await this.#pruneTemporary()
      await this.#locks.sweep()
      if (damaged > 0) this.#warn(damaged)
      return expired
    })
  }

  async close(): Promise<void> {
    this.#timer.stop()
    await this.#locks.close()
  }

  async #create(key: string, record: SessionRecord, expiresAt: number): Promise<boolean> {
    const { json, createdAt, lastSeenAt, permanent, ownerId, description } = record
    return this.#withLock(key, async (lock) => {
      const old = await this.#read(key)
      if (old !== undefined && this.#isAlive(old)) return false
      // The index comes first: a session that nobody finds by its owner is one that the owner cannot end.
      if (ownerId !== undefined) await this.#addToOwner(ownerId, key)
      const version = 0
      await this.#write(lock, { key, json, createdAt, lastSeenAt, permanent, ownerId, description, expiresAt, version })
      if (old?.ownerId !== undefined && old.ownerId !== ownerId) await this.#removeFromOwner(old.ownerId, key)
      return true
    })
  }

  /**
   * The lock of an owner comes before that of a session, and nobody holds two sessions, so that no two wait for each other.
   * The oldest go last: when the new session cannot be written, nobody is logged out.
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

  /** Lets `work` write a live record anew; `absent` when there is none. */
  async #change<T>(
    key: string,
    absent: T,
    work: (record: StoredRecord, write: (changed: StoredRecord) => Promise<void>) => Promise<T>
  ): Promise<T> {
    if (!isKey(key)) return absent
    return this.#withLock(key, async (lock) => {
      const record = await this.#readAlive(key)
      return record === undefined ? absent : work(record, (changed) => this.#write(lock, changed))
    })
  }

  /** Removes a session if it is meant, and says whether it did. `isMeant` gets undefined for a file that cannot be read. */
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
      await this.#sync(dirname(path))
      if (record?.ownerId !== undefined) await this.#removeFromOwner(record.ownerId, key)
      return true
    })
  }

  #withLock<T>(key: string, work: (lock: HeldLock) => Promise<T>): Promise<T> {
    return this.#locks.run(`session-${toName(key)}`, work)
  }

  async #read(key: string): Promise<StoredRecord | undefined> {
    const path = this.#path(key)
    const text = await unlessMissing(readFile(path, 'utf8'))
    if (text === undefined) {
      // A disk that is not mounted would otherwise log everybody out.
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

  /** Puts a whole new file in the place of the old one: whoever reads meanwhile gets one or the other. */
  async #write(lock: HeldLock, record: StoredRecord): Promise<void> {
    const path = this.#path(record.key)
    const temporary = join(this.#temporary, randomUUID())
    try {
      await this.#writeTemporary(temporary, encodeRecord(record))
      await lock.assertHeld()
      await rename(temporary, path).catch(async () => {
        // Whatever else it is, it fails again.
        await this.#makeDirectory(dirname(path))
        await rename(temporary, path)
      })
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
    await this.#sync(dirname(path))
  }

  async #writeTemporary(path: string, text: string): Promise<void> {
    const handle = await open(path, 'wx', FILE_MODE)
    try {
      await handle.writeFile(text)
      if (this.#fsync) await handle.sync()
    } finally {
      await handle.close()
    }
  }

  async #list(ownerId: string): Promise<StoredRecord[]> {
    const records: StoredRecord[] = []
    for (const key of await this.#listKeys(ownerId)) {
      const record = await this.#readAlive(key)
      if (record?.ownerId === ownerId) records.push(record)
    }
    return records
  }

  /** Also of sessions that have gone. */
  async #listKeys(ownerId: string): Promise<string[]> {
    const names = await readNames(this.#ownerPath(ownerId))
    if (names.length === 0) await stat(this.#owners)
    return names.map(toKey)
  }

  async #addToOwner(ownerId: string, key: string, attempts = 10): Promise<void> {
    const directory = this.#ownerPath(ownerId)
    try {
      await writeFile(join(directory, toName(key)), '', { mode: FILE_MODE })
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || attempts === 0) throw error
      await this.#makeDirectory(dirname(directory))
      await this.#makeDirectory(directory)
      // Whoever removes the last session of an owner removes the directory: perhaps just now.
      return this.#addToOwner(ownerId, key, attempts - 1)
    }
    await this.#sync(directory)
  }

  async #removeFromOwner(ownerId: string, key: string): Promise<void> {
    await removeEntry(this.#ownerPath(ownerId), toName(key))
  }

  /** Whether it had expired, and was removed. Of one that has not, the index is made good, should a backup have lost it. */
  async #pruneSession(key: string): Promise<boolean> {
    const record = await this.#read(key)
    if (record === undefined) return false
    if (!this.#isAlive(record)) return this.#remove(key, (now) => now !== undefined && !this.#isAlive(now))
    const { ownerId } = record
    if (ownerId === undefined) return false
    if ((await unlessMissing(stat(join(this.#ownerPath(ownerId), toName(key))))) !== undefined) return false
    await this.#withLock(key, async () => {
      if ((await this.#readAlive(key))?.ownerId === ownerId) await this.#addToOwner(ownerId, key)
    })
    return false
  }

  /** Removes entries of the index whose session has gone. */
  async #pruneOwners(): Promise<void> {
    for await (const owner of walk(this.#owners, isOwner)) {
      const path = fanOut(this.#owners, owner)
      const names = await readNames(path)
      for (const name of names) {
        const isGone = async (): Promise<boolean> => (await unlessMissing(stat(this.#path(toKey(name))))) === undefined
        if (!(await isGone())) continue
        // A session that is being created has an entry first. Its lock tells it from one that has gone.
        await this.#withLock(toKey(name), async () => {
          if (await isGone()) await removeEntry(path, name)
        })
      }
      if (names.length === 0) await removeEmpty(path)
    }
  }

  /** Files of writes that were never finished. */
  async #pruneTemporary(): Promise<void> {
    for (const name of await readdir(this.#temporary)) {
      const path = join(this.#temporary, name)
      const stats = await unlessMissing(stat(path))
      if (stats !== undefined && Date.now() - stats.mtimeMs > HOUR * 1000) await rm(path, { force: true })
    }
  }

  #prepare(): void {
    try {
      mkdirSync(this.#directory, { recursive: true, mode: DIRECTORY_MODE })
      const { mode, uid } = statSync(this.#directory)
      if (IS_POSIX && ((mode & 0o077) !== 0 || uid !== process.getuid?.())) {
        const found = `it is of user ${uid} with mode ${(mode & 0o777).toString(8).padStart(4, '0')}`
        throw new InvalidOptionError(
          `The option directory must be a directory that nobody but the user of this process may enter; ${found}. Use "chmod 700", or a new directory inside of it: ${join(this.#directory, 'sessions')}.`
        )
      }
      for (const path of [this.#sessions, this.#owners, this.#temporary, ...lockDirectories(this.#directory)]) {
        mkdirSync(path, { recursive: true, mode: DIRECTORY_MODE })
      }
    } catch (error) {
      throw this.#explain('begin', error)
    }
  }

  async #makeDirectory(path: string): Promise<void> {
    try {
      await mkdir(path, DIRECTORY_MODE)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    await this.#sync(dirname(path))
  }

  /** Puts the names in a directory on the disk: without it a power failure may bring back a file that was removed. */
  async #sync(directory: string): Promise<void> {
    if (!this.#fsync || !IS_POSIX) return
    const handle = await unlessMissing(open(directory))
    try {
      await handle?.sync()
    } finally {
      await handle?.close()
    }
  }

  async #attempt<T>(what: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (error) {
      throw this.#explain(what, error)
    }
  }

  /** An error of the system names the file, and so the key. What is logged names the directory; the rest is in the cause. */
  #explain(what: string, error: unknown): unknown {
    if ((error as NodeJS.ErrnoException).syscall === undefined) return error
    const code = codeOf(error)
    const reason = REASONS[code] ?? 'the system reports an error'
    const message = `The FileStore could not ${what} in ${this.#directory}: ${reason} (${code}).`
    return Object.assign(new Error(message, { cause: error }), { code })
  }

  #warn(damaged: number): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(
      `The FileStore found ${damaged} files in ${this.#sessions} that it cannot read. Their visitors get errors until the files are restored or removed.`,
      { type: 'SessionStoreWarning', code: UNREADABLE }
    )
  }

  #path(key: string): string {
    return fanOut(this.#sessions, toName(key))
  }

  #ownerPath(ownerId: string): string {
    return fanOut(this.#owners, hashOwner(ownerId))
  }

  #isAlive({ expiresAt }: StoredRecord): boolean {
    return expiresAt >= Math.floor(this.#clock() / 1000)
  }
}

const UNREADABLE = 'SESSION_FILE_UNREADABLE'

class UnreadableError extends Error {
  readonly code: string = UNREADABLE
  /** The file, for whoever restores or removes it. */
  readonly path: string

  constructor(path: string, cause: Error) {
    super(
      `The FileStore cannot read a session in ${dirname(path)}: ${cause.message}. Restore or remove the file (the property path of this error).`,
      { cause }
    )
    this.path = path
  }
}

function isKey(key: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(key)
}

/**
 * The key as 66 hexadecimal digits: file systems that take `a` and `A` for the same would mix up keys. One more character
 * makes it whole bytes, so that no bit is lost.
 */
function toName(key: string): string {
  return Buffer.from(`${key}A`, 'base64url').toString('hex')
}

/** The opposite of `toName`. */
function toKey(name: string): string {
  return Buffer.from(name, 'hex').toString('base64url').slice(0, -1)
}

function isName(name: string): boolean {
  return /^[0-9a-f]{65}0$/.test(name)
}

function isOwner(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}

/** As JSON, in which no two texts become one: UTF-8 has no halves of a surrogate pair. */
function hashOwner(ownerId: string): string {
  return createHash('sha256').update(JSON.stringify(ownerId)).digest('hex')
}

/** In 256 directories, so that none of them gets too long. */
function fanOut(directory: string, name: string): string {
  return join(directory, name.slice(0, 2), name)
}

/** Of sessions, in the directory of an owner. */
async function readNames(directory: string): Promise<string[]> {
  const names = await unlessMissing(readdir(directory))
  return (names ?? []).filter(isName)
}

async function* walk(directory: string, isWanted: (name: string) => boolean): AsyncGenerator<string> {
  for (const part of await readdir(directory)) {
    if (!/^[0-9a-f]{2}$/.test(part)) continue
    for (const name of await readdir(join(directory, part))) if (isWanted(name)) yield name
  }
}

/** Removes an entry, and its directory if it was the last one. */
async function removeEntry(directory: string, name: string): Promise<void> {
  await rm(join(directory, name), { force: true })
  await removeEmpty(directory)
}

/** No more than tidiness: it is not empty, or others were faster, or it stays. */
async function removeEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch(() => {})
}

async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
