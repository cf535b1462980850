import { createHash } from 'node:crypto'
import type { OpenRefusal } from '../../types/diagnostics.ts'
import { fromMembers, isSameText, toMembers } from '../data/json-members.ts'
import { ReservedKeyError } from '../errors.ts'
import { readExtension, withExtension } from '../format/extensions.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import { decodeBody, encodeBody } from '../format/record.ts'
import { isOwnerId } from '../owners/owner-id.ts'
import { toFlaskKey, toOurKey } from './member-names.ts'
import { assertReadable } from './tags.ts'

/** What a session of ours has and Flask's has not: what stands in front of the data in our own cookies. */
const OURS = '_fts'
/** What Flask calls a session whose cookie outlives the browser. */
const PERMANENT = '_permanent'
/** Where Flask-Login has the id of the user, who owns the session. */
const OWNER = '_user_id'

/** In memory only: Flask's text, so that what is not touched is written as it was. */
const ORIGINAL = 'f'

const ID_BYTES = 16
const NO_DATA = '{}'
const FALSE: readonly string[] = ['false', 'null', '0', '""', '[]', NO_DATA]

/** The text that Flask reads as the session of a record. Throws `ERR_SESSION_RESERVED_KEY` and `ERR_SESSION_VALUE`. */
export function toFlask(record: IdentifiedRecord): string {
  const { ownerId } = record
  const members = mergedMembers(record)
  assertReadable(record.json)
  members.set(OURS, JSON.stringify(factsOf(record)))
  if (record.permanent) members.set(PERMANENT, 'true')
  if (ownerId !== undefined) members.set(OWNER, JSON.stringify(ownerId))
  return fromMembers(members)
}

/** The opposite of `toFlask`. `cookie`: what a session that Flask has begun gets its id from. */
export function fromFlask(text: string, lastSeenAt: number, cookie: string): LoadedRecord | OpenRefusal {
  if (!isObject(text)) return 'malformed'
  const members = withoutEscape(toMembers(text))
  const original = fromMembers(members)
  const facts = parse(members.get(OURS) ?? 'null')
  const permanent = !FALSE.includes(members.get(PERMANENT) ?? NO_DATA)
  const owner = parse(members.get(OWNER) ?? 'null')
  const ownerId = isOwnerId(owner) ? owner : undefined
  for (const key of [OURS, PERMANENT]) members.delete(key)
  if (ownerId !== undefined) members.delete(OWNER)
  const json = fromMembers(Array.from(members, ([key, value]) => [toOurKey(key), value] as const))
  const record = decodeBody((typeof facts === 'string' ? facts : derivedFacts(lastSeenAt, cookie)) + json, lastSeenAt)
  if (typeof record === 'string') return record
  const extensions = withExtension(record.extensions, ORIGINAL, Buffer.from(original).toString('base64url'))
  return { ...record, permanent, ownerId, extensions }
}

/** The data of a session, as Flask spells them: what is as it was is written as it was. */
function mergedMembers({ json, extensions }: IdentifiedRecord): Map<string, string> {
  const original = readExtension(extensions, ORIGINAL)
  const before = toMembers(original === undefined ? NO_DATA : Buffer.from(original, 'base64url').toString())
  const members = new Map<string, string>()
  for (const [ourKey, text] of toMembers(json)) {
    const key = toFlaskKey(ourKey)
    if (key === OURS || key === PERMANENT || (key === OWNER && isOwnerId(parse(text)))) refuse(key)
    const old = before.get(key)
    members.set(key, old !== undefined && isSameText(old, text) ? old : text)
  }
  return members
}

function factsOf(record: IdentifiedRecord): string {
  const extensions = withExtension(record.extensions, ORIGINAL, undefined)
  return encodeBody({ ...record, extensions, permanent: false, ownerId: undefined, json: '' })
}

/** The facts of a session of which nothing is known but its cookie. */
function derivedFacts(lastSeenAt: number, cookie: string): string {
  const digest = createHash('sha256').update(cookie).digest()
  const id = digest.subarray(0, ID_BYTES).toString('base64url')
  const extensions = undefined
  return encodeBody({
    id,
    createdAt: lastSeenAt,
    lastSeenAt,
    permanent: false,
    ownerId: undefined,
    extensions,
    json: ''
  })
}

/** Flask escapes a session with a single key that is a tag. */
function withoutEscape(members: Map<string, string>): Map<string, string> {
  const dict = members.size === 1 ? members.get(' di') : undefined
  if (dict === undefined || !isObject(dict)) return members
  return new Map(Array.from(toMembers(dict), ([key, text]) => [key.replace(/__$/, ''), text]))
}

function isObject(text: string): boolean {
  return /^\s*\{/.test(text) && parse(text) !== undefined
}

/** Undefined for what JSON cannot hold, such as NaN, which Python writes. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function refuse(key: string): never {
  throw new ReservedKeyError(
    'In a cookie of Flask, one of the keys is that of a fact about the session. The cause of this error says which one, and what to use instead.',
    { cause: new Error(`The key is ${key}. Use ${INSTEAD[key]}.`) }
  )
}

const INSTEAD: Readonly<Record<string, string>> = {
  [OURS]: 'another key',
  [PERMANENT]: 'session.permanent',
  [OWNER]: 'session.ownerId and session.setOwner()'
}
