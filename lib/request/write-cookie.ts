import type { FastifyReply } from 'fastify'
import type { CommitReason } from '../../types/diagnostics.ts'
import type { ResolvedAttributes } from '../cookie/attributes.ts'
import { isSecure } from '../cookie/attributes.ts'
import { clearsCookie } from '../cookie/cleared-by-hand.ts'
import type { GuardedCookie } from '../cookie/guard-cookie.ts'
import { guardCookie } from '../cookie/guard-cookie.ts'
import { putCookie, setCookiesOf } from '../cookie/headers.ts'
import { findCookie } from '../cookie/read.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import type { CookieWriter } from '../cookie/write.ts'
import { createCookieWriter } from '../cookie/write.ts'
import { PlainHttpWarnings } from '../diagnostics/plain-http-warnings.ts'
import { warnOfSharing } from '../diagnostics/shared-reply.ts'
import type { Trace } from '../diagnostics/trace.ts'
import type { Settings } from '../options.ts'
import { expiresAt } from '../transport/expiry.ts'
import { OlderCookies } from './older-cookies.ts'
import type { Outcome } from './save.ts'
import type { StaleCookies } from './stale-cookies.ts'
import type { SessionState } from './state.ts'

/** Of the value. With it, the data have about 2 KB as JSON, and with other headers a reply may not fit into 4096 bytes. */
const LARGE_BYTES = 2800

type Saved = Extract<Outcome, { kind: 'saved' }>

/** Turns outcomes into the Set-Cookie header of the reply, and into what the trace says. */
export class ReplyCookie {
  readonly #settings: Settings
  readonly #serialize: SerializeCookie
  readonly #writer: CookieWriter
  readonly #trace: Trace
  readonly #older: OlderCookies
  readonly #stale: StaleCookies
  readonly #warnings: PlainHttpWarnings

  constructor(settings: Settings, serialize: SerializeCookie, stale: StaleCookies, trace: Trace) {
    this.#stale = stale
    this.#settings = settings
    this.#serialize = serialize
    this.#writer = createCookieWriter(settings.cookieName, settings.cookie, serialize)
    this.#trace = trace
    this.#older = new OlderCookies(settings, serialize)
    this.#warnings = new PlainHttpWarnings(settings.cookieName)
  }

