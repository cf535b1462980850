import type { FastifyRequest } from 'fastify'
import { ACTING, LOGIN, NEXT, SENT } from '../data/own-keys.ts'
import { SchemaError } from '../errors.ts'
import { requestSession } from '../request/get-session.ts'
import { routePolicy } from '../request/route-config.ts'
import { RequestSession } from '../request/session.ts'
import type { Acting } from './acting.ts'
import { isLeftAlone, isNoteDue, readActing } from './acting.ts'
import type { ActingMac } from './acting-mac.ts'
import type { LoginSession } from './login-session.ts'
import type { LoginSettings } from './options.ts'

/**
 * The impersonation in the session of a request. The session stays that of the impersonator: its owner, its age and its login. Its
 * data do not: what belongs to one of the two users must not count for the other.
 */
export class Impersonation {
  readonly #settings: LoginSettings
  readonly #request: FastifyRequest
  readonly #session: LoginSession
  readonly #macs: ActingMac

  constructor(settings: LoginSettings, request: FastifyRequest, session: LoginSession, macs: ActingMac) {
    this.#settings = settings
    this.#request = request
    this.#session = session
    this.#macs = macs
  }

  /** Undefined if the user acts as nobody else. */
  get acting(): Acting | undefined {
    const { login } = this.#session
    return login === undefined ? undefined : readActing(this.#data, login, this.#macs)
  }

  /** Whether it was left alone for too long. */
  isOver(acting: Acting): boolean {
    return isLeftAlone(acting, this.#settings.impersonationIdleTimeout, this.#settings.now())
  }

  /** Lets the user who is logged in act as another one. The session gets a new id (OWASP ASVS 7.2.4). */
  async begin(by: string, id: string, hash: string | undefined): Promise<void> {
    const session = this.#data
    const kept = Object.entries(session.data()).filter(([key]) => !this.#isOfLogin(key))
    this.#empty()
    this.#write({ id, by, seenAt: this.#settings.now(), kept: Object.fromEntries(kept), ...(hash && { hash }) })
    await session.renew()
  }

  /** Makes the session that of the impersonator again, under a new id. */
  async end(): Promise<void> {
    const session = this.#data
    const { acting } = this
    this.#empty()
    for (const [key, value] of Object.entries(this.#fitting(acting?.kept ?? {}))) session.set(key, value)
    await session.renew()
  }

  /** Notes that the impersonation was used, unless the route says that its requests are no activity. */
  note(acting: Acting): void {
    const now = this.#settings.now()
    const isDue = isNoteDue(acting, this.#settings.impersonationIdleTimeout, now)
    if (isDue && routePolicy(this.#request).touch) this.#write({ ...acting, seenAt: now })
  }

  #write(acting: Omit<Acting, 'mac'>): void {
    this.#data.set(ACTING, { ...acting, mac: this.#macs.of(acting) })
  }

  /** A deploy may have changed the schema since. An impersonation must end all the same. */
  #fitting(kept: Acting['kept']): Acting['kept'] {
    try {
      RequestSession.actionsOf(this.#data).schema?.assert(kept)
      return kept
    } catch (error) {
      if (error instanceof SchemaError) return {}
      throw error
    }
  }

  #empty(): void {
    for (const key of Object.keys(this.#data)) if (key !== LOGIN) this.#data.delete(key)
  }

  /** What is not kept for later: the login itself, and what a login removes. */
  #isOfLogin(key: string): boolean {
    return [LOGIN, ACTING, NEXT, SENT, this.#settings.csrfKey].includes(key)
  }

  get #data(): RequestSession {
    return requestSession(this.#request, this.#settings.decorator)
  }
}
