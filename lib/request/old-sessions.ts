import { createHmac } from 'node:crypto'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { FoundSession, GoneSession, ReaderContext, ReaderRefusal } from '../../types/session-reader.ts'
import type { Source } from '../adopt/sources.ts'
import { LONGEST_COOKIE } from '../cookie/attributes.ts'
import type { SerializeCookie } from '../cookie/serializer.ts'
import type { SessionKey } from '../crypto/keys.ts'
import { deriveKeys } from '../crypto/keys.ts'
import type { Trace } from '../diagnostics/trace.ts'
import { isSessionError, unavailableError } from '../errors.ts'
import type { Settings } from '../options.ts'
import type { AdoptionMarks } from '../owners/adoption-marks.ts'
import { Deadline } from '../stores/deadline.ts'
import { secondsOf } from '../transport/clock.ts'
import { isObject } from '../util/check.ts'
import { OldCookies } from './old-cookies.ts'

type Answer = FoundSession | GoneSession | ReaderRefusal

/** What an old session is called here: one digest for each secret, the newest first. */
export type Digests = readonly [Buffer, ...Buffer[]]

/** The sessions of other libraries in a request: read, ended, and barred from becoming sessions of ours again. */
export class OldSessions {
  readonly cookies: OldCookies
  readonly #marks: AdoptionMarks
  readonly #trace: Trace
  readonly #now: () => number
  readonly #keys: readonly SessionKey[]
  readonly #deadline: Deadline
  readonly #grace: number

  constructor(settings: Settings, marks: AdoptionMarks, serialize: SerializeCookie, trace: Trace) {
    const { adopt, cookieName, secrets, storeTimeout, renameGrace, clock } = settings
    this.cookies = new OldCookies(adopt, cookieName, serialize)
    this.#marks = marks
    this.#trace = trace
    this.#now = secondsOf(clock)
    this.#keys = deriveKeys(secrets, 'adopted')
    this.#grace = renameGrace
    this.#deadline = new Deadline(
      storeTimeout * 1000,
      `A reader of old sessions did not answer within ${storeTimeout} s.`
    )
  }

  /** Asks a reader. Rejects with `ERR_SESSION_STORE_UNAVAILABLE` if it fails or takes too long. */
  read({ reader }: Source, value: string, request: FastifyRequest): Promise<Answer> {
    const context: ReaderContext = { now: this.#now(), cookiesNamed: (name) => this.cookies.named(request, name) }
    const call = (async () => reader.read(value, context))()
    return this.#deadline.race(this.#deadline.begin(), call, isAnswer, (cause) =>
      isSessionError(cause) ? cause : unavailableError(cause)
    )
  }

  digestsOf({ reader }: Source, key: string): Digests {
    const digests = this.#keys.map(({ bytes }) =>
      createHmac('sha256', bytes).update(`${reader.cookieName} ${key}`).digest()
    )
    // There is at least one secret.
    return digests as readonly Buffer[] as Digests
  }

  /**
   * The last second in which an old session may begin one of ours. One without a record does not, except in requests that have read
   * it before: its cookie may be made up, so that nothing is remembered of it for long.
   */
  lastOf(found: FoundSession | GoneSession): number {
    const now = this.#now()
    if (found.data === undefined) return now + this.#grace
    return Math.min(found.expiresAt ?? Number.POSITIVE_INFINITY, now + LONGEST_COOKIE)
  }

  /** The session of the browser is over: no old cookie that it has may begin one again. `reply`: clears them. */
  async end(request: FastifyRequest, reply: FastifyReply | undefined): Promise<void> {
    for (const { source, values } of this.cookies.of(request)) {
      for (const value of values) {
        const found = await this.#barOne(source, value, request)
        if (found !== undefined && 'end' in found) await found.end?.()
      }
      if (reply !== undefined) this.cookies.clear(source, request, reply)
    }
  }

  /** The session has a new id, mostly for a login: old cookies stay for a roll-back, but they begin nothing here. */
  async bar(request: FastifyRequest): Promise<void> {
    try {
      for (const { source, values } of this.cookies.of(request)) {
        for (const value of values) await this.#barOne(source, value, request)
      }
    } catch (error) {
      this.#trace.notForgotten(request, error)
    }
  }

  /** A session of ours has taken the place of an old one, and goes on whatever becomes of that. */
  async remove(
    source: Source,
    found: FoundSession | GoneSession,
    request: FastifyRequest,
    reply: FastifyReply
  ): Promise<void> {
    this.cookies.clear(source, request, reply)
    try {
      if ('end' in found) await found.end?.()
    } catch (error) {
      this.#trace.notForgotten(request, error)
    }
  }

  async #barOne(
    source: Source,
    value: string,
    request: FastifyRequest
  ): Promise<FoundSession | GoneSession | undefined> {
    const found = await this.read(source, value, request)
    if (found === 'refused') return undefined
    await this.#marks.bar(this.digestsOf(source, found.key)[0], this.lastOf(found))
    return found
  }
}

function isAnswer(answer: unknown): boolean {
  const { key, data } = Object(answer) as Partial<FoundSession>
  return answer === 'refused' || (typeof key === 'string' && (data === undefined || isObject(data)))
}
