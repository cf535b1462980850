import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ResolvedAttributes } from '../cookie/attributes.ts'
import { sameSiteFor } from '../cookie/attributes.ts'
import { putCookie } from '../cookie/headers.ts'
import { findCookie } from '../cookie/read.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import type { CookieWriter } from '../cookie/write.ts'
import { createCookieWriter } from '../cookie/write.ts'
import type { Proof, ProofFormat } from '../format/proof.ts'

/** Browsers send one or two cookies of one name. More of them are not tried. */
const MAX_CANDIDATES = 3

/** How far the clock of another server may be ahead, in seconds. */
const CLOCK_SKEW = 60

/** The longest time that a cookie takes from its browser to here, in seconds, as a part of its life. */
const MAX_LATENCY = 10
const LATENCY_PART = 0.1

/** The cookie that says until when a browser is believed to be the device to which a session is bound. */
export class ShortCookie {
  readonly name: string
  /** As the browser compares them: without those that say when the cookie ends, and those that are hints only. */
  readonly attributes: string
  readonly #format: ProofFormat
  readonly #lifetime: number
  /** Seconds that a request takes at most from its browser to here. */
  readonly latency: number
  readonly #start: string
  /**
   * Whether the cookie has the key, too. Without a store, the cookie of a session that a slower reply sends may say nothing of the
   * device, and then this one tells.
   */
  readonly hasKey: boolean
  readonly #writer: CookieWriter

  /** `attributes`: those of the cookie of the session. `lifetime`: in seconds. */
  constructor(
    name: string,
    { priority: _, ...attributes }: ResolvedAttributes,
    format: ProofFormat,
    lifetime: number,
    hasKey: boolean,
    serialize: SerializeCookie
  ) {
    this.hasKey = hasKey
    this.name = name
    this.#start = `${name}=`
    this.#format = format
    this.#lifetime = lifetime
    this.latency = Math.min(MAX_LATENCY, Math.ceil(lifetime * LATENCY_PART))
    this.#writer = createCookieWriter(name, attributes, serialize)
    const line = serialize(name, '', { ...attributes, secure: true, sameSite: sameSiteFor(attributes, true) })
    this.attributes = line.slice(`${name}=; `.length)
  }

  /** Whether a request has the cookie, good or not. */
  isSent(request: FastifyRequest): boolean {
    return request.raw.headers.cookie?.includes(this.#start) === true
  }

  /** Returns what the cookies of a Cookie header prove of the session with an id; undefined for nothing that is still good. */
  read(cookies: string, id: string, now: number): Proof | undefined {
    let cookie = findCookie(cookies, this.name, 0)
    for (let tried = 0; cookie !== undefined && tried < MAX_CANDIDATES; tried++) {
      const proof = this.#format.decode(cookie.text, id)
      if (proof !== undefined && now <= proof.expiresAt && proof.provedAt <= now + CLOCK_SKEW) return proof
      cookie = findCookie(cookies, this.name, cookie.end)
    }
    return undefined
  }

  /** The browser has proved at `now` that it has the key of the session with an id. */
  set(reply: FastifyReply, id: string, key: string, now: number): void {
    const expiresAt = now + this.#lifetime + this.latency
    const value = this.#format.encode({ provedAt: now, expiresAt, key: this.hasKey ? key : '' }, id)
    putCookie(reply, this.#writer.set(value, true, this.#lifetime), undefined)
  }

  clear(reply: FastifyReply): void {
    putCookie(reply, this.#writer.clear(true), undefined)
  }
}
