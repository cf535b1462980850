import { createHash } from 'node:crypto'

/** The SHA-256 of some texts, as 43 characters of base64url. Length first, so that no two lists give the same bytes. */
export function digest(...texts: readonly string[]): string {
  const hash = createHash('sha256')
  for (const text of texts) hash.update(`${text.length}:${text}`)
  return hash.digest('base64url')
}
