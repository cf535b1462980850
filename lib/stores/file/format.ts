import { crc32 } from 'node:zlib'
import type { StoredRecord } from '../../../types/store.ts'

const FORMAT = 'fastify-typed-session'
const VERSION = 1

/**
 * Returns the text of a file: one line with the format, its version and the checksum (CRC-32 of the rest), one line with the
 * record without its data, and the data.
 */
export function encodeRecord(record: StoredRecord): string {
  const { json, ...rest } = record
  const body = `${JSON.stringify(rest)}\n${json}\n`
  return `${FORMAT} ${VERSION} ${checksum(body)}\n${body}`
}

/**
 * The inverse of `encodeRecord`. Throws an error that says what is wrong with the file, and contains nothing of its content.
 */
export function decodeRecord(key: string, text: string): StoredRecord {
  const [head, body] = cut(text)
  const [format, version, sum] = head.split(' ')
  if (text === '') throw new Error('it is empty, as after a power failure')
  if (format !== FORMAT) throw new Error('it is not a session file, or it is damaged')
  if (version !== String(VERSION))
    throw new Error(`it has format version ${version}; this version of the package reads ${VERSION}`)
  if (sum !== checksum(body)) throw new Error('it is damaged: its checksum is wrong')
  const [rest, data] = cut(body)
  const record: Omit<StoredRecord, 'json'> = JSON.parse(rest)
  if (record.key !== key) throw new Error('it belongs to another session')
  const { createdAt, lastSeenAt, permanent, ownerId, description, expiresAt, version: count } = record
  return {
    key,
    json: data.slice(0, -1),
    createdAt,
    lastSeenAt,
    permanent,
    ownerId,
    description,
    expiresAt,
    version: count
  }
}

function cut(text: string): [line: string, rest: string] {
  const end = text.indexOf('\n')
  return end === -1 ? [text, ''] : [text.slice(0, end), text.slice(end + 1)]
}

function checksum(text: string): string {
  return crc32(text).toString(16).padStart(8, '0')
}
