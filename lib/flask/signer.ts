import { createHmac, timingSafeEqual } from 'node:crypto'
import type { FlaskDigest } from '../../types/flask.ts'

/** What separates the parts of a signed text. */
const SEPARATOR = '.'

export interface SignerOptions {
  /** Newest first, at least one. */
  readonly keys: readonly Uint8Array[]
  readonly salt: string
  readonly digest: FlaskDigest
}

/** A text that was signed. */
export interface SignedText {
  readonly text: string
  /** Whether it was signed with the newest key. */
  readonly isCurrent: boolean
}

/** Signs as itsdangerous's `Signer` does with `key_derivation="hmac"`: `text.mac`. */
export class FlaskSigner {
  readonly #digest: FlaskDigest
  readonly #keys: readonly Buffer[]

  constructor({ keys, salt, digest }: SignerOptions) {
    this.#digest = digest
    this.#keys = keys.map((key) => createHmac(digest, key).update(salt).digest())
  }

  sign(text: string): string {
    return text + SEPARATOR + this.#macOf(text, this.#keys[0] as Buffer)
  }

  /** Returns what a text says that was signed with one of the keys, or undefined. Other spellings of a MAC than its own count as false. */
  verify(signed: string): SignedText | undefined {
    const dotAt = signed.lastIndexOf(SEPARATOR)
    if (dotAt === -1) return undefined
    const text = signed.slice(0, dotAt)
    const mac = Buffer.from(signed.slice(dotAt + 1))
    const at = this.#keys.findIndex((key) => {
      const expected = Buffer.from(this.#macOf(text, key))
      return expected.length === mac.length && timingSafeEqual(expected, mac)
    })
    return at === -1 ? undefined : { text, isCurrent: at === 0 }
  }

  #macOf(text: string, key: Buffer): string {
    return createHmac(this.#digest, key).update(text).digest('base64url')
  }
}
