import type { InjectOptions, LightMyRequestResponse } from 'fastify'

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/** The headers that describe a body. */
const BODY_HEADERS: readonly string[] = ['content-type', 'content-length', 'content-encoding', 'content-language']

/** Returns the URL of a request. The host is `localhost` if the request names none. */
export function urlOf({ url, path, authority = 'localhost' }: InjectOptions): URL {
  const target = url ?? path ?? '/'
  return new URL(typeof target === 'string' ? target : target.pathname, `http://${authority}`)
}

/**
 * Returns the request that a browser sends after a redirect. Returns undefined if the reply does not redirect, has no valid
 * location, or leads to another host, which is not part of the application.
 */
export function followUp(request: InjectOptions, reply: LightMyRequestResponse): InjectOptions | undefined {
  const here = urlOf(request)
  const there = destinationOf(reply, here)
  if (there?.host !== here.host) return undefined
  const { path, query, ...rest } = request
  const next = { ...rest, url: there.href }
  if (keepsMethod(reply.statusCode, request.method?.toUpperCase())) return next
  const { payload, body, headers = {}, ...bodiless } = next
  const kept = Object.entries(headers).filter(([name]) => !BODY_HEADERS.includes(name.toLowerCase()))
  return { ...bodiless, method: 'GET', headers: Object.fromEntries(kept) }
}

function destinationOf({ statusCode, headers: { location } }: LightMyRequestResponse, here: URL): URL | undefined {
  if (!REDIRECTS.includes(statusCode) || typeof location !== 'string') return undefined
  return URL.canParse(location, here.href) ? new URL(location, here) : undefined
}

/** The method becomes GET after 303, and after 301 and 302 to a POST (Fetch standard, HTTP-redirect fetch). */
function keepsMethod(statusCode: number, method = 'GET'): boolean {
  if (method === 'GET' || method === 'HEAD') return true
  return statusCode !== 303 && (statusCode > 303 || method !== 'POST')
}
