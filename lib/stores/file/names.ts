import { createHash } from 'node:crypto'
import { join } from 'node:path'

/** Whether a text has the form of a session's key. Nothing else may become part of a path. */
export function isKey(key: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(key)
}

/**
 * Returns the file name of a key: 66 hexadecimal digits, because some file systems do not tell `a` from `A`. One more character
 * makes whole bytes of the key, so that no bit is lost.
 */
export function toFileName(key: string): string {
  return Buffer.from(`${key}A`, 'base64url').toString('hex')
}

/** The inverse of `toFileName`. */
export function toKey(fileName: string): string {
  return Buffer.from(fileName, 'hex').toString('base64url').slice(0, -1)
}

export function isFileName(name: string): boolean {
  return /^[0-9a-f]{65}0$/.test(name)
}

/** Returns the name of an owner's directory. The id is hashed as JSON, because UTF-8 cannot represent lone surrogates. */
export function hashOwner(ownerId: string): string {
  return createHash('sha256').update(JSON.stringify(ownerId)).digest('hex')
}

export function isOwnerHash(name: string): boolean {
  return /^[0-9a-f]{64}$/.test(name)
}

/** Returns the path of `name` in one of 256 directories below `directory`, so that none of them grows too long. */
export function fanOut(directory: string, name: string): string {
  return join(directory, name.slice(0, 2), name)
}

/** Whether it is the name of one of those 256 directories. */
export function isFanOut(name: string): boolean {
  return /^[0-9a-f]{2}$/.test(name)
}
