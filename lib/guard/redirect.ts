import type { FastifyRequest } from 'fastify'
import type { GuardOptions, GuardReply, GuardRequest, RefusalReason } from '../../types/guard.ts'
import { InvalidValueError } from '../errors.ts'
import { basePathOf, withBasePath } from './base-path.ts'
import { isVisit } from './is-visit.ts'
import { localPath } from './local-path.ts'
import { dropNext, keepNext, mayBegin, usualPlace, wantedIn, withNext } from './next-page.ts'
import { assertOtherPage, countRedirect } from './redirect-loop.ts'

/** Redirects a browser whose request a guard has refused. */
type Redirect = (request: GuardRequest, reply: GuardReply, reason: RefusalReason) => void

/** Returns how a guard redirects browsers; undefined if it does not. Its options are checked. */
export function createRedirect(decorator: string, { redirectTo, next }: GuardOptions): Redirect | undefined {
  const url = typeof redirectTo === 'function' ? redirectTo : normalizeUrl(redirectTo)
  if (url === undefined) return undefined
  return (request, reply, reason) => {
    const base = basePathOf(request, decorator)
    const target = withBasePath(typeof url === 'string' ? url : chosenPath(url(request as FastifyRequest)), base)
    const page = base + request.originalUrl
    const isSafe = request.method === 'GET' || request.method === 'HEAD'
    // After a form the redirect leads to a page that may be open to everybody.
    if (isSafe) assertOtherPage(target, page, request.host, wantedIn(request))
    const place = next ?? usualPlace(request, decorator)
    const isSeen = isVisit(request)
    const isStored = isSeen && place === 'session' && mayBegin(request, decorator)
    if (isSafe && isSeen && reason !== 'not-logged-in') countRedirect(request, decorator, page)
    if (isStored) keepNext(request, decorator)
    else if (isSeen) dropNext(request, decorator)
    reply.redirect(place === false || isStored ? target : withNext(target, request, decorator), isSafe ? 302 : 303)
  }
}

/**
 * Returns what a function of the application has chosen. A path only: a URL that is made of parts of a request could lead to
 * another server.
 */
function chosenPath(chosen: unknown): string {
  const path = localPath(chosen)
  if (path !== undefined) return path
  // A promise is ignored. Its rejection must not end the process.
  if (typeof chosen !== 'string') Promise.resolve(chosen).catch(() => {})
  const returned = typeof chosen === 'string' ? 'a string that is no such path' : `a ${typeof chosen}`
  throw new InvalidValueError(
    `A function as redirectTo of a guard, or as loginPath or confirmPath of the login kit, must return a path of this server, such as '/login', and no promise; it returned ${returned}.`
  )
}

/**
 * Returns a URL or a local path as the URL standard serializes it, since a header holds ASCII only. Undefined if it is neither.
 */
export function normalizeUrl(url: unknown): string | undefined {
  const isAbsolute = typeof url === 'string' && /^https?:\/\//.test(url) && URL.canParse(url)
  return isAbsolute ? new URL(url).href : localPath(url)
}
