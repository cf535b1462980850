import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { CookieFormat } from '../format/format.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import { MAX_COOKIE_CHARACTERS } from '../format/record.ts'
import { fromFlask, toFlask } from './envelope.ts'
import { decodePayload, encodePayload, MAX_JSON_BYTES } from './payload.ts'
import type { FlaskSigner } from './signer.ts'
import { decodeTimestamp, encodeTimestamp, readTimestamp } from './timestamp.ts'

/** The cookies of Flask: `payload.timestamp.mac`, as itsdangerous's `URLSafeTimedSerializer` writes them. */
export class FlaskFormat implements CookieFormat {
  /** Nothing in front of a cookie tells its key. */
  readonly currentPrefix = ''
  readonly maxCharacters: number = MAX_JSON_BYTES
  readonly readStamp: typeof readTimestamp = readTimestamp
  /** No session has timeouts of its own: Flask would not know them. */
  readonly readUsualStamp: typeof readTimestamp = readTimestamp
  readonly #signer: FlaskSigner

  constructor(signer: FlaskSigner) {
    this.#signer = signer
  }

  encode(record: IdentifiedRecord): string {
    return this.#signer.sign(`${encodePayload(toFlask(record))}.${encodeTimestamp(record.lastSeenAt)}`)
  }

  decode(text: string): LoadedRecord | OpenRefusal {
    const opened = openFlask(this.#signer, text)
    if (typeof opened === 'string') return opened
    const record = fromFlask(opened.json, opened.signedAt, text)
    return opened.isCurrent || typeof record === 'string' ? record : { ...record, needsRekey: true }
  }

  measure(record: IdentifiedRecord): number {
    return this.encode(record).length
  }
}

/** A cookie that is genuine, at whatever age. */
export interface OpenedCookie {
  readonly json: string
  /** Seconds since 1970. */
  readonly signedAt: number
  /** Whether it was signed with the newest key. */
  readonly isCurrent: boolean
}

/** Returns what a cookie of Flask says, or why it is none. */
export function openFlask(signer: FlaskSigner, cookie: string): OpenedCookie | 'malformed' | 'bad-signature' {
  if (cookie.length > MAX_COOKIE_CHARACTERS || Number.isNaN(readTimestamp(cookie))) return 'malformed'
  const signed = signer.verify(cookie)
  if (signed === undefined) return 'bad-signature'
  const dotAt = signed.text.lastIndexOf('.')
  const json = decodePayload(signed.text.slice(0, dotAt))
  const signedAt = decodeTimestamp(signed.text.slice(dotAt + 1))
  return json === undefined ? 'malformed' : { json, signedAt, isCurrent: signed.isCurrent }
}
