import { hkdfSync } from 'node:crypto'

/** What a key is for. A key of one purpose never opens what another one sealed. */
export type KeyPurpose = 'signed' | 'encrypted' | 'reference'

/** One key, derived from one secret for one purpose. */
export interface SessionKey {
  /** Six characters that stand in the cookie, so that a rotated key is found without trying each one. */
  readonly id: string
  readonly bytes: Buffer
}

const KEY_ID_CHARACTERS = 6

/**
 * Derives one key per secret, in the order of the secrets, by HKDF-SHA-256 (RFC 5869) with an empty salt. The label
 * separates purposes and versions of the format, as RFC 5869, section 3.2 asks of `info`.
 */
export function deriveKeys(secrets: readonly Uint8Array[], purpose: KeyPurpose): SessionKey[] {
  return secrets.map((secret) => ({
    id: derive(secret, 'key-id').toString('base64url').slice(0, KEY_ID_CHARACTERS),
    bytes: derive(secret, purpose)
  }))
}

function derive(secret: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `fastify-typed-session/1/${label}`, 32))
}
