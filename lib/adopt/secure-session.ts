import type { AdoptOptions, SessionReader } from '../../types/adopt.ts'
import type { SessionValues } from '../../types/session.ts'
import type { SecretBox } from '../crypto/secret-box.ts'
import { BOX_KEY_BYTES, loadSecretBox } from '../crypto/secret-box.ts'
import { InvalidOptionError } from '../errors.ts'
import { assertKnown, isString, readOption, readWholeOption } from '../util/check.ts'
import { ADOPT_OPTIONS, readAdoption } from './adoption.ts'
import { decodeCookie } from './decode-cookie.ts'
import { parseObject } from './parse-object.ts'
import { passwordKey } from './password-key.ts'
import { readOldSecrets } from './stored-reader.ts'

/** The options of `secureSession()`: those of `@fastify/secure-session` that say how a cookie is read. */
export interface SecureSessionOptions<Old = Record<string, unknown>, Data = SessionValues>
  extends AdoptOptions<Old, Data> {
  /**
   * The option `key`: 32 bytes, their base64, or an array of which each can have sealed a cookie. Either `key` or `secret`.
   *
   * @example
   * ```ts
   * import { readFileSync } from 'node:fs'
   *
   * const reader = secureSession({ key: readFileSync('secret-key') })
   * ```
   */
  readonly key?: string | Buffer | readonly (string | Buffer)[] | undefined
  /**
   * The option `secret`, from which the library derives a key with Argon2id and 256 MiB of memory. An array: each can have sealed a
   * cookie. Node.js derives it since version 24.7. Before, the package `@noble/hashes` does, which takes some seconds at start:
   * otherwise `ERR_SESSION_PEER_MISSING`.
   *
   * @example
   * ```ts
   * const reader = secureSession({ secret: process.env.OLD_SECRET, salt: process.env.OLD_SALT })
   * ```
   */
  readonly secret?: string | readonly string[] | undefined
  /**
   * The option `salt`, of 16 bytes. Default: the one that the library uses without it.
   *
   * @example
   * ```ts
   * const reader = secureSession({ secret: process.env.OLD_SECRET, salt: 'mq9hDxBVDbspDR6n' })
   * ```
   */
  readonly salt?: string | Buffer | undefined
  /**
   * The option `sessionName`, which names the cookie if `cookieName` does not. Default `'session'`.
   *
   * @example
   * ```ts
   * const reader = secureSession({ key: process.env.OLD_KEY, sessionName: 'longTerm' })
   * ```
   */
  readonly sessionName?: string | undefined
  /**
   * The option `cookieName`. Default: `sessionName`.
   *
   * @example
   * ```ts
   * const reader = secureSession({ key: process.env.OLD_KEY, cookieName: 'shop' })
   * ```
   */
  readonly cookieName?: string | undefined
  /**
   * The option `expiry`: the seconds after which a cookie opens nothing. Default 86 401, as in the library.
   *
   * @example
   * ```ts
   * const reader = secureSession({ key: process.env.OLD_KEY, expiry: 30 * 24 * 60 * 60 })
   * ```
   */
  readonly expiry?: number | undefined
}

const SALT_BYTES = 16
const MIN_SECRET_BYTES = 32
const DEFAULT_EXPIRY = 86_401
const YEAR = 31_622_400
const MAX_EXPIRY: number = 100 * YEAR
/** What the library uses without the option `salt`. */
const DEFAULT_SALT: Buffer = Buffer.from('mq9hDxBVDbspDR6nLfFT1g==', 'base64')
/** Box and nonce, and the signature of `@fastify/cookie` that some cookies have, which adds nothing. */
const SHAPE = /^([A-Za-z0-9+/]+={0,2});([A-Za-z0-9+/]{32})(?:\.[A-Za-z0-9+/]+)?$/

