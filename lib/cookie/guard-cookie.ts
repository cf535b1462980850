import type { FastifyReply } from 'fastify'
import { beforeHeaders } from './before-headers.ts'
import type { Sharing } from './cache-control.ts'
import { readCaching } from './cache-control.ts'
import { toLines, withCookie } from './headers.ts'

const SET_COOKIE = 'set-cookie'

export interface GuardedCookie {
  /** The Set-Cookie line. */
  readonly line: string
  /** Whether the browser can go on without it. If so, it must not be among the headers of the reply yet. */
  readonly isOptional: boolean
}

/**
 * Keeps a cookie from shared caches, by the headers as they are sent. A reply with a cookie that the browser needs is made private,
 * whatever the handler said. One that is optional goes out only if that takes nothing from a cache. `onConflict` hears
 * when the handler meant the reply to be shared, and when the cookie is withheld.
 */
export function guardCookie(
  reply: FastifyReply,
  cookieOf: () => GuardedCookie,
  onConflict: (outcome: 'made-private' | 'withheld') => void
): void {
  const { raw } = reply
  beforeHeaders(raw, (status) => {
    const { line, isOptional } = cookieOf()
    const headers = raw.getHeaders()
    const lines = toLines(headers[SET_COOKIE])
    const others = lines.filter((other) => pairOf(other) !== pairOf(line))
    const { sharing, asPrivate } = readCaching(headers)
    if (isOptional) {
      // The handler has set or cleared the cookie itself.
      const isReplaced = others.some((other) => nameOf(other) === nameOf(line))
      if (isReplaced || isOfCaches(sharing, status, reply.request.method)) {
        // There if an earlier attempt to send the headers has failed.
        if (others.length < lines.length) raw.setHeader(SET_COOKIE, others)
        onConflict('withheld')
        return
      }
      raw.setHeader(SET_COOKIE, [...others, line])
    } else if (others.length === lines.length) {
      return
    } else if (sharing === 'shared') {
      onConflict('made-private')
    }
    for (const [name, value] of asPrivate) raw.setHeader(name, value)
    raw.setHeader('vary', withCookie(headers.vary))
  })
}

/**
 * Whether a shared cache may use the headers of a reply for other people. Those that update what it has kept get into that,
 * whatever they say (RFC 9111, sections 3.4, 4.3.4 and 4.3.5).
 */
function isOfCaches(sharing: Sharing, status: number, method: string): boolean {
  const isUpdate = status === 304 || status === 206 || method === 'HEAD'
  return sharing === 'shared' || (sharing === 'unsaid' && isUpdate)
}

function pairOf(line: string): string {
  return line.split(';', 1).join()
}

function nameOf(line: string): string {
  return line.split('=', 1).join().trim()
}
