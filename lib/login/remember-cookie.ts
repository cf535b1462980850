import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ResolvedAttributes } from '../cookie/attributes.ts'
import { copyToRaw, putCookie } from '../cookie/headers.ts'
import { cookiesNamed } from '../cookie/read.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import type { CookieWriter } from '../cookie/write.ts'
import { createCookieWriter } from '../cookie/write.ts'
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
    const tokens: string[] = []
    for (const value of cookiesNamed(request.raw.headers.cookie ?? '', this.#settings.cookieName)) {
      if (this.#codec.verify(value) === undefined) tokens.push(this.#codec.idOf(value))
      if (tokens.length === MAX_TOKENS) break
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
