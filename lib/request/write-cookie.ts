import type { FastifyReply } from 'fastify'
import type { CommitReason } from '../../types/diagnostics.ts'
import { putCookie } from '../cookie/headers.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import type { CookieWriter } from '../cookie/write.ts'
import { createCookieWriter } from '../cookie/write.ts'
import type { Trace } from '../diagnostics/trace.ts'
import type { Settings } from '../options.ts'
import type { SessionState } from './state.ts'

/** Writes to replies what was decided about their session's cookie, and says so. */
export class ReplyCookie {
  readonly #settings: Settings
  readonly #serialize: SerializeCookie
  readonly #writer: CookieWriter
  readonly #trace: Trace

  constructor(settings: Settings, serialize: SerializeCookie, trace: Trace) {
    this.#settings = settings
    this.#serialize = serialize
    this.#writer = createCookieWriter(settings.cookieName, settings.cookie, serialize)
    this.#trace = trace
  }

  /** `maxAge`: seconds; undefined for a cookie that ends with the browser. */
  set(visit: SessionState, reply: FastifyReply, reason: CommitReason, text: string, maxAge: number | undefined): void {
    const secure = this.#isSecure(visit)
    const isExposed = secure && visit.request.protocol !== 'https'
    if (isExposed) this.#trace.insecure(visit.request)
    this.#put(visit, reply, isExposed ? 'insecure-transport' : reason, this.#writerOf(visit).set(text, secure, maxAge))
  }

  clear(visit: SessionState, reply: FastifyReply, reason: CommitReason): void {
    this.#put(visit, reply, reason, this.#writerOf(visit).clear(this.#isSecure(visit)))
  }

  /** Nothing new to say: what was said before on this reply must still be there, whatever became of its headers. */
  repeat(visit: SessionState, reply: FastifyReply, reason: CommitReason): void {
    const lasting = visit.commitReason ?? reason
    if (visit.line !== undefined) this.#put(visit, reply, lasting, visit.line)
    else this.conclude(visit, reply, lasting)
  }

  conclude(visit: SessionState, reply: FastifyReply, reason: CommitReason): void {
    visit.commitReason = reason
    this.#trace.committed(visit.request, reply, visit.openReason, reason, visit)
  }

  #put(visit: SessionState, reply: FastifyReply, reason: CommitReason, line: string): void {
    if (reply.raw.headersSent) {
      if (line !== visit.line) visit.warnOnce(() => this.#trace.lost(visit.request, visit))
      return
    }
    putCookie(reply, line, visit.line)
    visit.line = line
    this.conclude(visit, reply, reason)
  }

  #isSecure(visit: SessionState): boolean {
    const { secure } = visit.attributes ?? this.#settings.cookie
    return secure === 'auto' ? visit.request.protocol === 'https' : secure
  }

  #writerOf({ attributes }: SessionState): CookieWriter {
    return attributes === undefined
      ? this.#writer
      : createCookieWriter(this.#settings.cookieName, attributes, this.#serialize)
  }
}
