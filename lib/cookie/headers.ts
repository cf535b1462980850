import type { FastifyReply } from 'fastify'

const SET_COOKIE = 'set-cookie'

/** Adds a Set-Cookie line to what others have set, in place of the line that this session set before. */
export function putCookie(reply: FastifyReply, line: string, previous: string | undefined): void {
  const present = reply.getHeader(SET_COOKIE)
  if (present === undefined) {
    reply.header(SET_COOKIE, line)
  } else {
    reply.removeHeader(SET_COOKIE)
    reply.header(SET_COOKIE, [...toLines(present).filter((other) => other !== previous && other !== line), line])
  }
  // RFC 9111, section 7.3: a shared cache may store Set-Cookie and hand it to somebody else.
  if (!reply.hasHeader('cache-control')) reply.header('cache-control', 'no-store')
}

/** The Set-Cookie lines of a reply. */
export function setCookiesOf(reply: FastifyReply): readonly string[] {
  return toLines(reply.getHeader(SET_COOKIE))
}

/** Notes that the reply depends on the Cookie header (RFC 9110, section 12.5.5). */
export function varyByCookie(reply: FastifyReply): void {
  const present = reply.getHeader('vary')
  const vary = withCookie(present)
  if (vary !== present) reply.header('vary', vary)
}

/** Whether the handler has allowed caches that serve many people to keep the reply (RFC 9111, section 5.2.2). */
export function isShareable(reply: FastifyReply): boolean {
  const present = reply.getHeader('cache-control')
  return present !== undefined && !/(^|[\s,])(no-store|private)(?=[\s,=]|$)/i.test(toLines(present).join(','))
}

/** Hands on to the raw response what a reply that bypasses Fastify would leave behind. */
export function copyToRaw(reply: FastifyReply, previous: string | undefined): void {
  const { raw } = reply
  const cacheControl = reply.getHeader('cache-control')
  if (cacheControl !== undefined && !raw.hasHeader('cache-control')) raw.setHeader('cache-control', cacheControl)
  const vary = reply.getHeader('vary')
  if (vary !== undefined) raw.setHeader('vary', withCookie(raw.getHeader('vary') ?? vary))
  const lines = toLines(raw.getHeader(SET_COOKIE)).filter((line) => line !== previous)
  const all = new Set([...lines, ...setCookiesOf(reply)])
  if (all.size > 0) raw.setHeader(SET_COOKIE, [...all])
}

type Header = number | string | readonly string[] | undefined

/** The Vary header with `Cookie` among its fields: the very same one where it is already. */
function withCookie(present: Header): string {
  if (present === undefined) return 'Cookie'
  const fields = toLines(present).join(', ')
  return /(^|,)\s*(cookie|\*)\s*(,|$)/i.test(fields) ? fields : `${fields}, Cookie`
}

function toLines(header: Header): readonly string[] {
  if (header === undefined) return []
  return typeof header === 'object' ? header : [String(header)]
}
