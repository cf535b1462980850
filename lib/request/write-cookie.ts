import type { FastifyReply } from 'fastify'
import type { CommitReason } from '../../types/diagnostics.ts'
import type { ResolvedAttributes } from '../cookie/attributes.ts'
import { isSecure } from '../cookie/attributes.ts'
import { putCookie } from '../cookie/headers.ts'
import { findCookie } from '../cookie/read.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import type { CookieWriter } from '../cookie/write.ts'
import { createCookieWriter } from '../cookie/write.ts'
import { PlainHttpWarnings } from '../diagnostics/plain-http-warnings.ts'
import type { Trace } from '../diagnostics/trace.ts'
import type { Settings } from '../options.ts'
import { expiresAt } from '../transport/expiry.ts'
import { OlderCookies } from './older-cookies.ts'
import type { Outcome } from './save.ts'
import type { SessionState } from './state.ts'

/** Turns outcomes into the Set-Cookie header of the reply, and into what the trace says. */
export class ReplyCookie {
  readonly #settings: Settings
  readonly #serialize: SerializeCookie
  readonly #writer: CookieWriter
  readonly #trace: Trace
  readonly #older: OlderCookies
  readonly #warnings: PlainHttpWarnings

  constructor(settings: Settings, serialize: SerializeCookie, trace: Trace) {
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
        if (outcome.value !== undefined) this.#set(state, reply, outcome.reason, outcome.value, now)
        else if (state.reply.setCookieHeader !== undefined) this.#repeat(state, reply, outcome.reason)
        else this.#conclude(state, reply, outcome.reason)
        break
      case 'ended':
        this.#clear(state, reply, outcome.reason, outcome.value)
        break
      case 'gone':
        state.reply.fail('gone')
        if (outcome.hasLost) state.reply.warnOnce(() => this.#trace.ignored(state.request, 'gone'))
        this.#conclude(state, reply, 'gone')
        break
      case 'late':
        if (outcome.hasLost) state.reply.warnOnce(() => this.#trace.lost(state.request, state))
    }
  }

  #set(state: SessionState, reply: FastifyReply, reason: CommitReason, value: string, now: () => number): void {
    const maxAge = state.permanent ? expiresAt(state, this.#settings) - now() : undefined
    const secure = this.#isSecure(state)
    const isExposed = secure && state.request.protocol !== 'https'
    if (isExposed) this.#trace.insecure(state.request)
    else this.#warnings.check(state.request, this.#secureOf(state))
    this.#put(state, reply, isExposed ? 'insecure-transport' : reason, this.#writerOf(state).set(value, secure, maxAge))
  }

  /** Clears what the browser has sent, even if it was forged, and what this reply has set; or replaces it by `value`. */
  #clear(state: SessionState, reply: FastifyReply, reason: CommitReason, value: string | undefined): void {
    const { request } = state
    const isKnown =
      state.reply.setCookieHeader !== undefined ||
      findCookie(request.raw.headers.cookie ?? '', this.#settings.cookieName, 0) !== undefined
    // A cookie that opens nothing may stay where it is when the headers are sent.
    const mayStay = reply.raw.headersSent && !state.copyStillOpens
    if (!isKnown || mayStay) {
      this.#conclude(state, reply, reason)
      return
    }
    const [writer, secure] = [this.#writerOf(state), this.#isSecure(state)]
    // No session that this one outranks lives longer than `idleTimeout`.
    const line = value === undefined ? writer.clear(secure) : writer.set(value, secure, this.#settings.idleTimeout)
    this.#put(state, reply, reason, line)
  }

  /** What this reply has set must still be there, whatever an error handler has done to its headers. */
  #repeat(state: SessionState, reply: FastifyReply, reason: CommitReason): void {
    const lasting = state.reply.reason ?? reason
    if (state.reply.setCookieHeader === undefined) this.#conclude(state, reply, lasting)
    else this.#put(state, reply, lasting, state.reply.setCookieHeader)
  }

  #put(state: SessionState, reply: FastifyReply, reason: CommitReason, header: string): void {
    const previous = state.reply.setCookieHeader
    if (reply.raw.headersSent) {
      if (header !== previous) state.reply.warnOnce(() => this.#trace.lost(state.request, state))
      return
    }
    const older = this.#older.clear(state, this.#isSecure(state))
    // A client that knows neither Domain nor Path keeps what the last line says.
    const isSet = !header.startsWith(`${this.#settings.cookieName}=;`)
    if (isSet) for (const line of older) putCookie(reply, line, undefined)
    putCookie(reply, header, previous)
    if (!isSet) for (const line of older) putCookie(reply, line, undefined)
    state.reply.sent(header)
    this.#conclude(state, reply, reason)
  }

  #conclude(state: SessionState, reply: FastifyReply, reason: CommitReason): void {
    state.reply.conclude(reason)
    this.#trace.committed(state.request, reply, state.openReason, reason, state)
  }

  #isSecure(state: SessionState): boolean {
    return isSecure(this.#secureOf(state), state.request.protocol)
  }

  #secureOf({ reply: { attributes } }: SessionState): ResolvedAttributes['secure'] {
    return (attributes ?? this.#settings.cookie).secure
  }

  #writerOf({ reply: { attributes } }: SessionState): CookieWriter {
    return attributes === undefined
      ? this.#writer
      : createCookieWriter(this.#settings.cookieName, attributes, this.#serialize)
  }
}
