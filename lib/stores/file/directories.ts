import { mkdirSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { InvalidOptionError } from '../../errors.ts'
import { codeOf, DIRECTORY_MODE, IS_POSIX } from './disk.ts'
import { explain } from './errors.ts'

/**
 * Makes the directory of a store and what it needs in it. Throws `ERR_SESSION_OPTION_INVALID` if others may enter it, before
 * anything is written into it. `owner`: the class that needs it.
 */
export function prepareDirectories(directory: string, inside: readonly string[], owner?: string): void {
  try {
    makeDirectories(directory)
    const { mode, uid } = statSync(directory)
    if (IS_POSIX && ((mode & 0o077) !== 0 || uid !== process.getuid?.())) {
      const found = `it belongs to user ${uid} and has mode ${(mode & 0o777).toString(8).padStart(4, '0')}`
      throw new InvalidOptionError(
        `The option directory must be a directory that only the user of this process may enter; ${found}. Use "chmod 700", or name a new directory inside it: ${join(directory, 'sessions')}.`
      )
    }
    for (const path of inside) makeDirectories(path)
  } catch (error) {
    throw explain('open its directories', directory, error, owner)
  }
}

/** Does not use the option `recursive` of `mkdir`: on a read-only disk it reports `ENOENT`. */
function makeDirectories(path: string): void {
  if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return
  try {
    mkdirSync(path, DIRECTORY_MODE)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    makeDirectories(dirname(path))
    mkdirSync(path, DIRECTORY_MODE)
  }
}
