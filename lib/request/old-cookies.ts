import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OldCookieName, Source } from '../adopt/sources.ts'
import { isSecure } from '../cookie/attributes.ts'
import { guardCookie } from '../cookie/guard-cookie.ts'
import { putCookie } from '../cookie/headers.ts'
import { cookiesNamed, findCookie } from '../cookie/read.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import { createCookieWriter } from '../cookie/write.ts'
import { warnOfSharing } from '../diagnostics/shared-reply.ts'

/** Browsers send a few cookies of one name. Hundreds, each to be read, are an attack. */
const MAX_CANDIDATES = 8

/** The cookies of other libraries in a request, and in its reply. */
export class OldCookies {
  readonly #sources: readonly Source[]
  readonly #cookieName: string
  readonly #serialize: SerializeCookie

  /** `cookieName`: of the session. */
  constructor(sources: readonly Source[], cookieName: string, serialize: SerializeCookie) {
    this.#sources = sources
    this.#cookieName = cookieName
    this.#serialize = serialize
  }

  /** Whether a request has a cookie for a reader, and none of the session. */
  areAlone({ raw }: FastifyRequest): boolean {
    const { cookie } = raw.headers
    if (cookie === undefined || findCookie(cookie, this.#cookieName, 0) !== undefined) return false
    return this.#sources.some(({ reader }) => findCookie(cookie, reader.cookieName, 0) !== undefined)
  }

  /** Returns each source with the values of its cookie, of those that a request has. */
  of(request: FastifyRequest): readonly { readonly source: Source; readonly values: readonly string[] }[] {
    return this.#sources
      .map((source) => ({ source, values: this.named(request, source.reader.cookieName) }))
      .filter(({ values }) => values.length > 0)
  }

  /** Returns the values of the cookies of a name. */
  named({ raw }: FastifyRequest, name: string): readonly string[] {
    return [...cookiesNamed(raw.headers.cookie ?? '', name)].slice(0, MAX_CANDIDATES)
  }

  /** Lets the reply make the browser forget the cookies of a source. No cache may keep it then: it would clear those of others. */
  clear({ cookies }: Source, request: FastifyRequest, reply: FastifyReply): void {
    if (reply.raw.headersSent) return
    for (const cookie of cookies) {
      const line = this.#clearing(cookie, request.protocol)
      putCookie(reply, line, undefined)
      guardCookie(
        reply,
        () => ({ line, onWithheld: undefined }),
        () => warnOfSharing(request, cookie.name)
      )
    }
  }

  #clearing({ name, attributes }: OldCookieName, protocol: string): string {
    return createCookieWriter(name, attributes, this.#serialize).clear(isSecure(attributes.secure, protocol))
  }
}
