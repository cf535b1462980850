import type { OutgoingHttpHeaders } from 'node:http'
import type { FastifyReply } from 'fastify'
import { beforeHeaders } from './before-headers.ts'
import type { Sharing } from './cache-control.ts'
import { readCaching } from './cache-control.ts'
import { CACHE_CONTROL, COOKIE, NO_STORE, SET_COOKIE, toLines, VARY, withField } from './headers.ts'

/** The end of the names of all fields that rule caches, in any case. */
const CONTROL = /control$/i
const SMALL_L = 0x6c
/** The bit by which a small letter differs from the capital one. */
const CASE = 0x20

export interface GuardedCookie {
  /** The Set-Cookie line. */
  readonly line: string
  /**
   * Undefined for a cookie that the browser needs. One that it can go on without must not be among the headers of the reply yet. If
   * it is not sent, this is called with the headers that are, and may return others that take their place.
   */
  readonly onWithheld: ((headers: OutgoingHttpHeaders) => OutgoingHttpHeaders | undefined) | undefined
}

/**
 * Keeps a cookie from shared caches, by the headers as they are sent. A reply with a cookie that the browser needs is made private,
 * whatever the handler said; `onMadePrivate` is called if that was the opposite. One that is not needed goes out only if
 * that takes nothing from a cache.
 */
export function guardCookie(reply: FastifyReply, cookieOf: () => GuardedCookie, onMadePrivate: () => void): void {
  const change = (headers: OutgoingHttpHeaders, status: number): OutgoingHttpHeaders | undefined => {
    const { line, onWithheld } = cookieOf()
    const isNeeded = onWithheld === undefined
    const lines = toLines(headers[SET_COOKIE])
    const others = lines.filter((other) => other !== line && pairOf(other) !== pairOf(line))
    const isThere = others.length < lines.length
    if (isNeeded && !isThere) return undefined
    const { sharing, asPrivate } = readCaching(headers)
    if (!isNeeded && (isOfCaches(sharing, status, reply.request.method) || others.some(hasNameOf(line)))) {
      const said = onWithheld(headers)
      // It is there if an earlier attempt to send the headers has failed.
      return isThere ? { ...said, [SET_COOKIE]: others } : said
    }
    if (sharing === 'shared') onMadePrivate()
    const vary = withField(headers.vary, COOKIE)
    // Most replies have all of it already.
    if (isNeeded && sharing === 'private' && vary === headers.vary) return undefined
    return { ...asPrivate, vary, [SET_COOKIE]: isNeeded ? [...lines] : [...others, line] }
  }
  beforeHeaders(reply.raw, change, (headers) => {
    const { line, onWithheld } = cookieOf()
    return onWithheld === undefined && headers[SET_COOKIE] === line && isAsPut(headers)
  })
}

/** Whether the headers for caches are those of `putCookie`, and no others. */
function isAsPut(headers: Readonly<Record<string, unknown>>): boolean {
  if (headers[CACHE_CONTROL] !== NO_STORE || headers[VARY] !== COOKIE) return false
  for (const name in headers) {
    if (name !== CACHE_CONTROL && rulesCaches(name)) return false
  }
  return true
}

/** Few names end with an l. To look for that first costs a tenth of the regular expression. */
function rulesCaches(name: string): boolean {
  return (name.charCodeAt(name.length - 1) | CASE) === SMALL_L && CONTROL.test(name)
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

/** Then the handler has set or cleared the cookie itself. */
function hasNameOf(line: string): (other: string) => boolean {
  const nameOf = (text: string): string => text.split('=', 1).join().trim()
  return (other) => nameOf(other) === nameOf(line)
}
