import { dirname } from 'node:path'
import type { SessionErrorCode } from '../../../types/errors.ts'
import { codeOf } from './disk.ts'

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  EROFS: 'the disk is read-only',
  EACCES: 'the process lacks the permission',
  EPERM: 'the process lacks the permission, or the disk has no hard links',
  EMFILE: 'the process has too many open files',
  ENFILE: 'the system has too many open files',
  ENOENT: 'the directory or a part of it does not exist. Is the disk mounted?'
}

/**
 * Describes an error of the system for logs: with the directory, and without the path of the file, which contains the key of a
 * session. The original error is the `cause`. Any other error is returned as it is. `owner`: the class that has failed.
 */
export function explain(what: string, directory: string, error: unknown, owner = 'FileStore'): unknown {
  if ((error as NodeJS.ErrnoException).syscall === undefined) return error
  const code = codeOf(error)
  const reason = REASONS[code] ?? 'the system reports an error'
  const message = `The ${owner} could not ${what} in ${directory}: ${reason} (${code}).`
  return Object.assign(new Error(message, { cause: error }), { code })
}

/** A file in the place of a session that cannot be decoded. */
export class UnreadableError extends Error {
  readonly code: SessionErrorCode = 'ERR_SESSION_UNREADABLE'
  readonly statusCode: number = 500
  /** The path of the file, for those who restore or remove it. It is not part of the message. */
  readonly path: string

  constructor(path: string, cause: Error) {
    super(
      `The FileStore cannot read a session in ${dirname(path)}: ${cause.message}. Restore or remove the file; the property path of this error names it.`,
      { cause }
    )
    this.path = path
  }
}
