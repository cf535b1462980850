import type { FastifyRequest } from 'fastify'
import type { User } from '../../types/login.ts'
import { authorizationOf } from '../guard/token-gate.ts'
import type { Kit } from './kit.ts'

/** A user; null for a header that is not valid; undefined for one that is none of the application's business. */
type Answer = User | null | undefined

/** Schemes whose challenge can say that a token was refused (RFC 6750, section 3; RFC 9449, section 7.1). */
const WITH_ERROR = /^(bearer|dpop)\b/i

/**
 * What the Authorization header of a request says of its sender, as the option `authenticate` reads it. The first answer decides
 * for the whole request whether the header counts or the session does: they never mix.
 */
export class Authorization {
  readonly #kit: Kit
  readonly #request: FastifyRequest
  #hasDecided: boolean | undefined
  #answer: Promise<Answer> | undefined
  #askedAt = 0
  #userId: string | undefined

  constructor(kit: Kit, request: FastifyRequest) {
    this.#kit = kit
    this.#request = request
  }

  /** Whether the header says who sends the request, or may say so. */
  get mayDecide(): boolean {
    const isAsked = this.#kit.settings.authenticate !== undefined && authorizationOf(this.#request) !== undefined
    return isAsked && this.#hasDecided !== false
  }

  /** Whether the header says who sends the request, as far as that is known. */
  get hasDecided(): boolean {
    return this.#hasDecided === true
  }

  /** The id of the user whom the header names. */
  get userId(): string | undefined {
    return this.#userId
  }

  /** The WWW-Authenticate header of a 401. */
  get challenge(): string {
    const { challenge } = this.#kit.settings
    if (!this.hasDecided || !WITH_ERROR.test(challenge)) return challenge
    return `${challenge}${challenge.includes(' ') ? ',' : ''} error="invalid_token"`
  }

  /** Whether the header says who sends the request. */
  async decides(): Promise<boolean> {
    if (this.mayDecide && this.#hasDecided === undefined) await this.#ask()
    return this.hasDecided
  }

  /** Returns who sends the request; undefined if the session says so. Asks again, unless the answer is new and was not taken yet. */
  async take(): Promise<Answer> {
    if (!this.mayDecide) return undefined
    if (this.#kit.settings.now() - this.#askedAt > this.#kit.freshness) this.#answer = undefined
    const answer = await this.#ask()
    this.#answer = undefined
    return answer
  }

  /** Calls at the same time share one answer. A call after one that failed asks again. */
  #ask(): Promise<Answer> {
    if (this.#answer === undefined) {
      this.#askedAt = this.#kit.settings.now()
      this.#answer = this.#authenticate()
      this.#answer.catch(() => {
        this.#answer = undefined
      })
    }
    return this.#answer
  }

  async #authenticate(): Promise<Answer> {
    const { authenticate, idOf } = this.#kit.settings
    const user = await authenticate?.(this.#request)
    const userId = user ? idOf(user) : undefined
    if (this.#hasDecided === undefined) {
      this.#hasDecided = user !== undefined
      if (this.#hasDecided) this.#kit.setAside(this.#request)
    }
    if (!this.#hasDecided) return undefined
    this.#userId = userId
    // Once it has decided, it cannot leave it to the session, which this request has not any more.
    return user ?? null
  }
}
