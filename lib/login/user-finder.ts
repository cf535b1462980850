import type { FastifyRequest } from 'fastify'
import type { LoginEventType, User } from '../../types/login.ts'
import type { Acting } from './acting.ts'
import type { Authorization } from './authorization.ts'
import type { Kit } from './kit.ts'
import type { LoginState } from './login-state.ts'
import type { Remembered } from './remember-tokens.ts'
import type { RememberedBrowser } from './remembered-browser.ts'
import type { Visitor } from './visitor.ts'

/** Who is logged in. */
export interface Found {
  readonly user: User | null
  /**
   * Whether the user counts without a login in the session of this request: by a token, or remembered in a session that other
   * requests have begun meanwhile.
   */
  readonly isWithoutSession: boolean
  /** Who acts as this user; absent if nobody does. */
  readonly impersonator?: User
}

/** Changes the session as the loaded user requires, and returns who is logged in afterwards. */
export type Conclude = () => Found | Promise<Found>

const NOBODY: Found = { user: null, isWithoutSession: false }

/** Finds out who is logged in: by a token, by the session, or by what the browser is remembered by. */
export class UserFinder {
  readonly #kit: Kit
  readonly #request: FastifyRequest
  readonly #visitor: Visitor
  readonly #authorization: Authorization
  /** The handle of the session in which this request has ended an impersonation. */
  #left: string | undefined

  constructor(kit: Kit, request: FastifyRequest, visitor: Visitor, authorization: Authorization) {
    this.#kit = kit
    this.#request = request
    this.#visitor = visitor
    this.#authorization = authorization
  }

  /** Whether this request has ended an impersonation: it was sent by an impersonator. */
  get hasEndedImpersonation(): boolean {
    return this.#left !== undefined
  }

  /**
   * Looks for the user, and changes nothing before `Conclude` is called: the functions of the application may log in or out in
   * the meantime.
   */
  async find(): Promise<Conclude> {
    const user = await this.#authorization.take()
    if (user !== undefined) return () => ({ user, isWithoutSession: true })
    const { session, browser } = this.#visitor
    const { login } = session
    if (this.#left !== undefined && this.#left === session.id) return () => NOBODY
    if (login !== undefined) return this.#findLoggedIn(login)
    // A token is replaced when it is used, and the browser would not get the next one.
    return browser === undefined || browser.isAnswered ? () => NOBODY : this.#findRemembered(browser)
  }

  async #findLoggedIn(login: LoginState): Promise<Conclude> {
    const { loadUser, protection } = this.#kit.settings
    const { session } = this.#visitor
    const isFromOtherClient = session.isFromOtherClient(login)
    if (isFromOtherClient && protection === 'strong') return () => this.#end('protected', login.id)
    if (session.isOver(login)) return () => this.#end('ended', login.id)
    const user = await loadUser(login.id, this.#request)
    if (!this.#isValid(user, login.hash)) return () => this.#end('ended', login.id)
    const { acting } = this.#visitor.impersonation
    const find = acting && (await this.#findSubject(acting, user))
    return () => {
      if (isFromOtherClient && login.at !== undefined) {
        session.write({ ...login, at: undefined })
        this.#visitor.publish('protected', login.id)
      }
      return find === undefined ? { user, isWithoutSession: false } : find()
    }
  }

  /** Finds the user as whom the impersonator acts. */
  async #findSubject(acting: Acting, impersonator: User): Promise<Conclude> {
    const { impersonation } = this.#visitor
    const user = impersonation.isOver(acting) ? null : await this.#kit.settings.loadUser(acting.id, this.#request)
    if (!this.#isValid(user, acting.hash)) return () => this.#endImpersonation(acting)
    return () => {
      impersonation.note(acting)
      return { user, impersonator, isWithoutSession: false }
    }
  }

  /**
   * The session is that of the impersonator again, but this request is nobody's: it was meant for the user, and must not change
   * something of the impersonator.
   */
  async #endImpersonation(acting: Acting): Promise<Found> {
    const { session, impersonation } = this.#visitor
    await impersonation.end()
    this.#left = session.id
    this.#visitor.publish('impersonation-ended', acting.id, acting.by)
    return NOBODY
  }

  async #findRemembered(browser: RememberedBrowser): Promise<Conclude> {
    const { loadUser, protection } = this.#kit.settings
    const found = await browser.find()
    // A copy of the cookie must not get around the protection of the session. It ends the series: otherwise a thief could try
    // from one address after another.
    const isCopy = found !== undefined && protection === 'strong' && this.#visitor.session.isFromOtherClient(found)
    if (found !== undefined && !isCopy) {
      const user = await loadUser(found.userId, this.#request)
      if (this.#isValid(user, found.hash)) return () => this.#resume(browser, user, found)
    }
    return async () => {
      await browser.forget(undefined)
      if (found !== undefined) this.#visitor.publish(isCopy ? 'protected' : 'ended', found.userId)
      return NOBODY
    }
  }

  /** Goes on in the session of a remembered user, which the first of parallel requests begins. */
  async #resume(browser: RememberedBrowser, user: User, remembered: Remembered): Promise<Found> {
    const { session } = this.#visitor
    const { userId: id, hash, key: series, since, token } = remembered
    const rotation = await browser.rotate(token, (sessionId) => session.begin(sessionId, { id, hash, series, since }))
    // The series has ended in the meantime.
    if (rotation === undefined) return this.#leave()
    const isOpen = await session.adopt(rotation.sessionId, id)
    // The session has ended or has a new id. The login goes on without it, unless the series has ended as well.
    if (!isOpen && !(await browser.isRemembered(series))) return this.#leave()
    if (rotation.isFirst) this.#visitor.publish('remembered', id)
    return { user, isWithoutSession: !isOpen }
  }

  #isValid(user: User | null, hash: string | undefined): user is User {
    return user !== null && this.#kit.settings.hashOf(user) === hash
  }

  async #leave(): Promise<Found> {
    await this.#visitor.leave()
    return NOBODY
  }

  async #end(type: LoginEventType, userId: string): Promise<Found> {
    await this.#visitor.end(type, userId)
    return NOBODY
  }
}
