import type { GuardRequest } from '../../types/guard.ts'

const PAGE = /\btext\/html\b|\bapplication\/xhtml\+xml\b/i

/**
 * Whether a browser will show the reply as a page, so that a redirect makes sense. Browsers say so by `Sec-Fetch-Mode` (Fetch
 * Metadata) over HTTPS and on localhost; otherwise the `Accept` header decides.
 */
export function isNavigation({ raw: { headers } }: Pick<GuardRequest, 'raw'>): boolean {
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return headers['x-requested-with'] === undefined && PAGE.test(String(headers.accept))
}
