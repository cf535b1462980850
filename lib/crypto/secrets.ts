import { hash } from 'node:crypto'
import { InvalidOptionError, MissingSecretError, WeakSecretError } from '../errors.ts'
import { countSurprises } from './surprises.ts'

const MIN_SECRET_LENGTH = 32
const MIN_VARIETY = 8

/** 32 random characters have far more, even if all of them are digits. */
const MIN_SURPRISES = 18
const HOW_TO_GET_A_SECRET = 'Run `npx fastify-typed-session secret` and keep what it prints in an environment variable'

/** Secrets of 32 characters or more that stand in somebody's documentation, in small letters without punctuation. */
const SAMPLE_SECRETS: ReadonlySet<string> = new Set([
  'asecretwithminimumlengthof32characters',
  'averylogphrasebiggerthanthirtytwochars',
  'averylongphrasebiggerthanthirtytwochars',
  'complexpasswordatleast32characterslong',
  'complexpasswordatleastthirtytwocharacterslong',
  'umachavesecretamuitoforteedificildeadivinhar',
  'thisisaverylongsecretkeythatshouldbechanged',
  'yoursupersecretkeyofatleast32characters',
  'youratleast32characterlongsecretkeyhere',
  'changemechangemechangemechangeme',
  'changemechangemechangemechangemechangeme',
  'keyboardcatkeyboardcatkeyboardcat',
  'correcthorsebatterystaplecorrect'
])

/** SHA-256 of the secrets in the test vectors and the documentation of this package. They are for tests, so tests can use them. */
const PUBLISHED_SECRETS: ReadonlySet<string> = new Set([
  'dba49dca99644c568909f8f44bf05b89826330f28152de162bd6350897d6b9df',
  '857e7ed32dbfba8a972193938969d5572ed6a50bc26f951cc11be6dea0b06c69',
  'd54d65c8080cfe95521fb546c3ae0ab9cd171f111e454a05a826d685f83bd407',
  'c621a9386e407319bf2c4d7527a2f95d60806f3f3e81a07f34842a848e5e0ecd'
])

/** Checks the option `secret`, and returns the bytes of each secret. `environment`: the value of `NODE_ENV`. */
export function resolveSecrets(given: unknown, environment: string | undefined): Uint8Array[] {
  const secrets = Array.isArray(given) ? given : [given]
  if (secrets.length === 0) throw new MissingSecretError(`The option secret is an empty array. ${HOW_TO_GET_A_SECRET}.`)
  const resolved = secrets.map((secret, index) =>
    resolveSecret(secret, Array.isArray(given) ? `secret[${index}]` : 'secret', environment)
  )
  resolved.forEach((secret, index) => {
    const twin = resolved.findIndex((other) => Buffer.compare(other, secret) === 0)
    if (twin !== index)
      throw new InvalidOptionError(`secret[${index}] is the same as secret[${twin}]. Remove one of them.`)
  })
  return resolved
}

function resolveSecret(secret: unknown, name: string, environment: string | undefined): Uint8Array {
  if (secret === undefined || secret === null || secret === '') {
    throw new MissingSecretError(`The option ${name} is missing. ${HOW_TO_GET_A_SECRET}.`)
  }
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    throw new InvalidOptionError(`The option ${name} must be a string or bytes; it is a ${typeof secret}.`)
  }
  const unit = typeof secret === 'string' ? 'characters' : 'bytes'
  if (secret.length < MIN_SECRET_LENGTH) {
    throw new WeakSecretError(
      `The option ${name} must have at least ${MIN_SECRET_LENGTH} ${unit}; it has ${secret.length}. ${HOW_TO_GET_A_SECRET}.`
    )
  }
  const bytes = typeof secret === 'string' ? new TextEncoder().encode(secret) : Uint8Array.from(secret)
  const variety = new Set(bytes).size
  if (variety < MIN_VARIETY) {
    throw new WeakSecretError(
      `The option ${name} has only ${variety} different bytes; a random key has far more. ${HOW_TO_GET_A_SECRET}.`
    )
  }
  const text = Buffer.from(bytes).toString('latin1').toLowerCase()
  const letters = text.replace(/[^a-z0-9]/g, '')
  if (SAMPLE_SECRETS.has(letters) || (PUBLISHED_SECRETS.has(digestOf(bytes)) && environment !== 'test')) {
    throw new WeakSecretError(
      `The option ${name} is a sample from some documentation, known to everyone. ${HOW_TO_GET_A_SECRET}.`
    )
  }
  if (countSurprises(text.replace(/[\s_.-]/g, '')) < MIN_SURPRISES) {
    throw new WeakSecretError(
      `The option ${name} consists of repetitions, sequences or common words, which can be guessed. ${HOW_TO_GET_A_SECRET}.`
    )
  }
  return bytes
}

function digestOf(bytes: Uint8Array): string {
  return hash('sha256', bytes, 'hex')
}
