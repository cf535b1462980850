import type { FastifyRequest } from 'fastify'
import type { CookieWriter, ResolvedAttributes, SerializeCookie } from '../cookie.ts'
import { createCookieWriter, findCookie } from '../cookie.ts'

/** The cookie of a remembered login. */
export class RememberCookie {
  readonly #name: string
  readonly #maxAge: number
  readonly #secure: boolean | 'auto'
  readonly #writer: CookieWriter

  /** `maxAge`: seconds. */
  constructor(name: string, attributes: ResolvedAttributes, maxAge: number, serialize: SerializeCookie) {
    this.#name = name
    this.#maxAge = maxAge
    this.#secure = attributes.secure
    this.#writer = createCookieWriter(name, attributes, serialize)
  }

  read(request: FastifyRequest): string | undefined {
    return findCookie(request.raw.headers.cookie ?? '', this.#name, 0)?.text
  }

  /** A Set-Cookie line; without a value, the one that makes the browser forget it. */
  line(request: FastifyRequest, value: string | undefined): string {
    const secure = this.#secure === 'auto' ? request.protocol === 'https' : this.#secure
    return value === undefined ? this.#writer.clear(secure) : this.#writer.set(value, secure, this.#maxAge)
  }
}
