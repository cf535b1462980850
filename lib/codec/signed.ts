import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { SessionKey } from '../keys.ts'
import { Base64Url } from './base64url.ts'
import type { Codec } from './codec.ts'
import type { Envelope, OpenEnvelope } from './envelope.ts'
import { decodeBody, encodeBody, encodeHead, HEAD_CHARACTERS, readKeyId, readStamp } from './envelope.ts'
import { HmacSha256, MAC_CHARACTERS } from './hmac.ts'

const FORMAT = 's1'

interface Signer {
  readonly id: string
  readonly hmac: HmacSha256
}

/**
 * `head.body.mac`: readable by anyone, changed by no one. The MAC covers the cookie's name, `=`, and every character
 * before the last dot, exactly as they are sent, so there is no second spelling of a valid cookie.
 */
export class SignedCodec implements Codec {
  readonly current: string
  readonly #newest: Signer
  readonly #signers: readonly Signer[]
  readonly #base64Url: Base64Url = new Base64Url()

  /** `keys`: newest first, at least one. */
  constructor(keys: readonly SessionKey[], cookieName: string) {
    this.#signers = keys.map(({ id, bytes }) => ({ id, hmac: new HmacSha256(bytes.toString('hex'), `${cookieName}=`) }))
    this.#newest = this.#signers[0] as Signer
    this.current = FORMAT + this.#newest.id
  }

  encode(envelope: Envelope): string {
    const body = this.#base64Url.encodeText(encodeBody(envelope))
    const message = `${encodeHead(FORMAT, this.#newest.id, envelope.stampedAt)}.${body}`
    return `${message}.${this.#newest.hmac.sign(message)}`
  }

  decode(text: string): OpenEnvelope | OpenRefusal {
    const macAt = text.length - MAC_CHARACTERS
    if (!text.startsWith(FORMAT) || text[HEAD_CHARACTERS] !== '.' || text[macAt - 1] !== '.') return 'malformed'
    const signer = text.startsWith(this.current) ? this.#newest : this.#find(readKeyId(text))
    if (signer === undefined) return 'unknown-key'
    const message = text.slice(0, macAt - 1)
    if (!signer.hmac.verify(message, text.slice(macAt))) return 'bad-signature'
    const body = this.#base64Url.decodeText(text.slice(HEAD_CHARACTERS + 1, macAt - 1))
    return decodeBody(body, readStamp(text)) ?? 'malformed'
  }

  #find(keyId: string): Signer | undefined {
    return this.#signers.find(({ id }) => id === keyId)
  }

  lengthOf(bytes: number): number {
    return HEAD_CHARACTERS + 1 + Math.ceil((bytes * 4) / 3) + 1 + MAC_CHARACTERS
  }
}
