import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Login, LoginCallOptions, User } from '../../types/login.ts'
import type { MaybePromise } from '../../types/store.ts'
import { ImpersonationError, InvalidValueError, impersonatingError, LoginRequiredError, tokenError } from '../errors.ts'
import { crossSiteError } from '../guard/same-origin-only.ts'
import { chain } from '../util/maybe-async.ts'
import { Authorization } from './authorization.ts'
import { CurrentUser } from './current-user.ts'
import type { Kit } from './kit.ts'
import { resolveLoginCall } from './login-call.ts'
import type { LoginMembers, LoginState } from './login-state.ts'
import { rehash } from './rehash.ts'
import { Visitor } from './visitor.ts'

/** What begins, changes and ends the login of one request. */
export class Account {
  readonly #kit: Kit
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #visitor: Visitor
  /** What the Authorization header says. */
  readonly authorization: Authorization
  readonly current: CurrentUser

  constructor(kit: Kit, request: FastifyRequest, reply: FastifyReply) {
    this.#kit = kit
    this.#request = request
    this.#reply = reply
    this.#visitor = new Visitor(kit, request, reply)
    this.authorization = new Authorization(kit, request)
    this.current = new CurrentUser(kit, request, reply, this.#visitor, this.authorization)
  }

  async login(user: User, options: LoginCallOptions = {}): Promise<void> {
    const method = this.#method('login')
    const { isRemembered, isFresh, isCrossSite, keep } = resolveLoginCall(
      options,
      this.#kit.remember !== undefined,
      method
    )
    const { settings } = this.#kit
    const { session, browser } = this.#visitor
    await this.#assertInPerson('login')
    if (!isCrossSite) this.#assertSameOrigin()
    session.assertSaved(method)
    session.assertNotDestroyed(method)
    const id = settings.idOf(user)
    const login: LoginMembers = { id, hash: settings.hashOf(user), at: isFresh ? settings.now() : undefined }
    await this.current.change(async () => {
      await session.verify()
      // The session is replaced, and stays until then: see `Succession`.
      await browser?.forget(session.login, this.#kit.sessions.keyOf(session.id))
      await this.#start(user, login, keep)
      if (isRemembered) await this.#remember(login)
    })
    this.#visitor.publish('login', id)
  }

  async confirmLogin(): Promise<void> {
    await this.#assertInPerson('confirmLogin')
    this.#assertSameOrigin()
    const found = await this.current.load()
    await this.current.change(async () => {
      // Not before: a logout may have come first.
      const [user, login] = this.#require(found, 'confirmLogin')
      await this.#start(user, { ...login, at: this.#kit.settings.now() })
      await this.#visitor.session.commit()
    })
    this.#visitor.publish('login', this.current.userId)
  }

  async logout(): Promise<void> {
    await this.#assertSession('logout')
    this.#assertSameOrigin()
    this.#visitor.session.assertSaved(this.#method('logout'))
    await this.current.change(async () => {
      await this.#visitor.end('logout', this.#visitor.session.login?.id)
      this.current.keep(null)
    })
    if (this.#kit.settings.clearSiteData) this.#reply.header('clear-site-data', '"cache", "storage"')
  }

  /** The session is about to be destroyed: its browser is not to be logged in again. */
  async leave(): Promise<void> {
    if (this.authorization.hasDecided) return
    const { login } = this.#visitor.session
    this.current.keep(null)
    await this.current.change(async () => this.#visitor.browser?.forget(login))
  }

  async logoutOthers(): Promise<number> {
    await this.#assertInPerson('logoutOthers')
    const [, { id }] = this.#require(await this.current.load(), 'logoutOthers')
    return this.#kit.sessions.revokeAll(id, { except: this.#visitor.session.id })
  }

  /** Lets the user who is logged in act as another one. */
  async impersonate(user: User): Promise<void> {
    const method = this.#method('impersonate')
    await this.#assertInPerson('impersonate')
    this.#assertSameOrigin()
    const { settings } = this.#kit
    const { session, impersonation } = this.#visitor
    const found = await this.current.load()
    const id = settings.idOf(user)
    const subject = await settings.loadUser(id, this.#request)
    if (subject === null) {
      throw new InvalidValueError(`${method} takes a user whom the option loadUser of the login kit knows.`)
    }
    await this.current.change(async () => {
      await session.verify()
      const [impersonator, login] = this.#require(found, 'impersonate')
      // Another request may have begun one meanwhile.
      if (impersonation.acting !== undefined) throw impersonatingError(method)
      if (login.id === id) throw new ImpersonationError(`${method} takes another user than the one who is logged in.`)
      await impersonation.begin(login.id, id, settings.hashOf(subject))
      await session.commit()
      this.current.note({ user: subject, impersonator, isWithoutSession: false })
    })
    this.#visitor.publish('impersonation', id, this.current.impersonatorId)
  }

  /** Makes the session that of the impersonator again. */
  async stopImpersonating(): Promise<void> {
    await this.#assertSession('stopImpersonating')
    this.#assertSameOrigin()
    const { session, impersonation } = this.#visitor
    await this.current.load()
    const ended = await this.current.change(async () => {
      await session.verify()
      const { acting } = impersonation
      const { impersonator } = this.current
      if (acting === undefined || impersonator === null) return undefined
      await impersonation.end()
      await session.commit()
      this.current.keep(impersonator)
      return acting
    })
    if (ended !== undefined) this.#visitor.publish('impersonation-ended', ended.id, ended.by)
  }

  /** The user has a new hash of the same password. */
  async rehashed(user: User): Promise<void> {
    await this.#assertInPerson('rehashed')
    const { settings, sessions } = this.#kit
    const { session } = this.#visitor
    const [id, to] = [settings.idOf(user), settings.hashOf(user)]
    // Does not load the user: the new hash would end the login.
    if (!this.current.isLoaded || this.current.user === null || this.current.userId !== id) {
      throw new LoginRequiredError(
        `${this.#method('rehashed')} takes the user who is logged in. Call it after ${this.#method('login')}, or where request.${settings.userDecorator} is loaded.`
      )
    }
    await this.current.change(async () => {
      const { login } = session
      if (login?.hash === undefined || to === undefined || login.hash === to) return
      session.write({ ...login, hash: to })
      this.current.keep(user)
      if (sessions.store === undefined) return
      await rehash(sessions.store, id, { from: login.hash, to }, sessions.keyOf(session.id))
    })
  }

  /** A request with a token has no session, and so no login that could begin or end. */
  #assertSession(method: keyof Login): MaybePromise<void> {
    return this.authorization.mayDecide ? this.#refuseToken(method) : undefined
  }

  async #refuseToken(method: keyof Login): Promise<void> {
    if (await this.authorization.decides()) throw tokenError(this.#method(method))
  }

  /** The same for what an impersonator must not do: to become the user, or to change the logins of either. */
  #assertInPerson(method: keyof Login): MaybePromise<void> {
    return chain(this.#assertSession(method), () =>
      this.current.impersonatorId === undefined ? undefined : this.#refuseImpersonator(method)
    )
  }

  /** One who was left alone for too long is none any more. */
  async #refuseImpersonator(method: keyof Login): Promise<void> {
    await this.current.load()
    if (this.current.impersonatorId !== undefined) throw impersonatingError(this.#method(method))
  }

  /** Other sites must not log in or out (OWASP ASVS 3.5.1). */
  #assertSameOrigin(): void {
    const error = crossSiteError(this.#request, this.#kit.settings.allowSameSite)
    if (error !== undefined) throw error
  }

  async #start(user: User, login: LoginMembers, keep?: readonly string[]): Promise<void> {
    await this.#visitor.session.start(login, keep)
    this.current.keep(user)
  }

  /**
   * Saves the session first: a user whom `maxPerOwner` refuses a session is not remembered. Saves it again with the series,
   * before the token is sent: if the session was revoked in between, the browser never gets the token.
   */
  async #remember(login: LoginMembers): Promise<void> {
    const { session, browser } = this.#visitor
    await session.commit()
    const begun = await browser?.begin(login.id, login.hash, session.boundClient)
    session.write({ ...login, series: begun?.series, since: begun?.since })
    await session.commit()
    browser?.send(begun?.token)
  }

  /** Another user may have logged in since `user` was loaded. */
  #require(user: User | null, method: keyof Login): [user: User, login: LoginState] {
    const { login } = this.#visitor.session
    if (user !== null && login?.id === this.#kit.settings.idOf(user)) return [user, login]
    throw new LoginRequiredError(`${this.#method(method)} needs a user who is logged in.`)
  }

  /** How the application calls a method, for messages. */
  #method(name: keyof Login): string {
    return `${this.#kit.settings.accessor}.${name}()`
  }
}
