import type { OpenRefusal } from '../../types/diagnostics.ts'
import { Base64Url } from '../crypto/base64url.ts'
import type { SessionKey } from '../crypto/keys.ts'
import type { CookieFormat } from './format.ts'
import type { IdentifiedRecord, LoadedRecord } from './record.ts'
import { decodeBody, encodeBody, headEndOf, MAX_COOKIE_CHARACTERS, readLastSeenAt, readUsualStamp } from './record.ts'
import { SignedFrame } from './signed-frame.ts'

const FORMAT = 's2'

/** Cookies that anyone can read and nobody can change. */
export class SignedFormat implements CookieFormat {
  readonly currentPrefix: string
  readonly maxCharacters: number = MAX_COOKIE_CHARACTERS
  readonly readStamp: typeof readLastSeenAt = readLastSeenAt
  readonly readUsualStamp: typeof readUsualStamp = readUsualStamp
  readonly #frame: SignedFrame
  readonly #base64Url: Base64Url = new Base64Url()

  /** `keys`: newest first, at least one. */
  constructor(keys: readonly SessionKey[], cookieName: string) {
    this.#frame = new SignedFrame(FORMAT, keys, cookieName)
    this.currentPrefix = this.#frame.currentPrefix
  }

  encode(record: IdentifiedRecord): string {
    const payload = this.#base64Url.encodeText(encodeBody(record))
    return this.#frame.seal(record.lastSeenAt, payload, headEndOf(record.extensions))
  }

  decode(text: string): LoadedRecord | OpenRefusal {
    const refusal = this.#frame.verify(text)
    if (refusal !== undefined) return refusal
    return decodeBody(this.#base64Url.decodeText(this.#frame.payloadOf(text)), readLastSeenAt(text))
  }

  measure(record: IdentifiedRecord): number {
    return this.#frame.lengthOf(Math.ceil((Buffer.byteLength(encodeBody(record)) * 4) / 3))
  }
}
