import { MAC_CHARACTERS } from '../crypto/hmac.ts'
import type { SessionKey } from '../crypto/keys.ts'
import type { RandomPool } from '../crypto/random.ts'
import { HEAD_CHARACTERS, readLastSeenAt } from './record.ts'
import { SignedFrame } from './signed-frame.ts'

const FORMAT = 'c1'
const NONCE_BYTES = 8
const NONCE_CHARACTERS = 11

/** Where the purpose and the id of the session stand in what the MAC covers. */
const ID_AT: number = HEAD_CHARACTERS + 1 + NONCE_CHARACTERS
const CHARACTERS: number = ID_AT + 1 + MAC_CHARACTERS

/** What the answer to a challenge is for. */
export type ChallengePurpose = 'register' | 'refresh'

const MARKS: Readonly<Record<ChallengePurpose, string>> = { register: 'b', refresh: 'p' }

/**
 * `head.nonce.mac`: what a device is to sign. The head says when the challenge was made. The MAC covers its purpose and the id of
 * the session, too, right behind the nonce, so that the server remembers nothing and takes no answer for another session.
 */
export class ChallengeFormat {
  readonly #frame: SignedFrame
  readonly #random: RandomPool

  /** `keys`: newest first, at least one. `cookieName`: of the cookie that an answer leads to. */
  constructor(keys: readonly SessionKey[], cookieName: string, random: RandomPool) {
    this.#frame = new SignedFrame(FORMAT, keys, cookieName)
    this.#random = random
  }

  /** `at`: seconds since 1970. */
  encode(purpose: ChallengePurpose, id: string, at: number): string {
    const covered = MARKS[purpose] + id
    const sealed = this.#frame.seal(at, this.#random.text(NONCE_BYTES) + covered)
    return sealed.slice(0, ID_AT) + sealed.slice(ID_AT + covered.length)
  }

  /** Returns when a challenge was made, in seconds since 1970. Undefined if it is none for this purpose and session. */
  decode(text: string, purpose: ChallengePurpose, id: string): number | undefined {
    if (text.length !== CHARACTERS) return undefined
    const covered = MARKS[purpose] + id
    if (this.#frame.verify(text.slice(0, ID_AT) + covered + text.slice(ID_AT)) !== undefined) return undefined
    return readLastSeenAt(text)
  }
}
