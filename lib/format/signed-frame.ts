import type { OpenRefusal } from '../../types/diagnostics.ts'
import { HmacSha256, MAC_CHARACTERS } from '../crypto/hmac.ts'
import type { SessionKey } from '../crypto/keys.ts'
import type { HeadEnd } from './record.ts'
import { encodeHead, HEAD_CHARACTERS, hasHeadEnd, readKeyId } from './record.ts'

interface Signer {
  readonly id: string
  readonly hmac: HmacSha256
}

/**
 * `head.payload.mac`: anyone can read it, nobody can change it. The MAC covers the cookie's name, `=`, and every character
 * before the last dot, exactly as they are sent, so there is no second spelling of a valid cookie. In the place of the first dot there
 * may be another `HeadEnd`.
 */
export class SignedFrame {
  readonly currentPrefix: string
  readonly #format: string
  readonly #newest: Signer
  readonly #signers: readonly Signer[]

  /** `format`: two characters. `keys`: newest first, at least one; derived for this format alone. */
  constructor(format: string, keys: readonly SessionKey[], cookieName: string) {
    this.#format = format
    this.#signers = keys.map(({ id, bytes }) => ({ id, hmac: new HmacSha256(bytes.toString('hex'), `${cookieName}=`) }))
    this.#newest = this.#signers[0] as Signer
    this.currentPrefix = format + this.#newest.id
  }

  seal(lastSeenAt: number, payload: string, headEnd: HeadEnd = '.'): string {
    return this.#newest.hmac.sign(`${encodeHead(this.#format, this.#newest.id, lastSeenAt)}${headEnd}${payload}`)
  }

  /** Returns why the text is invalid; undefined if it is valid. */
  verify(text: string): OpenRefusal | undefined {
    const dotAt = text.length - MAC_CHARACTERS - 1
    if (!text.startsWith(this.#format) || !hasHeadEnd(text) || text[dotAt] !== '.') return 'malformed'
    const signer = text.startsWith(this.currentPrefix) ? this.#newest : this.#find(readKeyId(text))
    if (signer === undefined) return 'unknown-key'
    return signer.hmac.verify(text) ? undefined : 'bad-signature'
  }

  /** The payload of a text that was verified. */
  payloadOf(text: string): string {
    return text.slice(HEAD_CHARACTERS + 1, -MAC_CHARACTERS - 1)
  }

  /** The length of a text whose payload has this many characters. */
  lengthOf(characters: number): number {
    return HEAD_CHARACTERS + 1 + characters + 1 + MAC_CHARACTERS
  }

  #find(keyId: string): Signer | undefined {
    return this.#signers.find(({ id }) => id === keyId)
  }
}
