import type { Libsodium } from './libsodium.ts'
import { instantiateLibsodium } from './libsodium.ts'

export const BOX_KEY_BYTES = 32
export const BOX_NONCE_BYTES = 24
const TAG_BYTES = 16
/** More than any cookie has. */
const MAX_BOX_BYTES = 8192

/** Opens what libsodium's `crypto_secretbox` has sealed: XSalsa20-Poly1305. */
export class SecretBox {
  readonly #sodium: Libsodium
  readonly #memory: Buffer
  readonly #keyAt: number
  readonly #nonceAt: number
  readonly #boxAt: number
  readonly #textAt: number

  constructor(sodium: Libsodium) {
    this.#sodium = sodium
    this.#keyAt = sodium._malloc(BOX_KEY_BYTES + BOX_NONCE_BYTES + 2 * MAX_BOX_BYTES)
    this.#nonceAt = this.#keyAt + BOX_KEY_BYTES
    this.#boxAt = this.#nonceAt + BOX_NONCE_BYTES
    this.#textAt = this.#boxAt + MAX_BOX_BYTES
    // After the allocation, which may have replaced the memory. It is the only one.
    this.#memory = Buffer.from(sodium.HEAPU8.buffer)
  }

  /** Returns the text; undefined if the box was sealed with another key, or was changed. */
  open(key: Uint8Array, nonce: Uint8Array, box: Uint8Array): string | undefined {
    if (nonce.length !== BOX_NONCE_BYTES || box.length < TAG_BYTES || box.length > MAX_BOX_BYTES) return undefined
    this.#memory.set(key, this.#keyAt)
    this.#memory.set(nonce, this.#nonceAt)
    this.#memory.set(box, this.#boxAt)
    const result = this.#sodium._crypto_secretbox_open_easy(
      this.#textAt,
      this.#boxAt,
      box.length,
      0,
      this.#nonceAt,
      this.#keyAt
    )
    const end = this.#textAt + box.length - TAG_BYTES
    return result === 0 ? this.#memory.toString('utf8', this.#textAt, end) : undefined
  }
}

let loading: Promise<SecretBox> | undefined

/** Loads the cipher when it is first needed. All readers of the process share it. */
export function loadSecretBox(): Promise<SecretBox> {
  loading ??= instantiateLibsodium().then((sodium) => new SecretBox(sodium))
  return loading
}
