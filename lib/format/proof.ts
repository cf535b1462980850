import { MAC_CHARACTERS } from '../crypto/hmac.ts'
import type { SessionKey } from '../crypto/keys.ts'
import { HEAD_CHARACTERS, readLastSeenAt } from './record.ts'
import { SignedFrame } from './signed-frame.ts'

const FORMAT = 'd1'
const SECONDS_CHARACTERS = 10
const KEY_AT: number = HEAD_CHARACTERS + 1 + SECONDS_CHARACTERS

/** What a device has proved. Times are seconds since 1970. */
export interface Proof {
  readonly provedAt: number
  /** The last second for which it is good. */
  readonly expiresAt: number
  /** The key of the device, as `Binding` has it; empty where only the session has it. */
  readonly key: string
}

/**
 * `head.expiry+key.mac`: a device has proved that it holds the key of a session. The head says when. The MAC covers a dot and the id of
 * the session, too, right in front of the last dot; they are left out of the text, because the id may be all that opens the session.
 */
export class ProofFormat {
  readonly #frame: SignedFrame

  /** `keys`: newest first, at least one. `cookieName`: of the cookie that holds the text. */
  constructor(keys: readonly SessionKey[], cookieName: string) {
    this.#frame = new SignedFrame(FORMAT, keys, cookieName)
  }

  encode({ provedAt, expiresAt, key }: Proof, id: string): string {
    const expiry = String(expiresAt).padStart(SECONDS_CHARACTERS, '0')
    const sealed = this.#frame.seal(provedAt, `${expiry}${key}.${id}`)
    const at = KEY_AT + key.length
    return sealed.slice(0, at) + sealed.slice(at + 1 + id.length)
  }

  /** Returns what a text proves of the session with an id; undefined if that is nothing. */
  decode(text: string, id: string): Proof | undefined {
    const at = text.length - MAC_CHARACTERS - 1
    if (at < KEY_AT || this.#frame.verify(`${text.slice(0, at)}.${id}${text.slice(at)}`) !== undefined) return undefined
    const expiresAt = Number(text.slice(HEAD_CHARACTERS + 1, KEY_AT))
    return { provedAt: readLastSeenAt(text), expiresAt, key: text.slice(KEY_AT, at) }
  }
}
