import type { StoredRecord } from '../../types/store.ts'
import { unreadableError } from '../errors.ts'
import { isBoolean, isString } from '../util/check.ts'

/**
 * Whether the facts about a record have their types. Somebody may have edited them: a time that is no number would never expire.
 * The JSON in it is for others to parse.
 */
export function isIntact(record: StoredRecord): boolean {
  const { createdAt, lastSeenAt, expiresAt, version, json, permanent, ownerId, description, extensions } = record
  const hasNumbers = [createdAt, lastSeenAt, expiresAt, version].every(Number.isSafeInteger)
  const hasTexts =
    isString(json) && [ownerId, description, extensions].every((text) => text === undefined || isString(text))
  return hasNumbers && hasTexts && isBoolean(permanent)
}

/** Returns a record that is intact. Throws `ERR_SESSION_UNREADABLE` for any other. */
export function assertIntact(record: StoredRecord): StoredRecord {
  if (!isIntact(record)) throw unreadableError()
  return record
}