  /** `now`: seconds since 1970. */
  write(outcome: Outcome, state: SessionState, reply: FastifyReply, now: () => number): void {
    switch (outcome.kind) {
      case 'nothing':
        this.#repeat(state, reply, outcome.reason)
        break
      case 'saved':
        if (outcome.value !== undefined) this.#set(state, reply, outcome, outcome.value, now)
        else if (state.reply.setCookieHeader !== undefined) this.#repeat(state, reply, outcome.reason)
        else this.#conclude(state, reply, outcome.reason)
        break
      case 'ended':
        this.#clear(state, reply, outcome.reason, outcome.value)
        break
      case 'gone':
        state.reply.fail('gone')
        state.reply.answer()
        if (outcome.hasLost) state.reply.warnOnce(() => this.#trace.ignored(state.request, 'gone'))
        this.#conclude(state, reply, 'gone')
        break
      case 'unnoted':
        this.#trace.unnoted(state.request, outcome.error)
        this.#conclude(state, reply, 'store-unavailable')
        break
      case 'late':
        if (outcome.hasLost) state.reply.warnOnce(() => this.#trace.lost(state.request, state))
    }
  }

  #set(
    state: SessionState,
    reply: FastifyReply,
    { reason, isOptional }: Saved,
    value: string,
    now: () => number
  ): void {
    // A timeout that the handler has shortened may be over already.
    const maxAge = state.permanent ? Math.max(0, expiresAt(state, this.#settings) - now()) : undefined
    const secure = this.#isSecure(state)
    const isExposed = secure && state.request.protocol !== 'https'
    if (isExposed) this.#trace.insecure(state.request)
    else this.#warnings.check(state.request, this.#attributesOf(state))
    if (value.length > LARGE_BYTES) this.#trace.large(state.request, value.length)
    const header = this.#writerOf(state).set(value, secure, maxAge)
    this.#put(state, reply, isExposed ? 'insecure-transport' : reason, header, isOptional)
  }

  /** Whether the handler or a hook has cleared the cookie of the session by hand. `own`: the header that is of the session itself. */
  isClearedByHand(reply: FastifyReply, own: string | undefined): boolean {
    const lines = setCookiesOf(reply)
    if (lines.length === 0) return false
    const { cookieName, cookie } = this.#settings
    return lines.some((line) => line !== own && clearsCookie(line, cookieName, cookie))
  }

  /** Clears what the browser has sent, even if it was forged, and what this reply has set; or replaces it by `value`. */
  #clear(state: SessionState, reply: FastifyReply, reason: CommitReason, value: string | undefined): void {
    const { request } = state
    const isKnown =
      state.reply.setCookieHeader !== undefined ||
      findCookie(request.raw.headers.cookie ?? '', this.#settings.cookieName, 0) !== undefined
    // A cookie that opens nothing may stay where it is when the headers are sent.
    const mayStay = reply.raw.headersSent && !state.ending.copyStillOpens
    if (!isKnown || mayStay) {
      this.#conclude(state, reply, reason)
      return
    }
    const [writer, secure] = [this.#writerOf(state), this.#isSecure(state)]
    // No session that this one outranks lives longer.
    const line = value === undefined ? writer.clear(secure) : writer.set(value, secure, this.#settings.maxIdleTimeout)
    // A stale cookie does no harm. A cache that keeps the reply would clear cookies that are not.
    this.#put(state, reply, reason, line, reason === 'stale')
  }

  /** What this reply has set must still be there, whatever an error handler has done to its headers. */
  #repeat(state: SessionState, reply: FastifyReply, reason: CommitReason): void {
    const lasting = state.reply.reason ?? reason
    if (state.reply.setCookieHeader === undefined) this.#conclude(state, reply, lasting)
    else this.#put(state, reply, lasting, state.reply.setCookieHeader, state.reply.isOptional)
  }

  #put(state: SessionState, reply: FastifyReply, reason: CommitReason, header: string, isOptional: boolean): void {
    const previous = state.reply.setCookieHeader
    if (reply.raw.headersSent) {
      if (header !== previous) state.reply.warnOnce(() => this.#trace.lost(state.request, state))
      return
    }
    state.reply.sent(header, isOptional)
    if (!state.reply.isOptional) this.#stale.replace(state.request)
    if (!state.reply.isOptional) this.#putLines(state, reply, header, previous)
    if (previous === undefined) this.#guard(state, reply)
    this.#conclude(state, reply, reason)
  }

  /** Puts the cookie, and what clears older ones of the name. */
  #putLines(state: SessionState, reply: FastifyReply, header: string, previous: string | undefined): void {
    const older = this.#older.clear(state, this.#isSecure(state))
    // A client that knows neither Domain nor Path keeps what the last line says.
    const isSet = !header.startsWith(`${this.#settings.cookieName}=;`)
    if (isSet) for (const line of older) putCookie(reply, line, undefined)
    putCookie(reply, header, previous)
    if (!isSet) for (const line of older) putCookie(reply, line, undefined)
  }

  /** One that is optional waits for the last moment: nobody may keep it before. */
  #guard(state: SessionState, reply: FastifyReply): void {
    const { request, openReason } = state
    const onWithheld: GuardedCookie['onWithheld'] = (headers) =>
      this.#trace.withheld(request, headers, openReason, state)
    const cookieOf = (): GuardedCookie => ({
      line: state.reply.setCookieHeader as string,
      onWithheld: state.reply.isOptional ? onWithheld : undefined
    })
    guardCookie(reply, cookieOf, () => warnOfSharing(request, this.#settings.cookieName))
  }

  #conclude(state: SessionState, reply: FastifyReply, reason: CommitReason): void {
    state.reply.conclude(reason)
    if (state.isStale) this.#stale.leave(state.request)
    this.#trace.committed(state.request, reply, state.openReason, reason, state)
  }

  #isSecure(state: SessionState): boolean {
    return isSecure(this.#attributesOf(state).secure, state.request.protocol)
  }

  #attributesOf({ reply: { attributes } }: SessionState): ResolvedAttributes {
    return attributes ?? this.#settings.cookie
  }

  #writerOf({ reply: { attributes } }: SessionState): CookieWriter {
    return attributes === undefined
      ? this.#writer
      : createCookieWriter(this.#settings.cookieName, attributes, this.#serialize)
  }
}
