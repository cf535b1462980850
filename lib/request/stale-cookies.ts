import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Settings } from '../options.ts'
import { secondsOf } from '../transport/clock.ts'
import { BoundedMap } from '../util/bounded-map.ts'
import { candidatesIn } from './candidates.ts'

/** Some 100 bytes each. The map holds between this many and twice as many. */
const RECENT_COOKIES = 2000

/** In milliseconds. The longer a request takes, the more likely its browser has got another cookie in the meantime. */
const LONG = 5000

/**
 * Decides which replies may clear a cookie whose session is gone. A browser keeps one cookie of a name and place, whatever its
 * value: a reply that clears an old one after another reply has set a new one would log its user out. So only the one request
 * under way with this cookie may, and only if no other has just got another cookie.
 */
export class StaleCookies {
  readonly #cookieName: string
  /** In seconds. 0 where no cookie gets stale, because each holds its session, and nothing ends early. */
  readonly #grace: number
  readonly #now: () => number
  readonly #values: WeakMap<FastifyRequest, string> = new WeakMap()
  readonly #underWay: Map<string, Set<FastifyRequest>> = new Map()
  /** Until when a cookie counts as one that the browser has replaced, under a hash: it may still open a session. */
  readonly #replaced: BoundedMap<{ readonly until: number }> = new BoundedMap(RECENT_COOKIES)

  constructor({ cookieName, store, revocations, renameGrace, clock }: Settings) {
    this.#cookieName = cookieName
    this.#grace = store === undefined && revocations === undefined ? 0 : renameGrace
    this.#now = secondsOf(clock)
  }

  /** A request has come whose cookie leads to nothing any more. */
  enter(request: FastifyRequest, reply: FastifyReply): void {
    const [value] = this.#valuesOf(request) as [string]
    const requests = this.#underWay.get(value) ?? new Set()
    this.#values.set(request, value)
    this.#underWay.set(value, requests.add(request))
    reply.raw.once('close', () => this.leave(request))
  }

  /** The request is not going to get another cookie. */
  leave(request: FastifyRequest): void {
    const value = this.#values.get(request) as string
    const requests = this.#underWay.get(value)
    if (requests?.delete(request) && requests.size === 0) this.#underWay.delete(value)
  }

  /** The browser gets another cookie in the place of those of the request, or none. */
  replace(request: FastifyRequest): void {
    if (this.#grace === 0) return
    const until = this.#now() + this.#grace
    for (const value of this.#valuesOf(request)) this.#replaced.set(digestOf(value), { until })
  }

  /**
   * Whether the reply to a request that has entered may clear its cookie. What a script fetches may overlap with a login that
   * another process handles; while a page loads, there is no other page that could log in.
   */
  mayClear(request: FastifyRequest, reply: FastifyReply): boolean {
    const value = this.#values.get(request) as string
    const mode = request.headers['sec-fetch-mode']
    if (this.#underWay.get(value)?.size !== 1 || reply.elapsedTime > LONG) return false
    if (mode !== undefined && mode !== 'navigate') return false
    return (this.#replaced.get(digestOf(value))?.until ?? 0) <= this.#now()
  }

  #valuesOf(request: FastifyRequest): readonly string[] {
    return candidatesIn(request.raw.headers.cookie ?? '', this.#cookieName).values
  }
}

function digestOf(value: string): string {
  return hash('sha256', value, 'base64url')
}
