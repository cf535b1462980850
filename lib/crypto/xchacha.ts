import type { Libsodium } from './libsodium.ts'
import { instantiateLibsodium } from './libsodium.ts'

export const KEY_BYTES = 32
export const NONCE_BYTES = 24
export const TAG_BYTES = 16

/** The most characters of a text to seal. A cookie is smaller. */
export const MAX_CHARACTERS = 8192
/** A UTF-16 unit has at most so many bytes as UTF-8. */
const MAX_BYTES_PER_UNIT = 3
const MAX_TEXT_BYTES: number = MAX_CHARACTERS * MAX_BYTES_PER_UNIT
const MAX_SEALED_BYTES: number = NONCE_BYTES + MAX_TEXT_BYTES + TAG_BYTES
const MAX_ADDITIONAL_BYTES = 8192

/** Writes as many random bytes as a nonce has. */
export type FillNonce = (nonce: Buffer) => void

/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) of libsodium. Nonces have 192 bits, so that random ones are safe for any number of
 * messages under one key.
 *
 * Everything happens in places of fixed size in the memory of one instance: nothing is allocated for a message, and each message
 * overwrites the one before. The key stays in its place until another one is used.
 */
export class XChaCha20Poly1305 {
  readonly #sodium: Libsodium
  readonly #memory: Buffer
  readonly #keyAt: number
  readonly #additionalAt: number
  readonly #sealedAt: number
  readonly #ciphertextAt: number
  readonly #textAt: number
  readonly #nonce: Buffer
  #key: Uint8Array | undefined

  constructor(sodium: Libsodium) {
    this.#sodium = sodium
    this.#keyAt = sodium._malloc(KEY_BYTES + MAX_ADDITIONAL_BYTES + MAX_SEALED_BYTES + MAX_TEXT_BYTES)
    this.#additionalAt = this.#keyAt + KEY_BYTES
    this.#sealedAt = this.#additionalAt + MAX_ADDITIONAL_BYTES
    this.#ciphertextAt = this.#sealedAt + NONCE_BYTES
    this.#textAt = this.#sealedAt + MAX_SEALED_BYTES
    // After the allocation, which may have replaced the memory. It is the only one.
    this.#memory = Buffer.from(sodium.HEAPU8.buffer)
    this.#nonce = this.#memory.subarray(this.#sealedAt, this.#ciphertextAt)
  }

  /** Returns nonce, ciphertext and tag as base64url. Throws a `RangeError` for a text of more than `MAX_CHARACTERS`. */
  seal(key: Uint8Array, text: string, additional: Buffer, fillNonce: FillNonce): string {
    if (text.length > MAX_CHARACTERS) throw new RangeError('The text is larger than any cookie.')
    this.#prepare(key, additional)
    fillNonce(this.#nonce)
    const length = this.#memory.write(text, this.#textAt, MAX_TEXT_BYTES, 'utf8')
    this.#sodium._crypto_aead_xchacha20poly1305_ietf_encrypt(
      this.#ciphertextAt,
      0,
      this.#textAt,
      length,
      0,
      this.#additionalAt,
      additional.length,
      0,
      0,
      this.#sealedAt,
      this.#keyAt
    )
    return this.#memory.toString('base64url', this.#sealedAt, this.#ciphertextAt + length + TAG_BYTES)
  }

  /** Returns the text. Returns undefined for every kind of failure, so that an attacker cannot tell them apart. */
  open(key: Uint8Array, sealed: Buffer, additional: Buffer): string | undefined {
    const length = sealed.length - NONCE_BYTES - TAG_BYTES
    if (length < 0 || length > MAX_TEXT_BYTES) return undefined
    this.#prepare(key, additional)
    this.#memory.set(sealed, this.#sealedAt)
    const result = this.#sodium._crypto_aead_xchacha20poly1305_ietf_decrypt(
      this.#textAt,
      0,
      0,
      this.#ciphertextAt,
      length + TAG_BYTES,
      0,
      this.#additionalAt,
      additional.length,
      0,
      this.#sealedAt,
      this.#keyAt
    )
    return result === 0 ? this.#memory.toString('utf8', this.#textAt, this.#textAt + length) : undefined
  }

  #prepare(key: Uint8Array, additional: Buffer): void {
    if (additional.length > MAX_ADDITIONAL_BYTES) throw new RangeError('The name is longer than that of any cookie.')
    if (key !== this.#key) {
      this.#memory.set(key, this.#keyAt)
      this.#key = key
    }
    this.#memory.set(additional, this.#additionalAt)
  }
}

let loading: Promise<XChaCha20Poly1305> | undefined

/** Loads the cipher when it is first needed. All sessions of the process share it. */
export function loadXChaCha(): Promise<XChaCha20Poly1305> {
  loading ??= instantiateLibsodium().then((sodium) => new XChaCha20Poly1305(sodium))
  return loading
}
