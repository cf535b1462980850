import { HmacSha256, MAC_CHARACTERS } from '../crypto/hmac.ts'
import type { SessionKey } from '../crypto/keys.ts'
import { digest } from './digest.ts'

/** What a session says of an impersonation, and what nobody but the kit can say. */
export interface ActingFacts {
  /** The id of the user as whom the impersonator acts. */
  readonly id: string
  /** The id of the impersonator. */
  readonly by: string
  /** A digest of what the option `authHash` returned for the user. */
  readonly hash?: string
  /** When the impersonation was last used, in seconds since 1970. */
  readonly seenAt: number
}

/**
 * Signs what a session says of an impersonation. Data of the application stand beside it, and some applications copy into a session
 * what a client sends (mass assignment, CWE-915). That makes nobody another user.
 */
export class ActingMac {
  /** The newest key first: it signs, and all verify. */
  readonly #hmacs: readonly HmacSha256[]

  /** `keys`: the newest first. `cookieName`: that of the session, whose impersonations are not those of another one. */
  constructor(keys: readonly SessionKey[], cookieName: string) {
    this.#hmacs = keys.map(({ bytes }) => new HmacSha256(bytes.toString('hex'), `${cookieName}=`))
  }

  of(facts: ActingFacts): string {
    const [newest] = this.#hmacs as [HmacSha256]
    return newest.sign(digestOf(facts)).slice(-MAC_CHARACTERS)
  }

  verify(facts: ActingFacts, mac: unknown): boolean {
    return this.#hmacs.some((hmac) => hmac.verify(`${digestOf(facts)}.${mac}`))
  }
}

function digestOf({ id, by, hash, seenAt }: ActingFacts): string {
  return digest(...[id, by, hash, seenAt].map(String))
}
