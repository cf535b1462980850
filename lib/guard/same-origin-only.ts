import type { OriginRequest, SameOriginHook, SameOriginOptions } from '../../types/guard.ts'
import { CrossSiteError } from '../errors.ts'
import { assertKnown, isBoolean, readOption } from '../util/check.ts'
import { toError } from './to-error.ts'
import { isSentByToken } from './token-gate.ts'

/**
 * Returns a hook that refuses requests which a page of another origin has caused (CSRF, OWASP ASVS 3.5.1), with 403 and
 * `ERR_SESSION_CROSS_SITE`. Use it as `onRequest` or `preHandler` of a route or a scope. It follows `CrossOriginProtection` of
 * Go: `GET`, `HEAD` and `OPTIONS` pass; otherwise the header `Sec-Fetch-Site` must be `same-origin` or `none`; without that
 * header, the host of `Origin` must be that of the request; without both, the client is no browser, and the request passes.
 *
 * A request passes if the option `authenticate` of the login kit takes its `Authorization` header, so that no session is used,
 * unless browsers send that header by themselves, as they do with `Basic`.
 *
 * Throws `ERR_SESSION_OPTION_INVALID` or `ERR_SESSION_OPTION_UNKNOWN` for a wrong option.
 *
 * @example
 * ```ts
 * app.addHook('onRequest', sameOriginOnly())
 * app.post('/transfer', { onRequest: sameOriginOnly({ allowSameSite: true }) }, async () => 'done')
 * ```
 */
export function sameOriginOnly(options: SameOriginOptions = {}): SameOriginHook {
  assertKnown(options, ['allowSameSite'], 'sameOriginOnly()')
  const allowSameSite = readOption(options.allowSameSite, false, 'allowSameSite', 'true or false', isBoolean)
  return (request, _reply, done) => {
    const error = crossSiteError(request, allowSameSite)
    const isByToken = error !== undefined && isSentByToken(request)
    if (isByToken instanceof Promise) {
      isByToken.then((passes) => done(passes ? undefined : error)).catch((thrown: unknown) => done(toError(thrown)))
    } else done(error)
  }
}

/** Returns an error if a page of another origin has caused a request that may change something; otherwise undefined. */
export function crossSiteError(request: OriginRequest, allowSameSite: boolean): Error | undefined {
  if (isSafe(request) || isFromHere(request, allowSameSite)) return undefined
  return new CrossSiteError('A page of another site or origin has sent this request, so it was refused.')
}

const SAFE_METHODS: readonly string[] = ['GET', 'HEAD', 'OPTIONS']

/** A hook can override the method after Fastify has chosen the route, so the route must have it, too. */
function isSafe({ method, routeOptions }: OriginRequest): boolean {
  const { method: ofRoute = method } = routeOptions
  return SAFE_METHODS.includes(method) && [ofRoute].flat().includes(method)
}

function isFromHere({ host, raw: { headers } }: OriginRequest, allowSameSite: boolean): boolean {
  const site = headers['sec-fetch-site']
  if (site !== undefined) return site === 'same-origin' || site === 'none' || (site === 'same-site' && allowSameSite)
  const { origin } = headers
  if (origin === undefined) return true
  // Without the scheme: a proxy may end TLS. `null` is the origin of a sandboxed page, for example, and has no host.
  return URL.canParse(String(origin)) && new URL(String(origin)).host === host.toLowerCase()
}
