import { crc32 } from 'node:zlib'
import type { StoredRecord } from '../../../types/store.ts'
import { isIntact } from '../intact.ts'

const FORMAT = 'fastify-typed-session'
const VERSION = 1
const EDITED = 'it was edited: its checksum is right, and it holds no record'
/** A version is a short number, so that no message quotes what is damaged. */
const HEAD = new RegExp(`^${FORMAT} (\\d{1,3}) (\\S+)$`)

/**
 * Returns the text of a file: one line with the format, its version and the checksum (CRC-32 of the rest), one line with the
 * record without its data, and the data.
 */
export function encodeRecord({ json, ...head }: StoredRecord): string {
  const body = `${JSON.stringify(head)}\n${json}\n`
  return `${FORMAT} ${VERSION} ${checksum(body)}\n${body}`
}

/**
 * The inverse of `encodeRecord`. Throws an error that says what is wrong with the file, and contains nothing of its content.
 */
export function decodeRecord(key: string, text: string): StoredRecord {
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
  const { createdAt, lastSeenAt, permanent, ownerId, description, extensions, expiresAt, version: count } = written
  const facts = { key, createdAt, lastSeenAt, permanent, ownerId, description, extensions, expiresAt }
  const record = { ...facts, json: data.slice(0, -1), version: count }
  if (!isIntact(record)) throw new Error(EDITED)
  return record
}

/** Says nothing of the text, as `JSON.parse` would. */
function parse(head: string): Omit<StoredRecord, 'json'> {
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
