import type { StoredRecord } from '../../../types/store.ts'
import { isObject } from '../../util/check.ts'
import { isIntact } from '../intact.ts'

/**
 * What a store may return for one session. `foreign`: a session, but not one of an `ExpressStore`. `damaged`: its JSON cannot be
 * parsed, or its facts are no facts. `unrecognised`: nothing is known of it, so that it may be one of an `ExpressStore`.
 */
type Found = StoredRecord | 'foreign' | 'damaged' | 'unrecognised'

/** The characters of a key that are the id for the store: 192 bits of a hash. The columns of many databases hold no more. */
const ID_LENGTH = 32

/** Returns the id under which the store has the session of a key. */
export function toSid(key: string): string {
  return key.slice(0, ID_LENGTH)
}

/**
 * Returns a session in the form of express-session. The record is one member and its data are text, so that no member collides
 * with those that stores read or add (`cookie`, `id`, `__lastAccess`), and no database reorders or refuses members.
 *
 * Stores expire a session by any of the three times in `cookie`, and by the clock of the system, which may differ from that of the
 * `ExpressStore`. `remaining`: for how many milliseconds the session lives.
 */
export function toSession(record: StoredRecord, remaining: number): object {
  const expires = new Date(Date.now() + remaining)
  return { cookie: { originalMaxAge: remaining, maxAge: remaining, expires, httpOnly: true, path: '/' }, record }
}

/** The inverse of `toSession`. Some stores return the row of a table, which has the session in a column. */
export function readSession(found: unknown): Found {
  if (!isObject(found)) return 'unrecognised'
  const { record, cookie, sess } = found as { record?: Partial<StoredRecord> | null; cookie?: unknown; sess?: unknown }
  if (typeof record?.json === 'string') return readRecord(record as StoredRecord)
  if (cookie !== undefined) return 'foreign'
  return sess === undefined ? 'unrecognised' : readColumn(sess)
}

/** Returns what is in the result of `all()`; undefined if it has a form that nothing is known of. */
export function readAll(result: unknown): Found[] | undefined {
  if (result === undefined || result === null) return []
  if (!Array.isArray(result) && (!isObject(result) || Symbol.iterator in Object(result))) return undefined
  // The keys of an object are the ids. A session that ends meanwhile may have left null.
  const found = Object.values(result).filter((session) => session !== undefined && session !== null)
  return found.map(readSession)
}

function readColumn(sess: unknown): Found {
  if (typeof sess !== 'string') return readSession(sess)
  try {
    return readSession(JSON.parse(sess))
  } catch {
    return 'damaged'
  }
}

/** A database may have changed undefined into null. */
function readRecord(written: StoredRecord): Found {
  const { key, json, createdAt, lastSeenAt, permanent, expiresAt, version } = written
  const ownerId = written.ownerId ?? undefined
  const description = written.description ?? undefined
  const extensions = written.extensions ?? undefined
  const record = { key, json, createdAt, lastSeenAt, permanent, ownerId, description, extensions, expiresAt, version }
  return isIntact(record) ? record : 'damaged'
}
