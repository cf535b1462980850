import { randomInt } from 'node:crypto'

/** The range of the random numbers that libsodium may ask for: all of 32 bits. */
const NUMBERS = 2 ** 32

/** A length that has 64 bits in C is two arguments, the lower 32 bits first. An address is a position in `HEAPU8`; 0 is none. */
type Length = [low: number, high: number]

/**
 * The part of libsodium, compiled to WebAssembly, that this package calls, as its C functions. The package has documented wrappers,
 * which allocate and copy for each call: they take three times as long. A test fails if an update moves a function.
 */
export interface Libsodium {
  /** The memory of the instance. Replaced when it grows. */
  readonly HEAPU8: Uint8Array
  _sodium_init(): number
  /** Returns 0 if there is no memory. */
  _malloc(bytes: number): number
  _free(address: number): void
  _crypto_aead_xchacha20poly1305_ietf_encrypt(
    ciphertext: number,
    ciphertextLength: number,
    message: number,
    ...rest: [...Length, additional: number, ...Length, secretNonce: 0, nonce: number, key: number]
  ): number
  _crypto_aead_xchacha20poly1305_ietf_decrypt(
    message: number,
    messageLength: number,
    secretNonce: 0,
    ciphertext: number,
    ...rest: [...Length, additional: number, ...Length, nonce: number, key: number]
  ): number
  _crypto_secretbox_open_easy(
    message: number,
    ciphertext: number,
    ...rest: [...Length, nonce: number, key: number]
  ): number
}

interface Module {
  readonly default: (options: { readonly getRandomValue: () => number }) => Promise<Libsodium>
}

// @ts-expect-error: The package has no types.
const load = (): Promise<Module> => import('libsodium')

/** Returns an instance of the library with memory of its own. It takes some ten milliseconds. */
export async function instantiateLibsodium(loadModule: () => Promise<Module> = load): Promise<Libsodium> {
  const { default: instantiate } = await loadModule()
  const sodium = await instantiate({ getRandomValue: () => randomInt(NUMBERS) })
  if (sodium._sodium_init() < 0) throw new Error('libsodium could not be initialised.')
  return sodium
}
