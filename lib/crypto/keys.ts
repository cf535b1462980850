import { hkdfSync } from 'node:crypto'

/**
 * What a key is for. What was sealed for one purpose never opens for another. `member`: values in a store. `remembered`: ids of remembered logins.
 * `acting`: what a session says of an impersonation. `adopted`: ids of sessions that another library has begun. `device-proof`, `device-challenge`: what a device has proved, and what it is to
 * sign.
 */
export type KeyPurpose =
  | 'signed'
  | 'encrypted'
  | 'reference'
  | 'member'
  | 'remembered'
  | 'acting'
  | 'adopted'
  | 'device-proof'
  | 'device-challenge'

/** One key, derived from one secret for one purpose. */
export interface SessionKey {
  /** Six characters that the cookie contains, so that the server finds the key of a cookie without trying each one. */
  readonly id: string
  readonly bytes: Buffer
}

const KEY_ID_CHARACTERS = 6

/**
 * Derives one key per secret, in the order of the secrets, with HKDF-SHA-256 (RFC 5869) and an empty salt. The label separates
 * purposes and format versions: it is the `info` of RFC 5869, section 3.2.
 */
export function deriveKeys(secrets: readonly Uint8Array[], purpose: KeyPurpose): SessionKey[] {
  return secrets.map((secret) => ({
    id: keyIdOf(secret),
    bytes: derive(secret, purpose)
  }))
}

/** Returns the id of the keys of a secret. It says nothing about the secret: every cookie contains it. */
export function keyIdOf(secret: Uint8Array): string {
  return derive(secret, 'key-id').toString('base64url').slice(0, KEY_ID_CHARACTERS)
}

function derive(secret: Uint8Array, label: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `fastify-typed-session/2/${label}`, 32))
}
