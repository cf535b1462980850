import { hash } from 'node:crypto'

/**
 * Returns the SHA-256 of a list of texts, as 43 characters of base64url. It covers the length of each text, so that two
 * different lists never have the same digest.
 */
export function digest(...texts: readonly string[]): string {
  return hash('sha256', texts.map((text) => `${text.length}:${text}`).join(''), 'base64url')
}
