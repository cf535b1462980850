import type { FastifyReply } from 'fastify'
import { beforeHeaders } from './before-headers.ts'

export const SET_COOKIE = 'set-cookie'
export const CACHE_CONTROL = 'cache-control'
export const VARY = 'vary'

/** What `putCookie` puts into Cache-Control and Vary. */
export const NO_STORE = 'no-store'
export const COOKIE = 'Cookie'

/**
 * Adds a Set-Cookie line to the reply, after the lines of others, and `Vary: Cookie`. `previous`: the line that this one replaces.
 * Adds `Cache-Control: no-store` unless the handler has set that header. What it sets later is `guardCookie`'s business.
 */
export function putCookie(reply: FastifyReply, line: string, previous: string | undefined): void {
  const present = reply.getHeader(SET_COOKIE)
  if (present === undefined) {
    reply.header(SET_COOKIE, line)
  } else {
    reply.removeHeader(SET_COOKIE)
    reply.header(SET_COOKIE, [...toLines(present).filter((other) => other !== previous && other !== line), line])
  }
  // A shared cache may store Set-Cookie and send it to another user (RFC 9111, section 7.3).
  if (!reply.hasHeader(CACHE_CONTROL)) reply.header(CACHE_CONTROL, NO_STORE)
  varyBy(reply, COOKIE)
}

/** The Set-Cookie lines of a reply. */
export function setCookiesOf(reply: FastifyReply): readonly string[] {
  return toLines(reply.getHeader(SET_COOKIE))
}

/**
 * Declares by `Vary` that the reply depends on a header of the request (RFC 9110, section 12.5.5). If its payload is a `Response`,
 * Fastify lets the headers of that replace those of the reply: then the declaration comes last.
 */
export function varyBy(reply: FastifyReply, field: string, payload?: unknown): void {
  const present = reply.getHeader(VARY)
  const vary = withField(present, field)
  if (vary !== present) reply.header(VARY, vary)
  if (isResponse(payload)) beforeHeaders(reply.raw, (headers) => ({ vary: withField(headers.vary, field) }))
}

/**
 * Copies Set-Cookie, Vary and Cache-Control from a reply to its raw response: Fastify does not send the headers of a reply that
 * is hijacked. `previous`: the Set-Cookie line that the reply has replaced.
 */
export function copyToRaw(reply: FastifyReply, previous: string | undefined): void {
  const { raw } = reply
  const cacheControl = reply.getHeader('cache-control')
  if (cacheControl !== undefined && !raw.hasHeader('cache-control')) raw.setHeader('cache-control', cacheControl)
  const vary = reply.getHeader('vary')
  if (vary !== undefined) raw.setHeader('vary', withField(raw.getHeader('vary') ?? vary, COOKIE))
  const lines = toLines(raw.getHeader(SET_COOKIE)).filter((line) => line !== previous)
  const all = new Set([...lines, ...setCookiesOf(reply)])
  if (all.size > 0) raw.setHeader(SET_COOKIE, [...all])
}

/** As Fastify tells it. */
function isResponse(payload: unknown): boolean {
  return typeof payload === 'object' && Object.prototype.toString.call(payload) === '[object Response]'
}

type Header = number | string | readonly string[] | undefined

/** The lines, or the values, of a header. */
export function toLines(header: Header): readonly string[] {
  if (header === undefined) return []
  return typeof header === 'object' ? header : [String(header)]
}

/** Returns a Vary header that includes a field: the present one if it does already. */
export function withField(present: Header, field: string): string {
  if (present === undefined || present === field) return field
  const fields = toLines(present).join(', ')
  const names = fields.split(',').map((name) => name.trim().toLowerCase())
  return names.includes('*') || names.includes(field.toLowerCase()) ? fields : `${fields}, ${field}`
}
