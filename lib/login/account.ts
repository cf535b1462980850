import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LoadUserOptions, Login, LoginCallOptions, User } from '../../types/login.ts'
import type { MaybePromise } from '../../types/store.ts'
import {
  ImpersonationError,
  InvalidValueError,
  impersonatingError,
  LoginRequiredError,
  NotLoadedError,
  StoreUnavailableError,
  tokenError
} from '../errors.ts'
import { crossSiteError } from '../guard/same-origin-only.ts'
import { routePolicy } from '../request/route-config.ts'
import { assertKnown, isBoolean, readOption } from '../util/check.ts'
import { KeyedQueue } from '../util/keyed-queue.ts'
import { chain } from '../util/maybe-async.ts'
import { Authorization } from './authorization.ts'
import type { Kit } from './kit.ts'
import { resolveLoginCall } from './login-call.ts'
import type { LoginMembers, LoginState } from './login-state.ts'
import { rehash } from './rehash.ts'
import type { Found } from './user-finder.ts'
import { UserFinder } from './user-finder.ts'
import { Visitor } from './visitor.ts'

/** Milliseconds by which the clock of a socket may be ahead of that of a request. */
const TIMER_SLACK = 100

/**
 * The user of one request. The user is loaded when somebody asks for the first time, and changes with login and logout. Changes
 * to the session run one after another. The functions of the application, such as `loadUser`, run outside of them, because they
 * may log in or out themselves.
 */
export class Account {
  readonly #kit: Kit
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #visitor: Visitor
  /** What the Authorization header says. */
  readonly authorization: Authorization
  readonly #finder: UserFinder
  /** Undefined until the user is loaded. */
  #found: Found | undefined
  /** When the user was loaded, or logged in. */
  #foundAt = 0
  #search: Promise<User | null> | undefined
  /** Changes of the session wait for each other. */
  readonly #changes: KeyedQueue = new KeyedQueue()
  /** Whether the route is served although the user could not be loaded. */
  #isUnknown = false

  constructor(kit: Kit, request: FastifyRequest, reply: FastifyReply) {
    this.#kit = kit
    this.#request = request
    this.#reply = reply
    this.#visitor = new Visitor(kit, request, reply)
    this.authorization = new Authorization(kit, request)
    this.#finder = new UserFinder(kit, request, this.#visitor, this.authorization)
  }

