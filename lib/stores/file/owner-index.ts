import { readdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Disk } from './disk.ts'
import { codeOf, FILE_MODE, removeEntry, removeIfEmpty, unlessMissing, walk } from './disk.ts'
import { fanOut, hashOwner, isFileName, isOwnerHash, toFileName, toKey } from './names.ts'

/** The keys of each owner's sessions: a directory for each owner, in it an empty file for each key. */
export class OwnerIndex {
  readonly #directory: string
  readonly #disk: Disk

  constructor(directory: string, disk: Disk) {
    this.#directory = directory
    this.#disk = disk
  }

  /** Adds a key to an owner. */
  async add(ownerId: string, key: string, attempts = 10): Promise<void> {
    const directory = this.#pathOf(ownerId)
    try {
      await writeFile(join(directory, toFileName(key)), '', { mode: FILE_MODE })
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || attempts === 0) throw error
      await this.#disk.makeDirectory(dirname(directory))
      await this.#disk.makeDirectory(directory)
      // A process that removes the last key of the owner meanwhile removes the directory again.
      return this.add(ownerId, key, attempts - 1)
    }
    await this.#disk.sync(directory)
  }

  /** Removes a key from an owner. Does nothing if it is not there. */
  async remove(ownerId: string, key: string): Promise<void> {
    await removeEntry(this.#pathOf(ownerId), toFileName(key))
  }

  async has(ownerId: string, key: string): Promise<boolean> {
    return (await unlessMissing(stat(join(this.#pathOf(ownerId), toFileName(key))))) !== undefined
  }

  /** The keys of an owner, those of sessions that have ended among them. Throws `ENOENT` if the whole index is missing. */
  async keys(ownerId: string): Promise<string[]> {
    const names = await readNames(this.#pathOf(ownerId))
    if (names.length === 0) await stat(this.#directory)
    return names.map(toKey)
  }

  /**
   * Removes the keys whose session does not exist. `withLock` runs a step while it holds the lock of a session: a session that
   * is being created is in the index before its file exists, and its lock tells it from one that has ended.
   */
  async prune(
    isGone: (key: string) => Promise<boolean>,
    withLock: (key: string, step: () => Promise<void>) => Promise<void>
  ): Promise<void> {
    for await (const owner of walk(this.#directory, isOwnerHash)) {
      const path = fanOut(this.#directory, owner)
      const names = await readNames(path)
      for (const name of names) {
        const key = toKey(name)
        if (!(await isGone(key))) continue
        await withLock(key, async () => {
          if (await isGone(key)) await removeEntry(path, name)
        })
      }
      if (names.length === 0) await removeIfEmpty(path)
    }
  }

  #pathOf(ownerId: string): string {
    return fanOut(this.#directory, hashOwner(ownerId))
  }
}

/** The names of sessions in the directory of an owner. */
async function readNames(directory: string): Promise<string[]> {
  const names = await unlessMissing(readdir(directory))
  return (names ?? []).filter(isFileName)
}
