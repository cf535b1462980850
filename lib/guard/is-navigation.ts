import type { GuardRequest } from '../../types/guard.ts'

const PAGE = /\btext\/html\b|\bapplication\/xhtml\+xml\b/i

/**
 * Whether a browser shows what is answered as a page, so that a redirect leads a person somewhere. Browsers say so where the
 * server has HTTPS or is on their own machine (Fetch Metadata, `Sec-Fetch-Mode`); elsewhere it is told from what they accept.
 */
export function isNavigation({ raw: { headers } }: Pick<GuardRequest, 'raw'>): boolean {
  const mode = headers['sec-fetch-mode']
  if (mode !== undefined) return mode === 'navigate'
  return headers['x-requested-with'] === undefined && PAGE.test(String(headers.accept))
}