  /**
   * In preHandler hooks and the handler, which decide by it, throws `NotLoadedError` if there may be a user who is not loaded.
   * Elsewhere that is null: a log, a rate limit or an error handler may look, and must not break the request.
   */
  get user(): User | null {
    if (this.#found !== undefined) return this.#hasLogin ? this.#found.user : null
    if (this.#isUnknown || !this.#mayBeLoggedIn || this.#isOver) return null
    if (!this.#kit.isHandling(this.#request)) {
      this.#kit.warnOfHaste(this.#request)
      return null
    }
    throw new NotLoadedError(
      `request.${this.#kit.settings.userDecorator} has not been loaded. Guard the route with loginRequired(), or await ${this.#method('loadUser')} first.`
    )
  }

  /** Who acts as the user; null if nobody does. Throws as `user` does. */
  get impersonator(): User | null {
    return this.user === null ? null : (this.#found?.impersonator ?? null)
  }

  /** The id of whoever acts as the user that the session names. */
  get impersonatorId(): string | undefined {
    return this.#visitor.impersonation.acting?.by
  }

  /** Whether an impersonator has sent the request, also one who is none any more. Load the user first. */
  get isOfImpersonator(): boolean {
    return this.impersonator !== null || this.#finder.hasEndedImpersonation
  }

  /** The id of the user that the session names, or a token that was read already. Does not load the user. */
  get userId(): string | undefined {
    const { session, impersonation } = this.#visitor
    return this.authorization.userId ?? impersonation.acting?.id ?? session.login?.id
  }

  /** When the user last proved their identity in this session. */
  get authenticatedAt(): Date | null {
    // An impersonator has proved who they are, and not that they are the user.
    const isOwn = this.user !== null && this.impersonator === null
    const at = isOwn ? this.#visitor.session.login?.at : undefined
    return at === undefined ? null : new Date(at * 1000)
  }

  /** All calls share one load. A call after a failed load tries again. */
  load(): Promise<User | null> {
    return this.#found === undefined ? this.#find() : Promise.resolve(this.user)
  }

  /** Like `load`, but a user who was loaded `freshness` seconds ago is loaded again: for guards, which verify the session. */
  loadAnew(): Promise<User | null> {
    const isOld = this.#kit.settings.now() - this.#foundAt >= this.#kit.freshness
    return isOld || !this.#hasLogin ? this.#find() : this.load()
  }

  /** Returns who is logged in now: the session and the user are loaded again, however long ago the request began. */
  async loadFresh(): Promise<User | null> {
    // One that began before this call may not know what is true now.
    await this.#search?.catch(() => null)
    await this.#change(async () => this.#visitor.session.verify())
    return this.#find()
  }

  /** Returns null if the store is not available and the route allows that. Guards must not use it. */
  async loadIfPossible(options: LoadUserOptions = {}): Promise<User | null> {
    assertKnown(options, ['fresh'], this.#method('loadUser'))
    const isFresh = readOption(options.fresh, false, 'fresh', 'true or false', isBoolean)
    try {
      return await (isFresh ? this.loadFresh() : this.load())
    } catch (error) {
      if (!(error instanceof StoreUnavailableError && routePolicy(this.#request).anonymousOnStoreError)) throw error
      this.#found = undefined
      this.#isUnknown = true
      this.#request.log.error(
        { err: error },
        "The session store is not available. The route has `onStoreError: 'anonymous'`, so it is served as if nobody were logged in."
      )
      return null
    }
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
    await this.#change(async () => {
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
    const found = await this.load()
    await this.#change(async () => {
      // Not before: a logout may have come first.
      const [user, login] = this.#require(found, 'confirmLogin')
      await this.#start(user, { ...login, at: this.#kit.settings.now() })
      await this.#visitor.session.commit()
    })
    this.#visitor.publish('login', this.userId)
  }

  async logout(): Promise<void> {
    await this.#assertSession('logout')
    this.#assertSameOrigin()
    this.#visitor.session.assertSaved(this.#method('logout'))
    await this.#change(async () => {
      await this.#visitor.end('logout', this.#visitor.session.login?.id)
      this.#keep(null)
    })
    if (this.#kit.settings.clearSiteData) this.#reply.header('clear-site-data', '"cache", "storage"')
  }

  /** The session is about to be destroyed: its browser is not to be logged in again. */
  async leave(): Promise<void> {
    if (this.authorization.hasDecided) return
    const { login } = this.#visitor.session
    this.#keep(null)
    await this.#change(async () => this.#visitor.browser?.forget(login))
  }

  async logoutOthers(): Promise<number> {
    await this.#assertInPerson('logoutOthers')
    const [, { id }] = this.#require(await this.load(), 'logoutOthers')
    return this.#kit.sessions.revokeAll(id, { except: this.#visitor.session.id })
  }

  /** Lets the user who is logged in act as another one. */
  async impersonate(user: User): Promise<void> {
    const method = this.#method('impersonate')
    await this.#assertInPerson('impersonate')
    this.#assertSameOrigin()
    const { settings } = this.#kit
    const { session, impersonation } = this.#visitor
    const found = await this.load()
    const id = settings.idOf(user)
    const subject = await settings.loadUser(id, this.#request)
    if (subject === null) {
      throw new InvalidValueError(`${method} takes a user whom the option loadUser of the login kit knows.`)
    }
    await this.#change(async () => {
      await session.verify()
      const [impersonator, login] = this.#require(found, 'impersonate')
      // Another request may have begun one meanwhile.
      if (impersonation.acting !== undefined) throw impersonatingError(method)
      if (login.id === id) throw new ImpersonationError(`${method} takes another user than the one who is logged in.`)
      await impersonation.begin(login.id, id, settings.hashOf(subject))
      await session.commit()
      this.#note({ user: subject, impersonator, isWithoutSession: false })
    })
    this.#visitor.publish('impersonation', id, this.impersonatorId)
  }

  /** Makes the session that of the impersonator again. */
  async stopImpersonating(): Promise<void> {
    await this.#assertSession('stopImpersonating')
    this.#assertSameOrigin()
    const { session, impersonation } = this.#visitor
    await this.load()
    const ended = await this.#change(async () => {
      await session.verify()
      const { acting } = impersonation
      const impersonator = this.#found?.impersonator
      if (acting === undefined || impersonator === undefined) return undefined
      await impersonation.end()
      await session.commit()
      this.#keep(impersonator)
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
    if (this.#found === undefined || this.user === null || this.userId !== id) {
      throw new LoginRequiredError(
        `${this.#method('rehashed')} takes the user who is logged in. Call it after ${this.#method('login')}, or where request.${settings.userDecorator} is loaded.`
      )
    }
    await this.#change(async () => {
      const { login } = session
      if (login?.hash === undefined || to === undefined || login.hash === to) return
      session.write({ ...login, hash: to })
      this.#keep(user)
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
      this.impersonatorId === undefined ? undefined : this.#refuseImpersonator(method)
    )
  }

  /** One who was left alone for too long is none any more. */
  async #refuseImpersonator(method: keyof Login): Promise<void> {
    await this.load()
    if (this.impersonatorId !== undefined) throw impersonatingError(this.#method(method))
  }

  /** Other sites must not log in or out (OWASP ASVS 3.5.1). */
  #assertSameOrigin(): void {
    const error = crossSiteError(this.#request, this.#kit.settings.allowSameSite)
    if (error !== undefined) throw error
  }

  /** All calls share one search. Until it has ended, the user is who was found before. */
  #find(): Promise<User | null> {
    const forget = (): void => {
      this.#search = undefined
    }
    if (this.#search === undefined) {
      this.#search = this.#findUser()
      this.#search.then(forget, forget)
    }
    return this.#search
  }

