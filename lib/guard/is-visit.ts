import type { GuardRequest } from '../../types/guard.ts'

const PREFETCH_HEADERS = ['sec-purpose', 'purpose', 'x-moz']

/**
 * Whether somebody wants to see the page, as far as the browser tells: it is not fetched in advance, nor for a frame in another
 * page.
 */
export function isVisit({ raw: { headers } }: Pick<GuardRequest, 'raw'>): boolean {
  if (PREFETCH_HEADERS.some((name) => /\bprefetch\b/i.test(String(headers[name])))) return false
  return (headers['sec-fetch-dest'] ?? 'document') === 'document'
}
