import type { SessionRecord, StoredRecord } from '../../../types/store.ts'
import { toMembers } from '../../data/json-members.ts'
import { decodeOwner } from '../decode-owner.ts'
import { assertIntact } from '../intact.ts'
import type { Fields } from './commands.ts'

// The fields of a record's hash have one letter. A member of the data is a field that begins with a dot.
const CREATED_AT = 'c'
export const LAST_SEEN_AT = 's'
export const EXPIRES_AT = 'e'
const VERSION = 'v'
export const PERMANENT = 'p'
const OWNER = 'o'
const DESCRIPTION = 'd'
export const EXTENSIONS = 'x'
/** The score that the record has in the index of its owner. */
export const LISTED_UNTIL = 'l'
/** Set while the record waits for its place in the index, and is not live. */
export const PENDING = 'n'

/** Returns the field of a member. The name is written as in JSON, because UTF-8 cannot represent lone surrogates. */
export function toField(name: string): string {
  return `.${JSON.stringify(name).slice(1, -1)}`
}

/** Returns an owner's id as JSON, for the same reason. */
export function toOwner(ownerId: string): string {
  return JSON.stringify(ownerId)
}

export function toFlag(flag: boolean): string {
  return flag ? '1' : '0'
}

/** Returns a new record as fields and values, in turn. */
export function toFields(record: SessionRecord, expiresAt: number): string[] {
  const { json, createdAt, lastSeenAt, permanent, ownerId, description, extensions } = record
  const fields = [CREATED_AT, String(createdAt), LAST_SEEN_AT, String(lastSeenAt), EXPIRES_AT, String(expiresAt)]
  fields.push(VERSION, '0', PERMANENT, toFlag(permanent))
  if (ownerId !== undefined) fields.push(OWNER, toOwner(ownerId))
  if (description !== undefined) fields.push(DESCRIPTION, description)
  if (extensions) fields.push(EXTENSIONS, extensions)
  for (const [name, text] of toMembers(json)) fields.push(toField(name), text)
  return fields
}

/** Returns the record that the fields hold; undefined if there is none, or if it is not live at `now`, in seconds. */
export function toRecord(key: string, fields: Fields, now: number): StoredRecord | undefined {
  const expiresAt = Number(fields[EXPIRES_AT])
  const isThere = fields[EXPIRES_AT] !== undefined && fields[PENDING] === undefined
  // Something else than a number is damage.
  if (!isThere || expiresAt < now) return undefined
  let json = ''
  for (const field in fields) {
    if (field.startsWith('.')) json += `${json === '' ? '' : ','}"${field.slice(1)}":${fields[field]}`
  }
  const [owner, description, extensions] = [fields[OWNER], fields[DESCRIPTION], fields[EXTENSIONS]]
  return assertIntact({
    key,
    json: `{${json}}`,
    createdAt: Number(fields[CREATED_AT]),
    lastSeenAt: Number(fields[LAST_SEEN_AT]),
    permanent: String(fields[PERMANENT]) === '1',
    ownerId: owner === undefined ? undefined : decodeOwner(String(owner)),
    description: description === undefined ? undefined : String(description),
    extensions: extensions === undefined ? undefined : String(extensions),
    expiresAt,
    version: Number(fields[VERSION])
  })
}

/** Returns the member of an index: the time of creation, by which a limit evicts, and the key. */
export function toEntry(createdAt: string, key: string): string {
  return `${createdAt}:${key}`
}

/** Returns the key in a member of an index. */
export function toKey(entry: string): string {
  return entry.slice(entry.indexOf(':') + 1)
}
