import type { OpenRefusal } from '../../types/diagnostics.ts'
import { Base64Url } from '../crypto/base64url.ts'
import type { SessionKey } from '../crypto/keys.ts'
import type { Codec } from './format.ts'
import type { Envelope, OpenEnvelope } from './record.ts'
import { decodeBody, encodeBody, readStamp } from './record.ts'
import { SignedFrame } from './signed-frame.ts'

const FORMAT = 's1'

/** Cookies that anyone can read and no one can change. */
export class SignedCodec implements Codec {
  readonly current: string
  readonly #frame: SignedFrame
  readonly #base64Url: Base64Url = new Base64Url()

  /** `keys`: newest first, at least one. */
  constructor(keys: readonly SessionKey[], cookieName: string) {
    this.#frame = new SignedFrame(FORMAT, keys, cookieName)
    this.current = this.#frame.current
  }

  encode(envelope: Envelope): string {
    return this.#frame.seal(envelope.stampedAt, this.#base64Url.encodeText(encodeBody(envelope)))
  }

  decode(text: string): OpenEnvelope | OpenRefusal {
    const refusal = this.#frame.verify(text)
    if (refusal !== undefined) return refusal
    return decodeBody(this.#base64Url.decodeText(this.#frame.payloadOf(text)), readStamp(text)) ?? 'malformed'
  }

  lengthOf(bytes: number): number {
    return this.#frame.lengthOf(Math.ceil((bytes * 4) / 3))
  }
}
