import { verify } from 'node:crypto'
import type { Algorithm, DeviceKey } from './device-key.ts'
import { ALGORITHMS } from './device-key.ts'

/** What a browser has signed, before anybody has verified it. */
export interface ProofToken {
  readonly algorithm: Algorithm
  /** The key in its header, as it was sent. */
  readonly jwk: unknown
  readonly challenge: string
  readonly signed: string
  readonly signature: Buffer
}

const TYPE = 'dbsc+jwt'

/** A key of RSA with 4096 bits and its signature have some 1,400 characters. */
const MAX_CHARACTERS = 4096

const SHAPE = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/

/**
 * Reads a JSON Web Token (RFC 7519) of a browser. Undefined if it is none of this kind: of another type or algorithm, with a
 * critical header, or spelled in another way than one can sign.
 */
export function readProofToken(text: string): ProofToken | undefined {
  if (text.length > MAX_CHARACTERS) return undefined
  const [, head, body, tail] = SHAPE.exec(text) ?? []
  if (head === undefined || body === undefined || tail === undefined) return undefined
  const { alg, typ, jwk, crit } = readJson(head)
  const { jti } = readJson(body)
  const algorithm = ALGORITHMS.find((known) => known === alg)
  const signature = decode(tail)
  if (algorithm === undefined || typ !== TYPE || crit !== undefined) return undefined
  if (typeof jti !== 'string' || signature === undefined) return undefined
  return { algorithm, jwk, challenge: jti, signed: `${head}.${body}`, signature }
}

/** Whether a key has signed a token. The algorithm is that of the key, whatever the token says (RFC 8725, section 3.1). */
export function isSignedBy({ algorithm, signed, signature }: ProofToken, { key, algorithm: own }: DeviceKey): boolean {
  if (algorithm !== own) return false
  return verify('sha256', Buffer.from(signed, 'latin1'), { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** An object without members if the text is not JSON of one. */
function readJson(text: string): Readonly<Record<string, unknown>> {
  const bytes = decode(text)
  try {
    const value: unknown = JSON.parse(String(bytes))
    return Object(value) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** Undefined for base64url in another spelling than the usual one. */
function decode(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url')
  return bytes.toString('base64url') === text ? bytes : undefined
}
