import type { FlaskBytes, FlaskDateTime, FlaskMarkup, FlaskTuple, FlaskUuid } from '../../types/flask.ts'
import { InvalidValueError } from '../errors.ts'

/** What is behind the key of a dict that Flask escapes, so that it is not taken for a value with a tag. */
const ESCAPE = '__'
const DICT = ' di'

type Untag = (value: unknown) => unknown

/**
 * Flask's tags, each with the value that it stands for. Undefined where Flask would fail to read it, or make no sense of it. What
 * is in the value is untagged already.
 */
const TAGS: Readonly<Record<string, Untag>> = {
  ' t': (items) => (Array.isArray(items) ? items : undefined),
  ' b': (text) => (isBase64(text) ? Buffer.from(text, 'base64') : undefined),
  ' m': (html) => (typeof html === 'string' ? html : undefined),
  ' u': (digits) => (isUuid(digits) ? hyphenate(digits) : undefined),
  ' d': (date) => (typeof date === 'string' && !Number.isNaN(Date.parse(date)) ? new Date(date) : undefined),
  [DICT]: (dict) => unescapeDict(dict)
}

/** Whether a text may hold a value with a tag. */
const MAY_BE_TAGGED = /\{\s*"(?: |\\u0020)(?:t|b|m|u|di?)"/

const UUID = /^[0-9a-f]{32}$/i
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/**
 * Makes what Flask reads as the values of Python that JSON has not, for a session in the format of `flaskCookie()`. Each throws
 * `ERR_SESSION_VALUE` for a value that Flask could not read.
 *
 * @example
 * ```ts
 * import { flaskCookie, tag, untag } from 'fastify-typed-session/flask'
 * import type { FlaskDateTime } from 'fastify-typed-session/flask'
 *
 * declare module 'fastify-typed-session' {
 *   interface SessionData {
 *     since: FlaskDateTime
 *   }
 * }
 *
 * await app.register(session, { format: flaskCookie({ secretKey: process.env.FLASK_SECRET_KEY }) })
 * app.post('/since', async ({ session }) => {
 *   session.since = tag.dateTime(new Date()) // in Flask, session["since"] is a datetime
 *   return untag(session.since) // a Date
 * })
 * ```
 */
export const tag = {
  /** A tuple with these items. */
  tuple<const Items extends readonly unknown[]>(items: Items): FlaskTuple<Items> {
    return checked(' t', items)
  },

  /** `bytes`. */
  bytes(bytes: Uint8Array): FlaskBytes {
    return checked(' b', Buffer.from(bytes).toString('base64'))
  },

  /** A `Markup`: HTML that templates do not escape. Never make one of what a visitor has written. */
  markup(html: string): FlaskMarkup {
    return checked(' m', html)
  },

  /** A `UUID`, with hyphens or without. */
  uuid(uuid: string): FlaskUuid {
    return checked(' u', uuid.replaceAll('-', ''))
  },

  /** A `datetime` in UTC, to the second. */
  dateTime(date: Date): FlaskDateTime {
    if (Number.isNaN(date.getTime())) refuse(' d')
    return checked(' d', date.toUTCString())
  },

  /**
   * A dict with keys that come from outside, such as ids of products. A plain object does as well, unless it can have a single key
   * that is one of Flask's tags.
   */
  dict<Value>(dict: Readonly<Record<string, Value>>): Readonly<Record<string, unknown>> {
    const [key, ...others] = Object.keys(dict)
    if (key === undefined || others.length > 0 || !Object.hasOwn(TAGS, key)) return dict
    return { [DICT]: { [key + ESCAPE]: dict[key] } }
  }
} as const

/**
 * Returns what a value in a session of Flask stands for, with all that is in it: an array for a tuple, a `Buffer` for bytes, a string for
 * `Markup` and for a UUID, which has hyphens, and a `Date` for a datetime. What has no tag, or one that is not Flask's own, stays.
 *
 * @example
 * ```ts
 * import { tag, untag } from 'fastify-typed-session/flask'
 *
 * untag({ at: tag.dateTime(new Date(0)), size: tag.tuple([1, 2]) }) // { at: 1970-01-01T00:00:00.000Z, size: [1, 2] }
 * ```
 */
export function untag(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(untag)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, member]) => [key, untag(member)] as const)
  const [[key, member] = ['', undefined], ...others] = entries
  const found = others.length === 0 && Object.hasOwn(TAGS, key) ? TAGS[key]?.(member) : undefined
  return found ?? Object.fromEntries(entries)
}

/**
 * Refuses data that Flask would fail to read, on every request of the visitor: an object with one key, which is a tag, and a value
 * that does not go with it.
 */
export function assertReadable(json: string): void {
  if (MAY_BE_TAGGED.test(json)) assertTags(JSON.parse(json))
}

function assertTags(value: unknown): void {
  if (typeof value !== 'object' || value === null) return
  const members = Object.entries(value)
  for (const [key, member] of members) {
    if (members.length === 1 && Object.hasOwn(TAGS, key) && TAGS[key]?.(member) === undefined) refuse(key)
    assertTags(member)
  }
}

function checked<Tagged>(key: string, value: unknown): Tagged {
  if (TAGS[key]?.(value) === undefined) refuse(key)
  return { [key]: value } as Tagged
}

function refuse(key: string): never {
  throw new InvalidValueError(
    `Flask cannot read one of the values: what follows the tag ${JSON.stringify(key)} does not go with it. Make values with a tag by the functions of \`tag\`, and dicts whose keys come from outside by tag.dict().`
  )
}

function unescapeDict(dict: unknown): unknown {
  if (typeof dict !== 'object' || dict === null || Array.isArray(dict)) return undefined
  const [[key, value] = ['', undefined], ...others] = Object.entries(dict)
  return others.length === 0 && key.endsWith(ESCAPE) ? { [key.slice(0, -ESCAPE.length)]: value } : undefined
}

function isBase64(value: unknown): value is string {
  return typeof value === 'string' && BASE64.test(value)
}

function isUuid(value: unknown): value is string {
  return typeof value === 'string' && UUID.test(value)
}

function hyphenate(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-').toLowerCase()
}
