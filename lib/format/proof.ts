import { MAC_CHARACTERS } from '../crypto/hmac.ts'
import type { SessionKey } from '../crypto/keys.ts'
import { HEAD_CHARACTERS, readLastSeenAt } from './record.ts'
import { SignedFrame } from './signed-frame.ts'

const FORMAT = 'd1'
const SECONDS_CHARACTERS = 10

/** Where the id of the session stands in what the MAC covers. */
const ID_AT: number = HEAD_CHARACTERS + 1 + SECONDS_CHARACTERS
const CHARACTERS: number = ID_AT + 1 + MAC_CHARACTERS

/** What a device has proved. Times are seconds since 1970. */
export interface Proof {
  readonly provedAt: number
  /** The last second for which it is good. */
  readonly expiresAt: number
}

/**
 * `head.expiry.mac`: a device has proved that it holds the key of a session. The head says when. The MAC covers the id of the
 * session, too, right behind the expiry; it is left out of the text, because it may be all that opens the session.
 */
export class ProofFormat {
  readonly #frame: SignedFrame

  /** `keys`: newest first, at least one. `cookieName`: of the cookie that holds the text. */
  constructor(keys: readonly SessionKey[], cookieName: string) {
    this.#frame = new SignedFrame(FORMAT, keys, cookieName)
  }

  encode({ provedAt, expiresAt }: Proof, id: string): string {
    const expiry = String(expiresAt).padStart(SECONDS_CHARACTERS, '0')
    const sealed = this.#frame.seal(provedAt, expiry + id)
    return sealed.slice(0, ID_AT) + sealed.slice(ID_AT + id.length)
  }

  /** Returns what a text proves of the session with an id; undefined if that is nothing. */
  decode(text: string, id: string): Proof | undefined {
    if (text.length !== CHARACTERS) return undefined
    if (this.#frame.verify(text.slice(0, ID_AT) + id + text.slice(ID_AT)) !== undefined) return undefined
    return { provedAt: readLastSeenAt(text), expiresAt: Number(text.slice(HEAD_CHARACTERS + 1, ID_AT)) }
  }
}
