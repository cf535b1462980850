import { crc32 } from 'node:zlib'
import type { StoredRecord } from '../../../types/store.ts'
import { isString } from '../../util/check.ts'
import { isIntact } from '../intact.ts'
import { isKey } from './names.ts'

const FORMAT = 'fastify-typed-session'
const VERSION = 1
const EDITED = 'it was edited: its checksum is right, and it holds no record'
/** A version is a short number, so that no message quotes what is damaged. */
const HEAD = new RegExp(`^${FORMAT} (\\d{1,3}) (\\S+)$`)

/** What a file holds. */
export interface SessionFile {
  readonly record: StoredRecord
  /** The keys of the sessions that make room for this one. It does not exist before all of them have ended. */
  readonly waitsFor: readonly string[]
}

/**
 * Returns the text of a file: one line with the format, its version and the checksum (CRC-32 of the rest), one line with the
 * record without its data, and the data.
 */
export function encodeSession({ record, waitsFor }: SessionFile): string {
  const { json, ...rest } = record
  const head = waitsFor.length === 0 ? rest : { ...rest, waitsFor }
  const body = `${JSON.stringify(head)}\n${json}\n`
  return `${FORMAT} ${VERSION} ${checksum(body)}\n${body}`
}

/**
 * The inverse of `encodeSession`. Throws an error that says what is wrong with the file, and contains nothing of its content.
 */
export function decodeSession(key: string, text: string): SessionFile {
  const [head, body] = cut(text)
  const [, version, sum] = HEAD.exec(head) ?? []
  if (text === '') throw new Error('it is empty, as after a power failure')
  if (version === undefined) throw new Error('it is not a session file, or it is damaged')
  if (version !== String(VERSION))
    throw new Error(`it has format version ${version}; this version of the package reads ${VERSION}`)
  if (sum !== checksum(body)) throw new Error('it is damaged: its checksum is wrong')
  const [rest, data] = cut(body)
  const written = parse(rest)
  if (written.key !== key) throw new Error('it belongs to another session')
  const { createdAt, lastSeenAt, permanent, ownerId, description, expiresAt, version: count, waitsFor = [] } = written
  const json = data.slice(0, -1)
  const record = { key, json, createdAt, lastSeenAt, permanent, ownerId, description, expiresAt, version: count }
  if (!isIntact(record) || !isListOfKeys(waitsFor)) throw new Error(EDITED)
  return { record, waitsFor }
}

function isListOfKeys(list: unknown): boolean {
  return Array.isArray(list) && list.every((key) => isString(key) && isKey(key))
}

/** Says nothing of the text, as `JSON.parse` would. */
function parse(head: string): Omit<StoredRecord, 'json'> & Partial<SessionFile> {
  try {
    return Object(JSON.parse(head))
  } catch {
    throw new Error(EDITED)
  }
}

function cut(text: string): [line: string, rest: string] {
  const end = text.indexOf('\n')
  return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)]
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
