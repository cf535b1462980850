import { Base64Url } from '../crypto/base64url.ts'
import type { SessionKey } from '../crypto/keys.ts'
import type { RandomPool } from '../crypto/random.ts'
import type { FillNonce, XChaCha20Poly1305 } from '../crypto/xchacha.ts'
import { NONCE_BYTES, TAG_BYTES } from '../crypto/xchacha.ts'
import { readKeyId } from './record.ts'

const FORMAT = 'm1'
const KEY_ID_CHARACTERS = 6
/** Format, key id and dot. */
const HEAD_CHARACTERS: number = FORMAT.length + KEY_ID_CHARACTERS + 1
const MAX_BYTES_PER_UNIT = 3
const USUAL_BYTES = 1024

/** Where a member is: beside which others, and under which key the store has all of them. Its value opens nowhere else. */
export type Place = `${'data' | 'description'}:${string}`

/** What seals the values of members, and opens them. */
export type Sealing = Pick<MemberSeal, 'seal' | 'open' | 'isCurrent'>

/**
 * Seals the values of members, so that they can be kept where others read. A sealed value is `head.sealed`: anyone can read the head,
 * which has the format and the id of the key; to read the rest takes the key. The additional data is the head, the dot, the place of
 * the member, `=`, and its name as JSON.
 */
export class MemberSeal {
  /** What every value starts with that is sealed with the newest key. */
  readonly #head: string
  readonly #newest: SessionKey
  readonly #keys: readonly SessionKey[]
  readonly #cipher: XChaCha20Poly1305
  readonly #base64Url: Base64Url = new Base64Url()
  readonly #fillNonce: FillNonce
  #additional: Buffer = Buffer.alloc(USUAL_BYTES)

  /** `keys`: newest first, at least one. */
  constructor(keys: readonly SessionKey[], random: RandomPool, cipher: XChaCha20Poly1305) {
    this.#keys = keys
    this.#newest = keys[0] as SessionKey
    this.#head = `${FORMAT}${this.#newest.id}.`
    this.#cipher = cipher
    this.#fillNonce = (nonce) => random.copyTo(nonce, NONCE_BYTES)
  }

  /** `text`: the value, as JSON. */
  seal(place: Place, name: string, text: string): string {
    const additional = this.#bind(this.#head, place, name)
    return this.#head + this.#cipher.seal(this.#newest.bytes, text, additional, this.#fillNonce)
  }

  /** Returns the value as it was sealed; undefined for every text that was not sealed for this member of this place. */
  open(place: Place, name: string, sealed: string): string | undefined {
    const head = sealed.slice(0, HEAD_CHARACTERS)
    const key = head.startsWith(FORMAT) && head.endsWith('.') ? this.#find(head) : undefined
    const bytes = key && this.#base64Url.decodeCanonical(sealed.slice(HEAD_CHARACTERS))
    return key && bytes && this.#cipher.open(key.bytes, bytes, this.#bind(head, place, name))
  }

  /** Whether a value is sealed with the newest key. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(this.#head)
  }

  #find(head: string): SessionKey | undefined {
    if (head === this.#head) return this.#newest
    return this.#keys.find(({ id }) => id === readKeyId(head))
  }

  /** Returns the additional data, in one buffer that the next call overwrites. JSON has one spelling for each name, and no other. */
  #bind(head: string, place: Place, name: string): Buffer {
    const text = `${head}${place}=${JSON.stringify(name)}`
    const most = text.length * MAX_BYTES_PER_UNIT
    if (most > this.#additional.length) this.#additional = Buffer.alloc(most)
    return this.#additional.subarray(0, this.#additional.write(text, 'utf8'))
  }
}

/** The length of a value after it is sealed. `text`: the value, as JSON. */
export function sealedLength(text: string): number {
  const bytes = NONCE_BYTES + Buffer.byteLength(text) + TAG_BYTES
  return HEAD_CHARACTERS + Math.ceil((bytes * 4) / 3)
}
