import type { KeyObject } from 'node:crypto'
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'

export const NONCE_BYTES = 24
export const TAG_BYTES = 16
const PREFIX_BYTES = 12
const MAX_KEPT_KEYS = 256

/** Characters of base64url that spell the first half of a nonce, and nothing else. */
export const PREFIX_CHARACTERS = 16

/**
 * XAES-256-GCM (https://c2sp.org/XAES-256-GCM): AES-256-GCM under a key that is derived from the first half of a
 * 192-bit nonce, which makes random nonces safe for any number of messages.
 *
 * The derived key belongs to the half nonce alone, so it is kept, and a message under a known half nonce costs one GCM
 * call. Only a message that proved genuine may add to what is kept: forged ones cannot push good keys out.
 */
export class Xaes256Gcm {
  readonly #key: KeyObject
  readonly #k1: Buffer
  readonly #derived: Map<string, KeyObject> = new Map()

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key)
    this.#k1 = double(this.#encryptBlock(Buffer.alloc(16)))
  }

  /** The nonce, the ciphertext and the tag, one after the other. `prefix`: the half nonce as base64url, if it is at hand. */
  seal(nonce: Buffer, plaintext: string | Uint8Array, additionalData: Buffer, prefix: string = spell(nonce)): Buffer {
    let key = this.#derived.get(prefix)
    if (key === undefined) {
      key = this.#deriveKey(nonce)
      this.#keep(prefix, key)
    }
    const cipher = createCipheriv('aes-256-gcm', key, nonce.subarray(PREFIX_BYTES, NONCE_BYTES))
    cipher.setAAD(additionalData)
    const ciphertext = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
    cipher.final()
    return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()])
  }

  /** The plaintext, or undefined: there is one answer for everything that can be wrong. */
  open(sealed: Buffer, additionalData: Buffer, prefix: string = spell(sealed)): string | undefined {
    const end = sealed.length - TAG_BYTES
    if (end < NONCE_BYTES) return undefined
    const known = this.#derived.get(prefix)
    const key = known ?? this.#deriveKey(sealed)
    const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(PREFIX_BYTES, NONCE_BYTES))
    decipher.setAAD(additionalData)
    decipher.setAuthTag(sealed.subarray(end))
    const plaintext = decipher.update(sealed.subarray(NONCE_BYTES, end))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    // Spelled anew: a part of a text would keep the whole of it.
    if (known === undefined) this.#keep(spell(sealed), key)
    return plaintext.toString('utf8')
  }

  #deriveKey(nonce: Buffer): KeyObject {
    const bytes = Buffer.concat(
      [1, 2].map((counter) => {
        const block = Buffer.from([0, counter, 0x58, 0, ...nonce.subarray(0, PREFIX_BYTES)])
        return this.#encryptBlock(block.map((byte, index) => byte ^ (this.#k1[index] as number)) as Buffer)
      })
    )
    return createSecretKey(bytes)
  }

  #encryptBlock(block: Buffer): Buffer {
    return createCipheriv('aes-256-ecb', this.#key, null).setAutoPadding(false).update(block)
  }

  #keep(prefix: string, key: KeyObject): void {
    const oldest = this.#derived.keys().next().value
    if (this.#derived.size >= MAX_KEPT_KEYS && oldest !== undefined) this.#derived.delete(oldest)
    this.#derived.set(prefix, key)
  }
}

/** The first half of a nonce, which stands in front. */
function spell(nonce: Buffer): string {
  return nonce.toString('base64url', 0, PREFIX_BYTES)
}

/** Doubling in GF(2^128), as NIST SP 800-38B, section 6.1, makes the subkey K1 of CMAC. */
function double(block: Buffer): Buffer {
  const carry = (block[0] as number) >> 7
  const doubled = block.map((byte, index) => (byte << 1) | ((block[index + 1] ?? 0) >> 7)) as Buffer
  doubled[15] = (doubled[15] as number) ^ (carry * 0x87)
  return doubled
}
