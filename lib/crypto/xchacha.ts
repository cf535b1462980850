import type { Libsodium } from './libsodium.ts'
import { instantiateLibsodium } from './libsodium.ts'

export const KEY_BYTES = 32
export const NONCE_BYTES = 24
export const TAG_BYTES = 16

/** A UTF-16 unit has at most so many bytes as UTF-8. */
const MAX_BYTES_PER_UNIT = 3
/** There is room from the start for any cookie: 8192 characters. */
const USUAL_TEXT_BYTES: number = 8192 * MAX_BYTES_PER_UNIT
const USUAL_ADDITIONAL_BYTES = 8192

/** The most bytes of a text, and of additional data. The base64url of more is longer than Node's strings can be. */
export const MAX_BYTES: number = 2 ** 28

/** Writes as many random bytes as a nonce has. */
export type FillNonce = (nonce: Buffer) => void

/**
 * XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha) of libsodium. Nonces have 192 bits, so that random ones are safe for any number of
 * messages under one key.
 *
 * Everything happens in the same places in the memory of one instance: nothing is allocated for a message, unless it is larger than
 * all before it, and each message overwrites the one before. The key stays in its place until another one is used.
 */
export class XChaCha20Poly1305 {
  readonly #sodium: Libsodium
  #memory: Buffer = Buffer.alloc(0)
  #keyAt = 0
  #additionalAt = 0
  #sealedAt = 0
  #ciphertextAt = 0
  #textAt = 0
  #maxTextBytes = 0
  #maxAdditionalBytes = 0
  #nonce: Buffer = this.#memory
  #key: Uint8Array | undefined

  constructor(sodium: Libsodium) {
    this.#sodium = sodium
    this.#allocate(USUAL_TEXT_BYTES, USUAL_ADDITIONAL_BYTES)
  }

  /**
   * Returns nonce, ciphertext and tag as base64url. Throws a `RangeError` for a text of more than `MAX_BYTES`, or for which there is
   * no memory.
   */
  seal(key: Uint8Array, text: string, additional: Buffer, fillNonce: FillNonce): string {
    const isLong = text.length * MAX_BYTES_PER_UNIT > this.#maxTextBytes
    this.#prepare(key, additional, isLong ? Buffer.byteLength(text) : 0)
    fillNonce(this.#nonce)
    const length = this.#memory.write(text, this.#textAt, this.#maxTextBytes, 'utf8')
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
    if (length < 0 || length > MAX_BYTES) return undefined
    this.#prepare(key, additional, length)
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

  #prepare(key: Uint8Array, additional: Buffer, textBytes: number): void {
    if (textBytes > this.#maxTextBytes || additional.length > this.#maxAdditionalBytes) {
      const former = this.#keyAt
      this.#allocate(grown(this.#maxTextBytes, textBytes), grown(this.#maxAdditionalBytes, additional.length))
      this.#sodium._free(former)
    }
    if (key !== this.#key) {
      this.#memory.set(key, this.#keyAt)
      this.#key = key
    }
    this.#memory.set(additional, this.#additionalAt)
  }

  #allocate(textBytes: number, additionalBytes: number): void {
    const sealedBytes = NONCE_BYTES + textBytes + TAG_BYTES
    const keyAt = this.#sodium._malloc(KEY_BYTES + additionalBytes + sealedBytes + textBytes)
    if (keyAt === 0) throw new RangeError('There is no memory for a text of this size.')
    this.#maxTextBytes = textBytes
    this.#maxAdditionalBytes = additionalBytes
    this.#keyAt = keyAt
    this.#key = undefined
    this.#additionalAt = keyAt + KEY_BYTES
    this.#sealedAt = this.#additionalAt + additionalBytes
    this.#ciphertextAt = this.#sealedAt + NONCE_BYTES
    this.#textAt = this.#sealedAt + sealedBytes
    // After the allocation, which may have replaced the memory.
    this.#memory = Buffer.from(this.#sodium.HEAPU8.buffer)
    this.#nonce = this.#memory.subarray(this.#sealedAt, this.#ciphertextAt)
  }
}

/** Returns the room for `needed` bytes: twice what there was, at least, so that messages which grow bit by bit seldom need more. */
function grown(room: number, needed: number): number {
  if (needed <= room) return room
  if (needed > MAX_BYTES) throw new RangeError(`A text can have ${MAX_BYTES} bytes; this one has ${needed}.`)
  return Math.min(MAX_BYTES, Math.max(needed, 2 * room))
}

let loading: Promise<XChaCha20Poly1305> | undefined

/** Loads the cipher when it is first needed. All sessions of the process share it. */
export function loadXChaCha(): Promise<XChaCha20Poly1305> {
  loading ??= instantiateLibsodium().then((sodium) => new XChaCha20Poly1305(sodium))
  return loading
}
