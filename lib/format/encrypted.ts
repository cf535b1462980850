import type { OpenRefusal } from '../../types/diagnostics.ts'
import { Base64Url } from '../crypto/base64url.ts'
import type { SessionKey } from '../crypto/keys.ts'
import type { RandomPool } from '../crypto/random.ts'
import { NONCE_BYTES, PREFIX_CHARACTERS, TAG_BYTES, Xaes256Gcm } from '../crypto/xaes.ts'
import type { CookieFormat } from './format.ts'
import type { IdentifiedRecord, LoadedRecord } from './record.ts'
import { decodeBody, encodeBody, encodeHead, HEAD_CHARACTERS, readKeyId, readLastSeenAt } from './record.ts'

const FORMAT = 'e2'
const HALF_NONCE_BYTES: number = NONCE_BYTES / 2

/**
 * Messages under one random half nonce, and so under one derived key. At 2^16 messages with 96 random bits each the
 * chance of a repeated nonce is 2^-65.
 */
const SEALS_PER_HALF_NONCE = 65_536

interface Cipher {
  readonly id: string
  readonly xaes: Xaes256Gcm
}

/**
 * `head.sealed`: anyone can read the head; to read the rest takes the key. The additional data is the cookie's name, `=`, the
 * head and the dot.
 */
export class EncryptedFormat implements CookieFormat {
  readonly currentPrefix: string
  readonly #newest: Cipher
  readonly #ciphers: readonly Cipher[]
  /** The cookie's name and `=`, with room for the head and the dot. */
  readonly #additionalData: Buffer
  readonly #headAt: number
  readonly #base64Url: Base64Url = new Base64Url()
  readonly #random: RandomPool
  readonly #nonce: Buffer = Buffer.alloc(NONCE_BYTES)
  readonly #secondHalf: Buffer = this.#nonce.subarray(HALF_NONCE_BYTES)
  /** The first half of the nonce as base64url. */
  #prefix = ''
  #sealsLeft = 0

  /** `keys`: newest first, at least one. */
  constructor(keys: readonly SessionKey[], cookieName: string, random: RandomPool) {
    this.#ciphers = keys.map(({ id, bytes }) => ({ id, xaes: new Xaes256Gcm(bytes) }))
    this.#newest = this.#ciphers[0] as Cipher
    this.#headAt = cookieName.length + 1
    this.#additionalData = Buffer.from(`${cookieName}=${'.'.repeat(HEAD_CHARACTERS + 1)}`, 'latin1')
    this.#random = random
    this.currentPrefix = FORMAT + this.#newest.id
  }

  encode(record: IdentifiedRecord): string {
    const head = `${encodeHead(FORMAT, this.#newest.id, record.lastSeenAt)}.`
    const nonce = this.#nextNonce()
    const sealed = this.#newest.xaes.seal(nonce, encodeBody(record), this.#bind(head), this.#prefix)
    return head + sealed.toString('base64url')
  }

  decode(text: string): LoadedRecord | OpenRefusal {
    if (!text.startsWith(FORMAT) || text[HEAD_CHARACTERS] !== '.') return 'malformed'
    const cipher = text.startsWith(this.currentPrefix) ? this.#newest : this.#find(readKeyId(text))
    if (cipher === undefined) return 'unknown-key'
    const sealedText = text.slice(HEAD_CHARACTERS + 1)
    const sealed = this.#base64Url.decodeCanonical(sealedText)
    if (sealed === undefined) return 'malformed'
    const head = text.slice(0, HEAD_CHARACTERS + 1)
    const body = cipher.xaes.open(sealed, this.#bind(head), sealedText.slice(0, PREFIX_CHARACTERS))
    if (body === undefined) return 'bad-signature'
    return decodeBody(body, readLastSeenAt(text))
  }

  lengthOf(bytes: number): number {
    return HEAD_CHARACTERS + 1 + Math.ceil(((NONCE_BYTES + bytes + TAG_BYTES) * 4) / 3)
  }

  #find(keyId: string): Cipher | undefined {
    return this.#ciphers.find(({ id }) => id === keyId)
  }

  /** Returns the additional data for a head, in one buffer that the next call overwrites. */
  #bind(head: string): Buffer {
    this.#additionalData.write(head, this.#headAt, 'latin1')
    return this.#additionalData
  }

  #nextNonce(): Buffer {
    if (this.#sealsLeft === 0) {
      this.#random.copyTo(this.#nonce, HALF_NONCE_BYTES)
      this.#prefix = this.#nonce.toString('base64url', 0, HALF_NONCE_BYTES)
      this.#sealsLeft = SEALS_PER_HALF_NONCE
    }
    this.#sealsLeft--
    this.#random.copyTo(this.#secondHalf, HALF_NONCE_BYTES)
    return this.#nonce
  }
}