/**
 * Reads the cookies of `@fastify/secure-session`: JSON that libsodium has sealed with `crypto_secretbox`. A cookie ends `expiry`
 * seconds after it was written, as with the library.
 *
 * Throws `ERR_SESSION_OPTION_INVALID` and `ERR_SESSION_OPTION_UNKNOWN`; when the plugin is registered, `ERR_SESSION_PEER_MISSING`.
 *
 * @example
 * ```ts
 * const old = secureSession<{ userId?: number }>({
 *   key: process.env.OLD_KEY,
 *   cookieName: 'old',
 *   remove: true,
 *   ownerOf: ({ userId }) => (userId === undefined ? undefined : String(userId))
 * })
 * await app.register(session, { secret: process.env.SESSION_SECRET, encrypt: true, adopt: [old] })
 * ```
 */
export function secureSession<Old extends object = Record<string, unknown>, Data = SessionValues>(
  options: SecureSessionOptions<Old, Data>
): SessionReader {
  assertKnown(
    options,
    ['key', 'secret', 'salt', 'sessionName', 'cookieName', 'expiry', ...ADOPT_OPTIONS],
    'secureSession()'
  )
  const sessionName = readOption(options.sessionName, 'session', 'sessionName', 'a string', isString)
  const cookieName = readOption(options.cookieName, sessionName, 'cookieName', 'a string', isString)
  const expiry = readWholeOption(options.expiry, DEFAULT_EXPIRY, 'expiry', 'seconds', 1, MAX_EXPIRY)
  const keysOf = readKeys(options)
  const { found, ...common } = readAdoption(options, cookieName)
  let keys: readonly Buffer[] = []
  let box: SecretBox | undefined
  return {
    ...common,
    async start() {
      ;[box, keys] = await Promise.all([loadSecretBox(), keysOf()])
    },
    read(value) {
      const [, sealed = '', nonceText = ''] = SHAPE.exec(decodeCookie(value)) ?? []
      const nonce = Buffer.from(nonceText, 'base64')
      const bytes = Buffer.from(sealed, 'base64')
      const json = firstOf(keys, (key) => box?.open(key, nonce, bytes))
      const { __ts: writtenAt, ...data } = parseObject(json ?? '') ?? {}
      if (typeof writtenAt !== 'number') return 'refused'
      const times = { createdAt: Math.floor(writtenAt), expiresAt: Math.ceil(writtenAt + expiry) - 1 }
      // The nonce is random, and the same however the cookie is spelled.
      return found(data as Old, { key: nonce.toString('base64url'), isUnique: true, ...times })
    }
  }
}

function firstOf<T>(keys: readonly Buffer[], open: (key: Buffer) => T | undefined): T | undefined {
  for (const key of keys) {
    const opened = open(key)
    if (opened !== undefined) return opened
  }
  return undefined
}

/** Returns a function that derives the keys, if there are any to derive. */
function readKeys(options: Pick<SecureSessionOptions, 'key' | 'secret' | 'salt'>): () => Promise<readonly Buffer[]> {
  if (options.key !== undefined) {
    const keys = readOldSecrets(options.key, 'key').map((key) =>
      typeof key === 'string' ? Buffer.from(key, 'base64') : key
    )
    if (keys.some((key) => key.length !== BOX_KEY_BYTES)) {
      throw new InvalidOptionError(`The option key must have ${BOX_KEY_BYTES} bytes, or be their base64.`)
    }
    return async () => keys
  }
  const secrets = readOldSecrets(options.secret, 'secret').map((secret) => Buffer.from(secret))
  if (secrets.some((secret) => secret.length < MIN_SECRET_BYTES)) {
    throw new InvalidOptionError(
      `The option secret must have at least ${MIN_SECRET_BYTES} bytes, as the library demands.`
    )
  }
  const salt = options.salt === undefined ? DEFAULT_SALT : Buffer.from(options.salt as string, 'ascii')
  if (salt.length !== SALT_BYTES) throw new InvalidOptionError(`The option salt must have ${SALT_BYTES} bytes.`)
  return async () => {
    const keys: Buffer[] = []
    // One after the other: each needs 256 MiB.
    for (const secret of secrets) keys.push(await passwordKey(secret, salt))
    return keys
  }
}
