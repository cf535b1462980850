import type { GuardRequest } from '../../types/guard.ts'
import type { Settings } from '../options.ts'
import { requestSession } from '../request/get-session.ts'
import { RequestSession } from '../request/session.ts'
import { sessionContext } from '../request/session-context.ts'
import { NEXT } from '../transport/waiting.ts'
import { localPath } from './local-path.ts'

/** Where a guard stores the requested page by default. With a store, each stranger would otherwise leave a record in it. */
export function usualPlace(request: GuardRequest, decorator: string): 'session' | 'query' {
  return settingsOf(request, decorator)?.store === undefined ? 'session' : 'query'
}

/**
 * Whether a guard may start a session to store the requested page. The session of an old id is not saved. With `SameSite=Strict` the browser does not send its session
 * cookie with a request from another site, and the cookie of a new session would replace it.
 */
export function mayBegin(request: GuardRequest, decorator: string): boolean {
  if (RequestSession.stateOf(requestSession(request, decorator)).openReason === 'renamed') return false
  if (request.raw.headers['sec-fetch-site'] !== 'cross-site') return true
  return settingsOf(request, decorator)?.cookie.sameSite !== 'strict' || !requestSession(request, decorator).isNew
}

/** Deletes the page that another guard has stored, if this guard does not store one in the session. */
export function dropNext(request: GuardRequest, decorator: string): void {
  requestSession(request, decorator).delete(NEXT)
}

/** Stores the requested page in the session, unless the session would become too large for its cookie. */
export function keepNext(request: GuardRequest, decorator: string): void {
  const page = requestedPage(request)
  if (page === undefined) return
  const session = requestSession(request, decorator)
  const before = session.get(NEXT)
  session.set(NEXT, page)
  const { bytes, limit } = session.size()
  if (bytes > limit) session.set(NEXT, before)
}

/** Returns a URL with the requested page in its query. */
export function withNext(url: string, request: GuardRequest): string {
  const page = requestedPage(request)
  if (page === undefined) return url
  const [path = '', ...fragment] = url.split(/(?=#)/)
  return `${path}${path.includes('?') ? '&' : '?'}${NEXT}=${encodeURIComponent(page)}${fragment.join('')}`
}

/** Removes the requested page from the session and returns it; the page in the query, or `fallback`, if there is none. */
export function popNext(request: object, decorator: string, fallback: string): string {
  const session = requestSession(request, decorator)
  const { query } = request as { readonly query?: { readonly [NEXT]?: unknown } }
  return localPath(session.pop(NEXT)) ?? localPath(query?.[NEXT]) ?? fallback
}

function settingsOf(request: GuardRequest, decorator: string): Settings | undefined {
  const { server } = request as { readonly server?: object }
  return sessionContext(server, decorator)?.settings
}

/** Only GET: a redirect cannot submit a form again. */
function requestedPage(request: GuardRequest): string | undefined {
  return request.method === 'GET' ? localPath(request.originalUrl) : undefined
}
