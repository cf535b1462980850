import type { FastifyReply, FastifyRequest } from 'fastify'
import type { EndReason } from '../../types/endings.ts'
import type { LoginEventType } from '../../types/login.ts'
import { Impersonation } from './impersonation.ts'
import type { Kit } from './kit.ts'
import { publish } from './login-events.ts'
import { LoginSession } from './login-session.ts'
import { RememberedBrowser } from './remembered-browser.ts'

/** Who has sent a request, as far as the session and the browser tell. */
export class Visitor {
  readonly session: LoginSession
  readonly impersonation: Impersonation
  /** Undefined if the kit does not remember logins, and if the session of a remembered user would not be saved. */
  readonly browser: RememberedBrowser | undefined
  readonly #request: FastifyRequest
  readonly #userDecorator: string

  constructor({ settings, remember, macs }: Kit, request: FastifyRequest, reply: FastifyReply) {
    this.session = new LoginSession(settings, request)
    this.impersonation = new Impersonation(settings, request, this.session, macs)
    this.#request = request
    this.#userDecorator = settings.userDecorator
    const onTheft = (userId: string): void => this.publish('theft', userId)
    const isRemembering = remember !== undefined && this.session.isSaved
    this.browser = isRemembering ? new RememberedBrowser(remember, request, reply, onTheft) : undefined
  }

  /** Whether somebody may be logged in. */
  get mayBeLoggedIn(): boolean {
    return this.session.login !== undefined || this.browser?.hasTokens === true
  }

  /** Ends the session, and what the browser is remembered by. */
  async leave(reason: EndReason = 'login-ended'): Promise<void> {
    await this.browser?.forget(this.session.login)
    await this.session.end(reason)
  }

  /** Leaves, and says why. `userId`: who was logged in. */
  async end(type: LoginEventType, userId: string | undefined): Promise<void> {
    const { acting } = this.impersonation
    await this.leave(type === 'logout' ? 'destroyed' : 'login-ended')
    if (acting !== undefined) this.publish('impersonation-ended', acting.id, acting.by)
    this.publish(type, userId)
  }

  publish(type: LoginEventType, userId: string | undefined, impersonatorId?: string): void {
    const userDecorator = this.#userDecorator
    publish({ type, request: this.#request, userDecorator, userId, impersonatorId, reason: undefined })
  }
}
