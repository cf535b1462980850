import * as crypto from 'node:crypto'
import { importPeer } from './import-peer.ts'

/** What `crypto_pwhash` of libsodium does with `OPSLIMIT_MODERATE` and `MEMLIMIT_MODERATE`. The memory is in KiB. */
const PASSES = 3
const MEMORY = 262_144
const KEY_BYTES = 32

/** The functions of Node.js since version 24.7, which the types of older versions do not know. */
interface NodeArgon2 {
  readonly argon2?: (
    algorithm: 'argon2id',
    parameters: {
      readonly message: Uint8Array
      readonly nonce: Uint8Array
      readonly parallelism: number
      readonly tagLength: number
      readonly memory: number
      readonly passes: number
    },
    callback: (error: Error | null, key: Buffer) => void
  ) => void
}

interface NobleArgon2 {
  readonly argon2idAsync: (
    password: Uint8Array,
    salt: Uint8Array,
    options: { readonly t: number; readonly m: number; readonly p: number; readonly dkLen: number }
  ) => Promise<Uint8Array>
}

const loadNoble = (): Promise<NobleArgon2> => import('@noble/hashes/argon2.js')

/** Derives the key that `@fastify/secure-session` makes of a secret: Argon2id. Throws `ERR_SESSION_PEER_MISSING`. */
export async function passwordKey(
  secret: Uint8Array,
  salt: Uint8Array,
  node: NodeArgon2 = crypto as NodeArgon2,
  load: () => Promise<NobleArgon2> = loadNoble
): Promise<Buffer> {
  const { argon2 } = node
  if (argon2 === undefined) {
    const { argon2idAsync } = await importPeer(load, '@noble/hashes', 'version 2', 'secureSession')
    return Buffer.from(await argon2idAsync(secret, salt, { t: PASSES, m: MEMORY, p: 1, dkLen: KEY_BYTES }))
  }
  const parameters = {
    message: secret,
    nonce: salt,
    parallelism: 1,
    tagLength: KEY_BYTES,
    memory: MEMORY,
    passes: PASSES
  }
  return new Promise((resolve, reject) => {
    argon2('argon2id', parameters, (error, key) => (error === null ? resolve(key) : reject(error)))
  })
}
