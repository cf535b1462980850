import { readFileSync } from 'node:fs'
import type { SignerOptions } from '../../lib/flask/signer.ts'
import { FlaskSigner } from '../../lib/flask/signer.ts'
import type { FlaskDigest } from '../../types/flask.ts'

/** A cookie that Flask has written. */
interface FlaskVector {
  readonly name: string
  readonly key?: string
  readonly salt?: string
  readonly digest?: FlaskDigest
  readonly signed_at?: number
  /** The session as JSON, without the types of Python. */
  readonly session: Record<string, unknown>
  readonly cookie: string
}

interface FlaskVectors {
  readonly key: string
  readonly oldKey: string
  readonly signedAt: number
  readonly valid: readonly FlaskVector[]
}

export const VECTORS: FlaskVectors = JSON.parse(
  readFileSync(new URL('../vectors/flask/cookies.json', import.meta.url), 'utf8')
)

const encode = (key: string): Uint8Array => new TextEncoder().encode(key)

/** Verifies under both keys of the vectors, and signs under the first. */
export function signerOf(options: Partial<SignerOptions> = {}): FlaskSigner {
  return new FlaskSigner({
    keys: [encode(VECTORS.key), encode(VECTORS.oldKey)],
    salt: options.salt ?? 'cookie-session',
    digest: options.digest ?? 'sha1',
    ...(options.keys && { keys: options.keys })
  })
}
