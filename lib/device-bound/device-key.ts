import type { JsonWebKey, KeyObject } from 'node:crypto'
import { createPublicKey, hash } from 'node:crypto'

/** The algorithms that a browser may choose from (RFC 7518, section 3.1). */
export const ALGORITHMS = ['ES256', 'RS256'] as const
export type Algorithm = (typeof ALGORITHMS)[number]

/** A public key of a device. */
export interface DeviceKey {
  readonly algorithm: Algorithm
  /** As the session keeps it: see `Binding`. */
  readonly text: string
  readonly key: KeyObject
}

/** 32 bytes in base64url. */
const COORDINATE = /^[\w-]{42}[AEIMQUYcgkosw048]$/
/** 256 to 512 bytes in base64url. */
const MODULUS = /^[\w-]{342,683}$/
const COORDINATE_CHARACTERS = 43
const POINT_MARK = 'E'
const MODULUS_MARK = 'R'
/** 65537. Other exponents are rare, and small ones have a history. */
const EXPONENT = 'AQAB'
const MIN_BITS = 2048
const MAX_BITS = 4096

const IDENTIFIER_CHARACTERS = 22

/** Reads the key that a browser has made (RFC 7517). Undefined for one that no session is bound to. */
export function readJwk(jwk: unknown, algorithm: Algorithm): DeviceKey | undefined {
  const { kty, crv, x, y, n, e } = Object(jwk) as Record<string, unknown>
  const isPoint = kty === 'EC' && crv === 'P-256' && matches(COORDINATE, x) && matches(COORDINATE, y)
  const isModulus = kty === 'RSA' && e === EXPONENT && matches(MODULUS, n)
  if (algorithm === 'ES256') return isPoint ? readDeviceKey(`${POINT_MARK}${x}${y}`) : undefined
  return isModulus ? readDeviceKey(`${MODULUS_MARK}${n}`) : undefined
}

/** Reads a key that a session keeps. Undefined if the text is none, such as a point beside the curve. */
export function readDeviceKey(text: string): DeviceKey | undefined {
  try {
    const body = text.slice(1)
    const algorithm = text.startsWith(POINT_MARK) ? 'ES256' : 'RS256'
    const key = createPublicKey({ key: algorithm === 'ES256' ? pointOf(body) : modulusOf(body), format: 'jwk' })
    const bits = key.asymmetricKeyDetails?.modulusLength ?? MIN_BITS
    return bits < MIN_BITS || bits > MAX_BITS ? undefined : { algorithm, text, key }
  } catch {
    return undefined
  }
}

/**
 * Returns the identifier of the session in the browser. It follows from the key, so that nothing else has to be kept, and a browser
 * that registers anew never takes the new session for the old one. It begins with a letter, as a token must.
 */
export function identifierOf(text: string): string {
  return `d${hash('sha256', `device ${text}`, 'base64url').slice(0, IDENTIFIER_CHARACTERS)}`
}

function pointOf(body: string): JsonWebKey {
  return { kty: 'EC', crv: 'P-256', x: body.slice(0, COORDINATE_CHARACTERS), y: body.slice(COORDINATE_CHARACTERS) }
}

function modulusOf(n: string): JsonWebKey {
  return { kty: 'RSA', n, e: EXPONENT }
}

function matches(pattern: RegExp, value: unknown): value is string {
  return typeof value === 'string' && pattern.test(value)
}
