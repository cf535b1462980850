import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { SessionKey } from '../crypto/keys.ts'
import { SignedFrame } from './signed-frame.ts'

const FORMAT = 'r1'

/** Cookies that hold the id of a session, signed, so that forged ids never reach the store. */
export class ReferenceFormat {
  readonly currentPrefix: string
  readonly #frame: SignedFrame

  /** `keys`: newest first, at least one. */
  constructor(keys: readonly SessionKey[], cookieName: string) {
    this.#frame = new SignedFrame(FORMAT, keys, cookieName)
    this.currentPrefix = this.#frame.currentPrefix
  }

  /** `id`: base64url. `lastSeenAt`: seconds since 1970. */
  encode(id: string, lastSeenAt: number): string {
    return this.#frame.seal(lastSeenAt, id)
  }

  /** Returns why the text is invalid; undefined if it is valid. */
  verify(text: string): OpenRefusal | undefined {
    return this.#frame.verify(text)
  }

  /** The id in a text; call `verify` first if it must be genuine. */
  idOf(text: string): string {
    return this.#frame.payloadOf(text)
  }
}
