import { InvalidOptionError, isUnreadable } from '../../errors.ts'

const BUSY = 5
const FULL = 13
const IOERR_WRITE = 778
const IOERR_SHMSIZE = 4874

/** What an error of either library has: better-sqlite3 names the result of SQLite, `node:sqlite` numbers it. */
type SqliteError = Error & { readonly code?: string; readonly errcode?: number }

/** Whether another connection held a lock. */
export function isBusy(error: unknown): boolean {
  const { code, errcode } = error as SqliteError
  return code?.startsWith('SQLITE_BUSY') || (Number(errcode) & 0xff) === BUSY
}

/** Whether the disk, or the quota of the user, has no space for what SQLite had to write. */
export function isFull(error: unknown): boolean {
  const { code, errcode } = error as SqliteError
  return (
    ['SQLITE_FULL', 'SQLITE_IOERR_WRITE', 'SQLITE_IOERR_SHMSIZE'].includes(String(code)) ||
    [FULL, IOERR_WRITE, IOERR_SHMSIZE].includes(Number(errcode))
  )
}

/**
 * Describes an error for logs: what failed, with the code and the original error as `cause`. Returns errors of this package as they
 * are. `owner`: the class that could not do it.
 */
export function explain(what: string, error: unknown, owner = 'SqliteStore'): unknown {
  if (error instanceof InvalidOptionError || isUnreadable(error)) return error
  const { message, code } = error as SqliteError
  const reason = isBusy(error) ? `another connection was writing for too long (${message})` : message
  return Object.assign(new Error(`The ${owner} could not ${what}: ${reason.replace(/\.$/, '')}.`, { cause: error }), {
    code
  })
}