  async #findUser(): Promise<User | null> {
    const before = this.#found
    const conclude = await this.#finder.find()
    return this.#change(async () => {
      // A login or logout during the search has set the user already, and wins.
      if (this.#found === before) this.#note(await conclude())
      return this.user
    })
  }

  /** Whether the reply is sent, cannot be sent, or has come so late that onTimeout hooks run. */
  get #isOver(): boolean {
    const { raw, elapsedTime } = this.#reply
    const { timeout = 0 } = this.#request.raw.socket
    return raw.writableEnded || raw.destroyed || (timeout > 0 && elapsedTime >= timeout - TIMER_SLACK)
  }

  async #start(user: User, login: LoginMembers, keep?: readonly string[]): Promise<void> {
    await this.#visitor.session.start(login, keep)
    this.#keep(user)
  }

  get #mayBeLoggedIn(): boolean {
    return this.authorization.mayDecide || this.#visitor.mayBeLoggedIn
  }

  /** A user whose session has ended in this request is logged out. */
  get #hasLogin(): boolean {
    return this.#found?.isWithoutSession === true || this.#visitor.session.login !== undefined
  }

  #keep(user: User | null): void {
    this.#note({ user, isWithoutSession: false })
  }

  #note(found: Found): void {
    this.#found = found
    this.#foundAt = this.#kit.settings.now()
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

  /**
   * Runs a change of the session after the changes before it. Must not call functions of the application: one that logs out
   * would wait for itself.
   */
  #change<T>(run: () => Promise<T>): Promise<T> {
    return this.#changes.run('session', run)
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
