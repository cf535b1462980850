import type { MemberChanges } from '../data/json-members.ts'
import { tooLargeError } from './too-large.ts'

/** What counts as the size of data. */
export interface Scale {
  /** The most bytes for one UTF-16 unit of JSON. */
  readonly maxBytesPerUnit: number
  /** Returns the bytes of data, given as JSON. */
  readonly bytesOf: (json: string) => number
}

/** The JSON itself, as UTF-8. */
export const JSON_SCALE: Scale = { maxBytesPerUnit: 3, bytesOf: (json) => Buffer.byteLength(json) }

export interface SizeSettings {
  /** The most bytes of the data of one session. */
  readonly maxBytes: number
  readonly scale: Scale
}

/** The length of an escaped unit in JSON, such as `\u0000`. */
const MAX_ESCAPED_LENGTH = 6
/** Quotes, colon and comma of a member. */
const PUNCTUATION = 4

/** Refuses data with more bytes than allowed, unless there were more `before`: a session that is too large may shrink. */
export function assertFits(json: string, before: string, { maxBytes, scale }: SizeSettings): void {
  if (json.length * scale.maxBytesPerUnit <= maxBytes) return
  const bytes = scale.bytesOf(json)
  if (bytes <= maxBytes || bytes <= scale.bytesOf(before)) return
  throw tooLargeError(
    `The session would have ${bytes} bytes in the store, and the option maxBytes allows ${maxBytes}`,
    json,
    'Keep ids instead of objects, or raise maxBytes.'
  )
}

/** Whether data may have more bytes than allowed after changes. A cheap upper bound: the JSON after the changes costs more. */
export function mayExceed(json: string, set: MemberChanges['set'], { maxBytes, scale }: SizeSettings): boolean {
  let units = json.length
  for (const [key, text] of Object.entries(set)) units += text.length + key.length * MAX_ESCAPED_LENGTH + PUNCTUATION
  return units * scale.maxBytesPerUnit > maxBytes
}
