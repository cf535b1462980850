import type { InjectOptions, LightMyRequestResponse } from 'fastify'

const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308]

/** Headers that tell of a body. */
const OF_BODY: readonly string[] = ['content-type', 'content-length', 'content-encoding', 'content-language']

/** The address of a request, with a host that stands for the application where none is named. */
export function urlOf({ url, path, authority = 'localhost' }: InjectOptions): URL {
  const target = url ?? path ?? '/'
  return new URL(typeof target === 'string' ? target : target.pathname, `http://${authority}`)
}

/**
 * The request that a browser makes after a reply that redirects. Undefined where the reply does not, or sends the browser
 * nowhere, or to another host: what is there is no part of the application.
 */
export function followUp(request: InjectOptions, reply: LightMyRequestResponse): InjectOptions | undefined {
  const here = urlOf(request)
  const there = destinationOf(reply, here)
  if (there?.host !== here.host) return undefined
  const { path, query, ...rest } = request
  const next = { ...rest, url: there.href }
  if (keepsMethod(reply.statusCode, request.method?.toUpperCase())) return next
  const { payload, body, headers = {}, ...bodiless } = next
  const kept = Object.entries(headers).filter(([name]) => !OF_BODY.includes(name.toLowerCase()))
  return { ...bodiless, method: 'GET', headers: Object.fromEntries(kept) }
}

function destinationOf({ statusCode, headers: { location } }: LightMyRequestResponse, here: URL): URL | undefined {
  if (!REDIRECTS.includes(statusCode) || typeof location !== 'string') return undefined
  return URL.canParse(location, here.href) ? new URL(location, here) : undefined
}

/** Fetch standard, HTTP-redirect fetch: 303 is answered by GET, and so are 301 and 302 after POST. */
function keepsMethod(statusCode: number, method = 'GET'): boolean {
  if (method === 'GET' || method === 'HEAD') return true
  return statusCode !== 303 && (statusCode > 303 || method !== 'POST')
}
