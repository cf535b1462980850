import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ResolvedAttributes } from '../cookie/attributes.ts'
import { isSecure } from '../cookie/attributes.ts'
import { guardCookie } from '../cookie/guard-cookie.ts'
import { copyToRaw, putCookie } from '../cookie/headers.ts'
import { cookiesNamed } from '../cookie/read.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import type { CookieWriter } from '../cookie/write.ts'
import { createCookieWriter } from '../cookie/write.ts'
import { PlainHttpWarnings } from '../diagnostics/plain-http-warnings.ts'
import { warnOfSharing } from '../diagnostics/shared-reply.ts'
import type { ReferenceFormat } from '../format/reference.ts'

/** Durations in seconds. */
export interface RememberCookieSettings {
  readonly cookieName: string
  readonly attributes: ResolvedAttributes
  readonly maxAge: number
  readonly now: () => number
}

/** Browsers send a few cookies of one name. Hundreds, each to be verified, are an attack. */
const MAX_CANDIDATES = 8

/** Each token may cost calls of the store. A browser sends several if cookies were set for different paths or domains. */
const MAX_TOKENS = 4

/** The cookie of a remembered login. It holds a signed token: a forged one costs no call of the store. */
export class RememberCookie {
  readonly #settings: RememberCookieSettings
  readonly #format: ReferenceFormat
  readonly #writer: CookieWriter
  readonly #warnings: PlainHttpWarnings

  constructor(settings: RememberCookieSettings, format: ReferenceFormat, serialize: SerializeCookie) {
    this.#settings = settings
    this.#format = format
    this.#writer = createCookieWriter(settings.cookieName, settings.attributes, serialize)
    this.#warnings = new PlainHttpWarnings(settings.cookieName)
  }

  /** Returns the tokens that the browser sent, without those that have a wrong signature: at most four, of the first eight. */
  read(request: FastifyRequest): string[] {
    const tokens: string[] = []
    let candidates = 0
    for (const value of cookiesNamed(request.raw.headers.cookie ?? '', this.#settings.cookieName)) {
      if (this.#format.verify(value) === undefined) tokens.push(this.#format.idOf(value))
      if (tokens.length === MAX_TOKENS || ++candidates === MAX_CANDIDATES) break
    }
    return tokens
  }

  /**
   * Adds the cookie to the reply and returns its Set-Cookie line. Clears the cookie if there is no token. `previous`: the line
   * that this one replaces. Also writes to the raw response, for a reply that is hijacked.
   */
  write(request: FastifyRequest, reply: FastifyReply, token: string | undefined, previous: string | undefined): string {
    const { attributes } = this.#settings
    if (token !== undefined) this.#warnings.check(request, attributes)
    const line = this.#line(token, isSecure(attributes.secure, request.protocol))
    putCookie(reply, line, previous)
    if (!reply.raw.headersSent) {
      copyToRaw(reply, previous)
      guardCookie(
        reply,
        () => ({ line, onWithheld: undefined }),
        () => warnOfSharing(request, this.#settings.cookieName)
      )
    }
    return line
  }

  #line(token: string | undefined, isSecure: boolean): string {
    if (token === undefined) return this.#writer.clear(isSecure)
    const { now, maxAge } = this.#settings
    return this.#writer.set(this.#format.encode(token, now()), isSecure, maxAge)
  }
}
