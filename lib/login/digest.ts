import { hash } from 'node:crypto'

/** The SHA-256 of some texts, as 43 characters of base64url. Each with its length, so that no two lists are the same text. */
export function digest(...texts: readonly string[]): string {
  return hash('sha256', texts.map((text) => `${text.length}:${text}`).join(''), 'base64url')
}
