import type { GuardRequest } from '../../types/guard.ts'
import { NEXT } from '../data/own-keys.ts'
import { goesOnElsewhere } from '../request/device-binding.ts'
import { requestSession } from '../request/get-session.ts'
import { RequestSession } from '../request/session.ts'
import { basePathOf, withBasePath } from './base-path.ts'
import { localPath } from './local-path.ts'
import { setIfItFits } from './set-if-it-fits.ts'
import { settingsOf } from './settings-of.ts'

/** Where a guard stores the requested page by default. With a store, each stranger would otherwise leave a record in it. */
export function usualPlace(request: GuardRequest, decorator: string): 'session' | 'query' {
  return settingsOf(request, decorator)?.store === undefined ? 'session' : 'query'
}

/**
 * Whether a guard may start a session to store the requested page. The session of an old id, or of a device that has not proved itself, is not saved. With `SameSite=Strict` the browser does not send its session
 * cookie with a request from another site, and the cookie of a new session would replace it.
 */
export function mayBegin(request: GuardRequest, decorator: string): boolean {
  if (goesOnElsewhere(RequestSession.stateOf(requestSession(request, decorator)).openReason)) return false
  if (request.raw.headers['sec-fetch-site'] !== 'cross-site') return true
  return settingsOf(request, decorator)?.cookie.sameSite !== 'strict' || !requestSession(request, decorator).isNew
}

/** Deletes the page that another guard has stored, if this guard does not store one in the session. */
export function dropNext(request: GuardRequest, decorator: string): void {
  requestSession(request, decorator).delete(NEXT)
}

/** Stores the requested page in the session, unless the session would become too large for its cookie. */
export function keepNext(request: GuardRequest, decorator: string): void {
  const page = requestedPage(request, decorator)
  if (page !== undefined) setIfItFits(requestSession(request, decorator), NEXT, page)
}

/** Returns a URL with the requested page in its query. */
export function withNext(url: string, request: GuardRequest, decorator: string): string {
  const page = requestedPage(request, decorator)
  if (page === undefined) return url
  const [path = '', ...fragment] = url.split(/(?=#)/)
  return `${path}${path.includes('?') ? '&' : '?'}${NEXT}=${encodeURIComponent(page)}${fragment.join('')}`
}

/**
 * Removes the requested page from the session and returns it. That in the query is newer: the session has what a guard stored for
 * another tab, or some time ago. If there is none, returns `fallback`.
 */
export function popNext(request: object, decorator: string, fallback: string): string {
  const stored = requestSession(request, decorator).pop(NEXT)
  return withBasePath(wantedIn(request) ?? pageOf(stored) ?? fallback, basePathOf(request, decorator))
}

/** Returns the requested page in the query of a request. */
export function wantedIn(request: object): string | undefined {
  const { query } = request as { readonly query?: { readonly [NEXT]?: unknown } }
  return pageOf(query?.[NEXT])
}

/** Returns the path as the browser sees it. Only for GET: a redirect cannot submit a form again. */
function requestedPage(request: GuardRequest, decorator: string): string | undefined {
  const path = request.method === 'GET' ? localPath(request.originalUrl) : undefined
  return path && pageOf(basePathOf(request, decorator) + path)
}

const LOGOUT = /^[^?#]*\/(log|sign)[-_]?(out|off)\/?($|[?#])/i

/** Nobody logs in to be logged out at once. */
function pageOf(address: unknown): string | undefined {
  const path = localPath(address)
  return path === undefined || LOGOUT.test(path) ? undefined : path
}
