import type { FlaskKeyOptions } from '../../types/flask.ts'
import { weaknessOf } from '../crypto/weak-secret.ts'
import { InvalidOptionError, MissingSecretError, WeakSecretError } from '../errors.ts'
import { isString, readOption } from '../util/check.ts'
import type { SignerOptions } from './signer.ts'

/** Flask's documentation makes keys of 16 bytes and of 32. */
const MIN_LENGTH = 16
const SALT = 'cookie-session'
const DIGESTS: readonly unknown[] = ['sha1', 'sha224', 'sha256', 'sha384', 'sha512']

/** Flask's default of `PERMANENT_SESSION_LIFETIME` in seconds: 31 days. */
export const LIFETIME: number = 31 * 86_400

/** The names of the options that say how a cookie of Flask is signed. */
export const KEY_OPTIONS: readonly (keyof FlaskKeyOptions)[] = ['secretKey', 'fallbacks', 'salt', 'digest']

/** Checks how the cookies of a Flask application are signed. */
export function readKeys(options: FlaskKeyOptions): SignerOptions {
  const fallbacks = readOption<readonly unknown[]>(
    options.fallbacks,
    [],
    'fallbacks',
    'an array of keys',
    Array.isArray
  )
  const given = [options.secretKey, ...fallbacks]
  const keys = given.map((key, index) => readKey(key, index === 0 ? 'secretKey' : `fallbacks[${index - 1}]`))
  if (keys.some((key, index) => keys.slice(0, index).some((other) => Buffer.compare(key, other) === 0))) {
    throw new InvalidOptionError('Two keys among the options secretKey and fallbacks are the same. Remove one of them.')
  }
  return {
    keys,
    salt: readOption(options.salt, SALT, 'salt', 'a string', isString),
    digest: readOption(options.digest, 'sha1', 'digest', `one of ${DIGESTS.join(', ')}`, (value) =>
      DIGESTS.includes(value)
    )
  }
}

function readKey(key: unknown, name: string): Uint8Array {
  if (key === undefined || key === null || key === '') {
    throw new MissingSecretError(`The option ${name} is missing. It is the SECRET_KEY of the Flask application.`)
  }
  if (typeof key !== 'string' && !(key instanceof Uint8Array)) {
    throw new InvalidOptionError(`The option ${name} must be a string or bytes; it is a ${typeof key}.`)
  }
  const bytes = typeof key === 'string' ? new TextEncoder().encode(key) : Uint8Array.from(key)
  if (key.length < MIN_LENGTH) {
    throw new WeakSecretError(
      `The option ${name} must have at least ${MIN_LENGTH} characters or bytes; it has ${key.length}. Whoever guesses it can be everybody. Give the Flask application a longer SECRET_KEY.`
    )
  }
  const weakness = weaknessOf(bytes)
  if (weakness !== undefined) {
    throw new WeakSecretError(`The option ${name} ${weakness}. Give the Flask application another SECRET_KEY.`)
  }
  return bytes
}
