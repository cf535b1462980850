import { randomUUID } from 'node:crypto'
import { readdir, readFile, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { StoredRecord } from '../../../types/store.ts'
import type { Disk } from './disk.ts'
import { unlessMissing, walk } from './disk.ts'
import { UnreadableError } from './errors.ts'
import { decodeRecord, encodeRecord } from './format.ts'
import type { HeldLock } from './lock.ts'
import { fanOut, isFileName, toFileName, toKey } from './names.ts'

const HOUR_MS = 3_600_000

/** Reads, replaces and removes the files of sessions. */
export class SessionFiles {
  readonly #sessions: string
  readonly #temporary: string
  readonly #disk: Disk

  /** Both directories must exist, on one disk. */
  constructor([sessions, temporary]: readonly [sessions: string, temporary: string], disk: Disk) {
    this.#sessions = sessions
    this.#temporary = temporary
    this.#disk = disk
  }

  /** Returns undefined if there is no file. Throws `UnreadableError` for a file that is damaged. */
  async read(key: string): Promise<StoredRecord | undefined> {
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

  /** Whether there is a file, whatever it holds. */
  async has(key: string): Promise<boolean> {
    return (await unlessMissing(stat(this.#path(key)))) !== undefined
  }

  /**
   * Replaces the whole file: a reader gets the old session or the new one. `lock`: that of the session. `before`: runs when all is on
   * the disk, and only the name is missing.
   */
  async write(record: StoredRecord, lock: HeldLock, before?: () => Promise<void>): Promise<void> {
    const path = this.#path(record.key)
    const temporary = join(this.#temporary, randomUUID())
    try {
      await this.#disk.write(temporary, encodeRecord(record))
      await before?.()
      await lock.assertMayWrite()
      await rename(temporary, path).catch(async () => {
        // The directory may be missing. After any other error, the second attempt fails as well.
        await this.#disk.makeDirectory(dirname(path))
        await lock.assertMayWrite()
        await rename(temporary, path)
      })
    } catch (error) {
      await rm(temporary, { force: true }).catch(() => {})
      throw error
    }
    await this.#disk.sync(dirname(path))
  }

  /** Removes the file. `lock`: that of the session. */
  async remove(key: string, lock: HeldLock): Promise<void> {
    const path = this.#path(key)
    await lock.assertMayWrite()
    await unlink(path)
    await this.#disk.sync(dirname(path))
  }

  /** The keys of all files, in the order of their names. `after`: the key of the file before the first one. */
  async *keys(after?: string): AsyncGenerator<string> {
    const start = after === undefined ? '' : toFileName(after)
    for await (const name of walk(this.#sessions, isFileName, start)) yield toKey(name)
  }

  /** Removes the files of writes that were cut short more than an hour ago. */
  async pruneTemporary(): Promise<void> {
    for (const name of await readdir(this.#temporary)) {
      const path = join(this.#temporary, name)
      const stats = await unlessMissing(stat(path))
      if (stats !== undefined && Date.now() - stats.mtimeMs > HOUR_MS) await rm(path, { force: true })
    }
  }

  #path(key: string): string {
    return fanOut(this.#sessions, toFileName(key))
  }
}
