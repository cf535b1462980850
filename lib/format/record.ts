import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { Extensions } from './extensions.ts'
import { refuseExtensions } from './extensions.ts'
import { readTimeout } from './timeouts.ts'

/** Browsers keep no larger cookie, name and value together. */
export const MAX_COOKIE_CHARACTERS = 4096

/** Characters in front of every cookie value, in every mode: format, key id and time stamp. Never secret. */
export const HEAD_CHARACTERS = 18
const FORMAT_CHARACTERS = 2
const KEY_ID_CHARACTERS = 6
const STAMP_AT: number = FORMAT_CHARACTERS + KEY_ID_CHARACTERS

/** What stands behind the head. The second one says that the session has an idle timeout of its own, which the head does not tell. */
const HEAD_ENDS = ['.', '~'] as const
const [USUAL_END] = HEAD_ENDS

/** A character that can stand behind the head. */
export type HeadEnd = (typeof HEAD_ENDS)[number]

const SECONDS_CHARACTERS = 10

/** The latest time that ten digits can hold: in the year 2286. */
export const MAX_SECONDS = 9_999_999_999
const FLAGS_AT: number = SECONDS_CHARACTERS
const ID_AT: number = FLAGS_AT + 1
const OWNER_AT: number = ID_AT + 22

/** The facts about a session, and its data as JSON. Times are seconds since 1970. */
export interface IdentifiedRecord {
  readonly id: string
  readonly createdAt: number
  /** The last recorded activity: the idle timeout counts from here. */
  readonly lastSeenAt: number
  readonly permanent: boolean
  readonly ownerId: string | undefined
  readonly extensions: Extensions
  /** Those of the reference in the cookie, if a store has the session. */
  readonly referenceExtensions?: Extensions
  readonly json: string
}

/** A record that was loaded: `data` is its JSON, parsed. */
export interface LoadedRecord extends IdentifiedRecord {
  readonly data: Readonly<Record<string, unknown>>
  /** Whether it was sealed with an older key, where the start of a cookie does not tell. */
  readonly needsRekey?: true
}

type BodyRefusal = Extract<OpenRefusal, 'malformed' | 'unsupported'>

/** `format`: two characters. `keyId`: six. */
export function encodeHead(format: string, keyId: string, lastSeenAt: number): string {
  return format + keyId + encodeSeconds(lastSeenAt)
}

/** The id of the key that sealed a cookie, as the cookie claims. */
export function readKeyId(text: string): string {
  return text.slice(FORMAT_CHARACTERS, STAMP_AT)
}

/** Returns the time stamp of the cookie that starts at `from`; NaN if there is none. Checks nothing else. */
export function readLastSeenAt(text: string, from = 0): number {
  return decodeSeconds(text, from + STAMP_AT)
}

/** What stands behind the head of the cookie of a session with these extensions. */
export function headEndOf(extensions: Extensions): HeadEnd {
  return readTimeout(extensions, 'idleTimeout') === undefined ? USUAL_END : HEAD_ENDS[1]
}

/** Whether a head ends where it should. */
export function hasHeadEnd(text: string): boolean {
  const end = text[HEAD_CHARACTERS]
  return end === USUAL_END || end === HEAD_ENDS[1]
}

/** Like `readLastSeenAt`, but NaN where the idle timeout of the options does not hold. */
export function readUsualStamp(text: string, from = 0): number {
  return text[from + HEAD_CHARACTERS] === USUAL_END ? readLastSeenAt(text, from) : Number.NaN
}

/**
 * The text to seal: created, flags, id, owner, extensions, data. The owner is escaped, so the first `:` starts the extensions, and the
 * first `{` the data.
 */
export function encodeBody(record: IdentifiedRecord): string {
  const { createdAt, permanent, id, ownerId, extensions = '', json } = record
  const owner = ownerId === undefined ? '' : encodeURIComponent(ownerId)
  return `${encodeSeconds(createdAt)}${permanent ? '1' : '0'}${id}${owner}${extensions}${json}`
}

/** The opposite of `encodeBody`, or why there is no record: `malformed` for a text that no version of it can have written. */
export function decodeBody(body: string, lastSeenAt: number): LoadedRecord | BodyRefusal {
  const createdAt = decodeSeconds(body, 0)
  const flags = body[FLAGS_AT]
  const dataAt = body.indexOf('{', OWNER_AT)
  if (Number.isNaN(createdAt) || Number.isNaN(lastSeenAt) || dataAt === -1) return 'malformed'
  if (flags !== '0' && flags !== '1') return 'malformed'
  const mark = dataAt === OWNER_AT ? -1 : body.indexOf(':', OWNER_AT)
  const ownerEnd = mark === -1 || mark > dataAt ? dataAt : mark
  const extensions = ownerEnd === dataAt ? undefined : body.slice(ownerEnd, dataAt)
  const refusal = extensions === undefined ? undefined : refuseExtensions(extensions)
  // Before the rest: what a critical extension says may change the meaning of the data.
  if (refusal !== undefined) return refusal
  try {
    const json = body.slice(dataAt)
    return {
      id: body.slice(ID_AT, OWNER_AT),
      createdAt,
      lastSeenAt,
      permanent: flags === '1',
      ownerId: ownerEnd === OWNER_AT ? undefined : decodeURIComponent(body.slice(OWNER_AT, ownerEnd)),
      extensions,
      json,
      data: JSON.parse(json)
    }
  } catch {
    return 'malformed'
  }
}

function encodeSeconds(seconds: number): string {
  return String(seconds).padStart(SECONDS_CHARACTERS, '0')
}

/** Ten decimal digits and nothing else: one number has one spelling. */
function decodeSeconds(text: string, from: number): number {
  // A short piece is a string of its own; in a part of a header, each character is sought by way of the header.
  const digits = text.slice(from, from + SECONDS_CHARACTERS)
  if (digits.length < SECONDS_CHARACTERS) return Number.NaN
  let seconds = 0
  for (let index = 0; index < SECONDS_CHARACTERS; index++) {
    const digit = digits.charCodeAt(index) - 48
    if (!(digit >= 0 && digit <= 9)) return Number.NaN
    seconds = seconds * 10 + digit
  }
  return seconds
}
