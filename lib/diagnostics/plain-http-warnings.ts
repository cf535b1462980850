import type { FastifyRequest } from 'fastify'
import type { ResolvedAttributes } from '../cookie/attributes.ts'
import { plainAddress } from '../util/plain-address.ts'

const LOOPBACK_HOST = /^(localhost|.*\.localhost|127(\.\d{1,3}){3}|\[::1\])$/i
const LOOPBACK_ADDRESS = /^(::1|127(\.\d{1,3}){3})$/

const MESSAGES = {
  'untrusted-proxy':
    'A proxy says that this request came over HTTPS, but Fastify does not trust it, so the cookie was sent without Secure. Set `trustProxy` of Fastify to the address of the proxy, and let the proxy send X-Forwarded-Proto; or set `secure: true` among the attributes of the cookie.',
  'same-site-none':
    "A cookie with `sameSite: 'none'` went over plain HTTP with SameSite=Lax, because browsers refuse SameSite=None without Secure. Pages of other sites that embed yours do not get it. Serve HTTPS; if a proxy ends TLS, set `trustProxy` of Fastify.",
  'plain-http':
    'A cookie was sent over plain HTTP without Secure, in production: everybody on the way can read it. Serve HTTPS; if a proxy ends TLS, set `trustProxy` of Fastify. If plain HTTP is intended, set `secure: false` among the attributes of the cookie.'
} as const

/**
 * Warns when `secure: 'auto'` leaves a cookie without `Secure` where that looks like a mistake. Says each thing once, because
 * every reply would say the same. A client can forge the headers of a proxy, which causes a needless warning and no more.
 */
export class PlainHttpWarnings {
  readonly #cookieName: string
  readonly #isProduction: boolean
  readonly #given: Set<keyof typeof MESSAGES> = new Set()

  constructor(cookieName: string, isProduction: boolean = process.env.NODE_ENV === 'production') {
    this.#cookieName = cookieName
    this.#isProduction = isProduction
  }

  /** Call it when a cookie is set. */
  check(request: FastifyRequest, { secure, sameSite }: Pick<ResolvedAttributes, 'secure' | 'sameSite'>): void {
    if (secure !== 'auto' || request.protocol === 'https') return
    if (sameSite === 'none') this.#warn(request, 'same-site-none')
    if (claimsHttps(request)) this.#warn(request, 'untrusted-proxy')
    else if (this.#isProduction && !isLoopback(request)) this.#warn(request, 'plain-http')
  }

  #warn(request: FastifyRequest, reason: keyof typeof MESSAGES): void {
    if (this.#given.has(reason)) return
    this.#given.add(reason)
    request.log.warn({ reason, cookieName: this.#cookieName }, MESSAGES[reason])
  }
}

/** `Forwarded`: RFC 7239, section 5.4. */
function claimsHttps({ raw: { headers } }: FastifyRequest): boolean {
  const { 'x-forwarded-proto': proto = '', forwarded = '' } = headers
  return /(^|,)\s*https\s*(,|$)/i.test(String(proto)) || /(^|[;,\s])proto="?https\b/i.test(forwarded)
}

/** The host counts too: a proxy on the same machine has a loopback address. */
function isLoopback({ hostname, ip }: FastifyRequest): boolean {
  return LOOPBACK_HOST.test(hostname) && LOOPBACK_ADDRESS.test(plainAddress(ip))
}
