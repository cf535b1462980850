import type { MemberChanges } from '../data/json-members.ts'
import { tooLargeError } from './too-large.ts'

/** A UTF-16 unit has at most so many bytes as UTF-8. */
const MAX_BYTES_PER_UNIT = 3
/** The length of an escaped unit in JSON, such as `\u0000`. */
const MAX_ESCAPED_LENGTH = 6
/** Quotes, colon and comma of a member. */
const PUNCTUATION = 4

/** Refuses data with more bytes than `limit`, unless there were more `before`: a session that is too large may shrink. */
export function assertFits(json: string, before: string, limit: number): void {
  if (json.length * MAX_BYTES_PER_UNIT <= limit) return
  const bytes = Buffer.byteLength(json)
  if (bytes <= limit || bytes <= Buffer.byteLength(before)) return
  throw tooLargeError(
    `The session would have ${bytes} bytes of JSON, and the option maxBytes allows ${limit}`,
    json,
    'Keep ids instead of objects, or raise maxBytes.'
  )
}

/** Whether data may have more bytes than `limit` after changes. A cheap upper bound: the JSON after the changes costs more. */
export function mayExceed(json: string, set: MemberChanges['set'], limit: number): boolean {
  let units = json.length
  for (const [key, text] of Object.entries(set)) units += text.length + key.length * MAX_ESCAPED_LENGTH + PUNCTUATION
  return units * MAX_BYTES_PER_UNIT > limit
}
