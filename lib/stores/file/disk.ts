import { mkdir, open, readdir, rm, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { isFanOut } from './names.ts'

export const FILE_MODE = 0o600
export const DIRECTORY_MODE = 0o700
/** Windows has no such modes, and cannot sync a directory. */
export const IS_POSIX: boolean = process.platform !== 'win32'

/** Writes files and directories, on request durably: with `fsync`, a change is on the disk when a method resolves. */
export class Disk {
  readonly #fsync: boolean

  constructor(fsync: boolean) {
    this.#fsync = fsync
  }

  /** Writes a new file. Throws `EEXIST` if there is one. */
  async write(path: string, text: string | AsyncIterable<string>): Promise<void> {
    const handle = await open(path, 'wx', FILE_MODE)
    try {
      await writeFile(handle, text)
      if (this.#fsync) await handle.sync()
    } finally {
      await handle.close()
    }
  }

  /** Makes a directory, unless it exists. */
  async makeDirectory(path: string): Promise<void> {
    try {
      await mkdir(path, DIRECTORY_MODE)
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error
    }
    await this.sync(dirname(path))
  }

  /** Syncs the names in a directory: without that, a power failure may bring back a file that was removed. */
  async sync(directory: string): Promise<void> {
    if (!this.#fsync || !IS_POSIX) return
    const handle = await unlessMissing(open(directory))
    try {
      await handle?.sync()
    } finally {
      await handle?.close()
    }
  }
}

/** Removes a file and, if it was the last one, its directory. */
export async function removeEntry(directory: string, name: string): Promise<void> {
  await rm(join(directory, name), { force: true })
  await removeIfEmpty(directory)
}

/** Removes an empty directory. A failure does not matter: a directory that stays is only untidy. */
export async function removeIfEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch(() => {})
}

/** The names in the 256 directories of `fanOut` that `isWanted` accepts, in their order, and only those after `after`. */
export async function* walk(
  directory: string,
  isWanted: (name: string) => boolean,
  after = ''
): AsyncGenerator<string> {
  for (const part of (await readdir(directory)).sort()) {
    if (!isFanOut(part) || part < after.slice(0, 2)) continue
    for (const name of (await readdir(join(directory, part))).sort()) if (name > after && isWanted(name)) yield name
  }
}

/** Resolves to undefined where the file or directory does not exist (`ENOENT`). */
export async function unlessMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/** The code of a system error, such as `ENOSPC`. */
export function codeOf(error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
