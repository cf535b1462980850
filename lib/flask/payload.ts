import { TextDecoder } from 'node:util'
import { deflateSync, inflateSync } from 'node:zlib'

/** What marks a payload that is compressed. */
const COMPRESSED = '.'

/** What a cookie of 4096 bytes can hold is far more, which nobody keeps in a session on purpose. */
export const MAX_JSON_BYTES = 65_536

const utf8: TextDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * JSON as the payload of itsdangerous's URL-safe serializers: compressed where that makes it shorter. More than can be decompressed
 * here stays as it is, and so is too long for a cookie.
 */
export function encodePayload(json: string): string {
  const bytes = Buffer.from(json)
  const compressed = bytes.length > MAX_JSON_BYTES ? bytes : deflateSync(bytes)
  return compressed.length < bytes.length - 1
    ? COMPRESSED + compressed.toString('base64url')
    : bytes.toString('base64url')
}

/** The opposite of `encodePayload`; undefined for any other text, and for one of more than `MAX_JSON_BYTES`. */
export function decodePayload(payload: string): string | undefined {
  const isCompressed = payload.startsWith(COMPRESSED)
  const text = isCompressed ? payload.slice(COMPRESSED.length) : payload
  const bytes = Buffer.from(text, 'base64url')
  // Node's decoder skips what is not in its alphabet.
  if (bytes.toString('base64url') !== text) return undefined
  try {
    return utf8.decode(isCompressed ? inflateSync(bytes, { maxOutputLength: MAX_JSON_BYTES }) : bytes)
  } catch {
    return undefined
  }
}
