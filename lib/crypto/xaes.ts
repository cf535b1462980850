import type { KeyObject } from 'node:crypto'
import { createCipheriv, createDecipheriv, createSecretKey } from 'node:crypto'

export const NONCE_BYTES = 24
export const TAG_BYTES = 16
const PREFIX_BYTES = 12
const MAX_CACHED_KEYS = 256

/** The length of the first half of a nonce as base64url. */
export const PREFIX_CHARACTERS = 16

/**
 * XAES-256-GCM (https://c2sp.org/XAES-256-GCM): AES-256-GCM under a key that is derived from the first half of a 192-bit nonce.
 * Random nonces are therefore safe for any number of messages.
 *
 * A derived key depends on the first half of the nonce alone. The class caches derived keys, so that a message with a known
 * half costs one GCM call. Only genuine messages add to the cache: forged ones cannot evict the keys of others.
 */
export class Xaes256Gcm {
  readonly #key: KeyObject
  readonly #k1: Buffer
  readonly #derived: Map<string, KeyObject> = new Map()

  constructor(key: Uint8Array) {
    this.#key = createSecretKey(key)
    this.#k1 = double(this.#encryptBlock(Buffer.alloc(16)))
  }

  /**
   * Returns nonce, ciphertext and tag in one buffer. `prefix`: the first half of the nonce as base64url, if the caller has it.
   */
  seal(
    nonce: Buffer,
    plaintext: string | Uint8Array,
    additionalData: Buffer,
    prefix: string = prefixOf(nonce)
  ): Buffer {
    let key = this.#derived.get(prefix)
    if (key === undefined) {
      key = this.#deriveKey(nonce)
      this.#cache(prefix, key)
    }
    const cipher = createCipheriv('aes-256-gcm', key, nonce.subarray(PREFIX_BYTES, NONCE_BYTES))
    cipher.setAAD(additionalData)
    const ciphertext = typeof plaintext === 'string' ? cipher.update(plaintext, 'utf8') : cipher.update(plaintext)
    cipher.final()
    return Buffer.concat([nonce, ciphertext, cipher.getAuthTag()])
  }

  /** Returns the plaintext. Returns undefined for every kind of failure, so that an attacker cannot tell them apart. */
  open(sealed: Buffer, additionalData: Buffer, prefix: string = prefixOf(sealed)): string | undefined {
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
    // Not `prefix`: it may be a slice, which would keep the whole cookie in memory.
    if (known === undefined) this.#cache(prefixOf(sealed), key)
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

  #cache(prefix: string, key: KeyObject): void {
    const oldest = this.#derived.keys().next().value
    if (this.#derived.size >= MAX_CACHED_KEYS && oldest !== undefined) this.#derived.delete(oldest)
    this.#derived.set(prefix, key)
  }
}

/** The first half of the nonce in front, as base64url. */
function prefixOf(nonce: Buffer): string {
  return nonce.toString('base64url', 0, PREFIX_BYTES)
}

/** Doubling in GF(2^128): the subkey K1 of CMAC (NIST SP 800-38B, section 6.1). */
function double(block: Buffer): Buffer {
  const carry = (block[0] as number) >> 7
  const doubled = block.map((byte, index) => (byte << 1) | ((block[index + 1] ?? 0) >> 7)) as Buffer
  doubled[15] = (doubled[15] as number) ^ (carry * 0x87)
  return doubled
}
