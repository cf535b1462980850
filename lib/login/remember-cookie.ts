import type { FastifyReply, FastifyRequest } from 'fastify'
import type { CookieWriter, ResolvedAttributes, SerializeCookie } from '../cookie/attributes.ts'
import { createCookieWriter, findCookie } from '../cookie/attributes.ts'
import { copyToRaw, putCookie } from '../cookie/headers.ts'
import type { ReferenceFormat } from '../format/reference.ts'

/** Durations in seconds. */
export interface RememberCookieSettings {
  readonly cookieName: string
  readonly attributes: ResolvedAttributes
  readonly maxAge: number
  readonly now: () => number
}

/** Each may cost calls of the store. There are several when somebody has set one for another path or domain. */
const MAX_TOKENS = 4

/** The cookie of a remembered login: a token, signed, so that nobody can make the store look for what was never there. */
export class RememberCookie {
  readonly #settings: RememberCookieSettings
  readonly #codec: ReferenceFormat
  readonly #writer: CookieWriter

  constructor(settings: RememberCookieSettings, codec: ReferenceFormat, serialize: SerializeCookie) {
    this.#settings = settings
    this.#codec = codec
    this.#writer = createCookieWriter(settings.cookieName, settings.attributes, serialize)
  }

  /** The tokens that a browser has sent and that were signed here. */
  read(request: FastifyRequest): string[] {
    const { cookieName } = this.#settings
    const header = request.raw.headers.cookie ?? ''
    const tokens: string[] = []
    let cookie = findCookie(header, cookieName, 0)
    while (cookie !== undefined && tokens.length < MAX_TOKENS) {
      if (this.#codec.verify(cookie.text) === undefined) tokens.push(this.#codec.idOf(cookie.text))
      cookie = findCookie(header, cookieName, cookie.end)
    }
    return tokens
  }

  /**
   * Writes a token to a reply, or without one that the browser shall forget it, in place of the line that was written before.
   * Gives the line. It is there at once, for replies that are hijacked.
   */
  write(request: FastifyRequest, reply: FastifyReply, token: string | undefined, previous: string | undefined): string {
    const line = this.#line(token, this.#isSecure(request))
    putCookie(reply, line, previous)
    if (!reply.raw.headersSent) copyToRaw(reply, previous)
    return line
  }

  #line(token: string | undefined, isSecure: boolean): string {
    if (token === undefined) return this.#writer.clear(isSecure)
    const { now, maxAge } = this.#settings
    return this.#writer.set(this.#codec.encode(token, now()), isSecure, maxAge)
  }

  #isSecure(request: FastifyRequest): boolean {
    const { secure } = this.#settings.attributes
    return secure === 'auto' ? request.protocol === 'https' : secure
  }
}
