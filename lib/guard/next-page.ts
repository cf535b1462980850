import type { GuardRequest } from '../../types/guard.ts'
import { requestSession } from '../request/get-session.ts'
import { sessionContext } from '../request/session-context.ts'
import { localPath } from './local-path.ts'

/** The member of the session, and the name in a query, as in Flask-Login. */
const NEXT = 'next'

/**
 * Whether a session may begin for the sake of the wanted page. With `SameSite=Strict` the browser does not let its session along
 * to a request from another site, and a new one would take its place.
 */
export function mayBegin(request: GuardRequest, decorator: string): boolean {
  if (request.raw.headers['sec-fetch-site'] !== 'cross-site') return true
  const { server } = request as { readonly server?: object }
  const settings = sessionContext(server, decorator)?.settings
  return settings?.cookie.sameSite !== 'strict' || !requestSession(request, decorator).isNew
}

/** Forgets what another guard has noted, where this one notes it elsewhere or not at all. */
export function dropNext(request: GuardRequest, decorator: string): void {
  requestSession(request, decorator).delete(NEXT)
}

/** Notes the page that a request wanted, unless the session gets too large for its cookie by it. */
export function keepNext(request: GuardRequest, decorator: string): void {
  const page = wantedPage(request)
  if (page === undefined) return
  const session = requestSession(request, decorator)
  const before = session.get(NEXT)
  session.set(NEXT, page)
  const { bytes, limit } = session.size()
  if (bytes > limit) session.set(NEXT, before)
}

/** An address with the page that a request wanted in its query. */
export function withNext(address: string, request: GuardRequest): string {
  const page = wantedPage(request)
  if (page === undefined) return address
  const [path = '', ...fragment] = address.split(/(?=#)/)
  return `${path}${path.includes('?') ? '&' : '?'}${NEXT}=${encodeURIComponent(page)}${fragment.join('')}`
}

/** What was noted, taken out of the session, or what the query says: what leads to this server. */
export function takeNext(request: object, decorator: string, fallback: string): string {
  const session = requestSession(request, decorator)
  const { query } = request as { readonly query?: { readonly [NEXT]?: unknown } }
  return localPath(session.pop(NEXT)) ?? localPath(query?.[NEXT]) ?? fallback
}

/** A form that was sent cannot be sent again by a redirect. */
function wantedPage(request: GuardRequest): string | undefined {
  return request.method === 'GET' ? localPath(request.originalUrl) : undefined
}
