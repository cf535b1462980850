import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { SessionKey } from '../crypto/keys.ts'
import type { Extensions } from './extensions.ts'
import { refuseExtensions } from './extensions.ts'
import type { HeadEnd } from './record.ts'
import { SignedFrame } from './signed-frame.ts'

const FORMAT = 'r2'

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
  encode(id: string, lastSeenAt: number, extensions: Extensions = '', headEnd: HeadEnd = '.'): string {
    return this.#frame.seal(lastSeenAt, id + extensions, headEnd)
  }

  /** Returns why the text is invalid; undefined if it is valid. */
  verify(text: string): OpenRefusal | undefined {
    return this.#frame.verify(text) ?? refuseExtensions(this.extensionsOf(text, this.idOf(text)))
  }

  /** The id in a text; call `verify` first if it must be genuine. */
  idOf(text: string): string {
    const payload = this.#frame.payloadOf(text)
    const end = payload.indexOf(':')
    return end === -1 ? payload : payload.slice(0, end)
  }

  /** The extensions behind the id in a text. */
  extensionsOf(text: string, id: string): Extensions {
    return text.length === this.#frame.lengthOf(id.length) ? undefined : this.#frame.payloadOf(text).slice(id.length)
  }
}
