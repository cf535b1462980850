import type { OpenRefusal } from '../../types/diagnostics.ts'
import { Base64Url } from '../crypto/base64url.ts'
import type { SessionKey } from '../crypto/keys.ts'
import type { RandomPool } from '../crypto/random.ts'
import type { FillNonce, XChaCha20Poly1305 } from '../crypto/xchacha.ts'
import { NONCE_BYTES, TAG_BYTES } from '../crypto/xchacha.ts'
import type { CookieFormat } from './format.ts'
import type { IdentifiedRecord, LoadedRecord } from './record.ts'
import {
  decodeBody,
  encodeBody,
  encodeHead,
  HEAD_CHARACTERS,
  hasHeadEnd,
  headEndOf,
  MAX_COOKIE_CHARACTERS,
  readKeyId,
  readLastSeenAt,
  readUsualStamp
} from './record.ts'

const FORMAT = 'e2'

/**
 * `head.sealed`: anyone can read the head; to read the rest takes the key. The additional data is the cookie's name, `=`, the
 * head and the dot, in the place of which there may be another `HeadEnd`.
 */
export class EncryptedFormat implements CookieFormat {
  readonly currentPrefix: string
  readonly maxCharacters: number = MAX_COOKIE_CHARACTERS
  readonly readStamp: typeof readLastSeenAt = readLastSeenAt
  readonly readUsualStamp: typeof readUsualStamp = readUsualStamp
  readonly #cipher: XChaCha20Poly1305
  readonly #newest: SessionKey
  readonly #keys: readonly SessionKey[]
  /** The cookie's name and `=`, with room for the head and the dot. */
  readonly #additionalData: Buffer
  readonly #headAt: number
  readonly #maxLength: number
  readonly #base64Url: Base64Url = new Base64Url()
  readonly #fillNonce: FillNonce

  /** `keys`: newest first, at least one. */
  constructor(keys: readonly SessionKey[], cookieName: string, random: RandomPool, cipher: XChaCha20Poly1305) {
    this.#cipher = cipher
    this.#keys = keys
    this.#newest = keys[0] as SessionKey
    this.#headAt = cookieName.length + 1
    this.#maxLength = MAX_COOKIE_CHARACTERS - cookieName.length
    this.#additionalData = Buffer.from(`${cookieName}=${'.'.repeat(HEAD_CHARACTERS + 1)}`, 'latin1')
    this.#fillNonce = (nonce) => random.copyTo(nonce, NONCE_BYTES)
    this.currentPrefix = FORMAT + this.#newest.id
  }

  encode(record: IdentifiedRecord): string {
    const head = encodeHead(FORMAT, this.#newest.id, record.lastSeenAt) + headEndOf(record.extensions)
    return head + this.#cipher.seal(this.#newest.bytes, encodeBody(record), this.#bind(head), this.#fillNonce)
  }

  decode(text: string): LoadedRecord | OpenRefusal {
    const isTooLong = text.length > this.#maxLength
    if (!text.startsWith(FORMAT) || !hasHeadEnd(text) || isTooLong) return 'malformed'
    const key = text.startsWith(this.currentPrefix) ? this.#newest : this.#find(readKeyId(text))
    if (key === undefined) return 'unknown-key'
    const sealed = this.#base64Url.decodeCanonical(text.slice(HEAD_CHARACTERS + 1))
    if (sealed === undefined) return 'malformed'
    const body = this.#cipher.open(key.bytes, sealed, this.#bind(text.slice(0, HEAD_CHARACTERS + 1)))
    if (body === undefined) return 'bad-signature'
    return decodeBody(body, readLastSeenAt(text))
  }

  measure(record: IdentifiedRecord): number {
    const bytes = Buffer.byteLength(encodeBody(record))
    return HEAD_CHARACTERS + 1 + Math.ceil(((NONCE_BYTES + bytes + TAG_BYTES) * 4) / 3)
  }

  #find(keyId: string): SessionKey | undefined {
    return this.#keys.find(({ id }) => id === keyId)
  }

  /** Returns the additional data for a head, in one buffer that the next call overwrites. */
  #bind(head: string): Buffer {
    this.#additionalData.write(head, this.#headAt, 'latin1')
    return this.#additionalData
  }
}
