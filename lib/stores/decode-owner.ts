import { unreadableError } from '../errors.ts'

/** Returns the id of an owner that a store has as JSON. Throws `ERR_SESSION_UNREADABLE`, and does not quote it. */
export function decodeOwner(json: string): string {
  let owner: unknown
  try {
    owner = JSON.parse(json)
  } catch {
    throw unreadableError()
  }
  if (typeof owner !== 'string') throw unreadableError()
  return owner
}
