import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LoginCallOptions, LoginEventType, User } from '../../types/login.ts'
import { InvalidValueError, LoginRequiredError, NotLoadedError, StoreUnavailableError } from '../errors.ts'
import { crossSiteError } from '../guard/same-origin-only.ts'
import type { OwnerSessions } from '../owners/sessions.ts'
import { routePolicy } from '../request/route-config.ts'
import { assertKnown, isBoolean, isString, readOption } from '../util/check.ts'
import { KeyedQueue } from '../util/keyed-queue.ts'
import { publish } from './login-events.ts'
import { LoginSession } from './login-session.ts'
import type { LoginMembers, LoginState } from './login-state.ts'
import type { LoginSettings } from './options.ts'
import type { Remembered } from './remember-tokens.ts'
import type { Remember } from './remembered-browser.ts'
import { RememberedBrowser } from './remembered-browser.ts'

/** What the accounts of an application share. */
export interface Kit {
  readonly settings: LoginSettings
  readonly sessions: OwnerSessions
  /** The option of the session: after so many seconds a guard loads the user again. */
  readonly freshness: number
  /** Undefined if the kit does not remember logins. */
  readonly remember: Remember | undefined
  /** Whether a request has reached its handler, and has not failed. */
  isHandling(request: FastifyRequest): boolean
  /** Warns that `request.user` was read too early, at most once. */
  warnOfHaste(request: FastifyRequest): void
}

/** Milliseconds by which the clock of a socket may be ahead of that of a request. */
const TIMER_SLACK = 100

const CALL_OPTIONS: readonly (keyof LoginCallOptions)[] = ['remember', 'fresh', 'keep', 'allowCrossSite']

const isKeys = (value: unknown): boolean => Array.isArray(value) && value.every(isString)

/** Changes the session as the loaded user requires, and returns the user who is logged in afterwards. */
type Conclude = () => User | null | Promise<User | null>

/**
 * The user of one request. The user is loaded when somebody asks for the first time, and changes with login and logout. Changes
 * to the session run one after another. The functions of the application, such as `loadUser`, run outside of them, because they
 * may log in or out themselves.
 */
export class Account {
  readonly #kit: Kit
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #session: LoginSession
  /** Undefined if the kit does not remember logins, and if the session of a remembered user would not be saved. */
  readonly #browser: RememberedBrowser | undefined
  /** Undefined until the user is loaded. */
  #user: User | null | undefined
  /** When the user was loaded, or logged in. */
  #loadedAt = 0
  #loading: Promise<User | null> | undefined
  /** Changes of the session wait for each other. */
  readonly #changes: KeyedQueue = new KeyedQueue()
  /** Whether the route is served although the user could not be loaded. */
  #isUnknown = false
  /** Whether the user is remembered, and the session that other requests have begun meanwhile is not that of this one. */
  #isWithoutSession = false

  constructor(kit: Kit, request: FastifyRequest, reply: FastifyReply) {
    this.#kit = kit
    this.#request = request
    this.#reply = reply
    this.#session = new LoginSession(kit.settings, request)
    const onTheft = (userId: string): void => this.#publish('theft', userId)
    const isRemembering = kit.remember !== undefined && this.#session.isSaved
    this.#browser = isRemembering ? new RememberedBrowser(kit.remember, request, reply, onTheft) : undefined
  }

  /**
   * In a handler, throws `NotLoadedError` if there may be a user who is not loaded. Elsewhere that is null: a log, a rate limit or
   * an error handler may look, and must not break the request.
   */
  get user(): User | null {
    if (this.#user !== undefined) return this.#hasLogin ? this.#user : null
    const mayBeLoggedIn = this.#session.login !== undefined || this.#browser?.hasTokens === true
    if (this.#isUnknown || !mayBeLoggedIn || this.#isOver) return null
    if (!this.#kit.isHandling(this.#request)) {
      this.#kit.warnOfHaste(this.#request)
      return null
    }
    throw new NotLoadedError(
      'request.user has not been loaded. Guard the route with app.loginRequired(), or await request.loadUser() first.'
    )
  }

  /** The id of the user that the session names, without loading the user. */
  get userId(): string | undefined {
    return this.#session.login?.id
  }

  /** When the user last proved their identity in this session. */
  get authenticatedAt(): Date | null {
    const at = this.user === null ? undefined : this.#session.login?.at
    return at === undefined ? null : new Date(at * 1000)
  }

  /** All calls share one load. A call after a failed load tries again. */
  load(): Promise<User | null> {
    if (this.#user !== undefined) return Promise.resolve(this.user)
    const forget = (): void => {
      this.#loading = undefined
    }
    if (this.#loading === undefined) {
      this.#loading = this.#find()
      this.#loading.then(forget, forget)
    }
    return this.#loading
  }

  /** Like `load`, but a user who was loaded `freshness` seconds ago is loaded again: for guards. */
  loadAnew(): Promise<User | null> {
    const isOld = this.#kit.settings.now() - this.#loadedAt >= this.#kit.freshness
    if (isOld || !this.#hasLogin) this.#user = undefined
    return this.load()
  }

  /** Like `load`, but returns null if the store is not available and the route allows that. Guards must not use it. */
  async loadIfPossible(): Promise<User | null> {
    try {
      return await this.load()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError && routePolicy(this.#request).anonymousOnStoreError)) throw error
      this.#isUnknown = true
      this.#request.log.error(
        { err: error },
        "The session store is not available. The route has `onStoreError: 'anonymous'`, so it is served as if nobody were logged in."
      )
      return null
    }
  }

  async login(user: User, options: LoginCallOptions = {}): Promise<void> {
    assertKnown(options, CALL_OPTIONS, 'request.login()')
    const { settings } = this.#kit
    const isRemembered = readOption(options.remember, false, 'remember', 'true or false', isBoolean)
    const isFresh = readOption(options.fresh, true, 'fresh', 'true or false', isBoolean)
    const isAllowed = readOption(options.allowCrossSite, false, 'allowCrossSite', 'true or false', isBoolean)
    const keep = readOption(options.keep, undefined, 'keep', 'an array of keys', isKeys)
    if (!isAllowed) this.#assertSameOrigin()
    if (isRemembered && this.#kit.remember === undefined) {
      throw new InvalidValueError(
        'request.login() cannot remember this login. Set the option remember of the login kit; it needs a store.'
      )
    }
    this.#session.assertSaved('request.login()')
    this.#session.assertNotDestroyed('request.login()')
    const id = settings.idOf(user)
    const login: LoginMembers = { id, hash: settings.hashOf(user), at: isFresh ? settings.now() : undefined }
    await this.#change(async () => {
      await this.#session.verify()
      // The session is replaced, and stays until then: see `Succession`.
      await this.#browser?.forget(this.#session.login, this.#kit.sessions.keyOf(this.#session.id))
      await this.#start(user, login, keep)
      if (isRemembered) await this.#remember(login)
    })
    this.#publish('login', id)
  }

  async confirmLogin(): Promise<void> {
    this.#assertSameOrigin()
    const [user, login] = await this.#require('request.confirmLogin()')
    await this.#change(async () => {
      await this.#start(user, { ...login, at: this.#kit.settings.now() })
      await this.#session.commit()
    })
    this.#publish('login', login.id)
  }

  async logout(): Promise<void> {
    this.#assertSameOrigin()
    this.#session.assertSaved('request.logout()')
    await this.#change(() => this.#end('logout', this.userId))
    if (this.#kit.settings.clearSiteData) this.#reply.header('clear-site-data', '"cache", "storage"')
  }

  /** The session is about to be destroyed: its browser is not to be logged in again. */
  leave(): Promise<void> {
    const { login } = this.#session
    this.#user = null
    return this.#change(async () => this.#browser?.forget(login))
  }

  async logoutOthers(): Promise<number> {
    const [, { id }] = await this.#require('request.logoutOthers()')
    return this.#kit.sessions.revokeAll(id, { except: this.#session.id })
  }

  /** Other sites must not log in or out (OWASP ASVS 3.5.1). */
  #assertSameOrigin(): void {
    const error = crossSiteError(this.#request, this.#kit.settings.allowSameSite)
    if (error !== undefined) throw error
  }

  async #find(): Promise<User | null> {
    const { login } = this.#session
    const conclude = await (login === undefined ? this.#findRemembered() : this.#findLoggedIn(login))
    return this.#change(async () => {
      // A login or logout during the load has set the user already, and wins.
      if (this.#user === undefined) this.#keep(await conclude())
      return this.user
    })
  }

  async #findLoggedIn(login: LoginState): Promise<Conclude> {
    const { loadUser, protection } = this.#kit.settings
    const isFromOtherClient = this.#session.isFromOtherClient(login)
    if (isFromOtherClient && protection === 'strong') return () => this.#end('protected', login.id)
    if (this.#session.isOver(login)) return () => this.#end('ended', login.id)
    const user = await loadUser(login.id, this.#request)
    if (!this.#isValid(user, login.hash)) return () => this.#end('ended', login.id)
    return () => {
      if (isFromOtherClient && login.at !== undefined) {
        this.#session.write({ ...login, at: undefined })
        this.#publish('protected', login.id)
      }
      return user
    }
  }

  async #findRemembered(): Promise<Conclude> {
    const { loadUser, protection } = this.#kit.settings
    const found = await this.#browser?.find()
    // A copy of the cookie must not get around the protection of the session. It ends the series: otherwise a thief could try
    // from one address after another.
    const isCopy = found !== undefined && protection === 'strong' && this.#session.isFromOtherClient(found)
    if (found !== undefined && !isCopy) {
      const user = await loadUser(found.userId, this.#request)
      if (this.#isValid(user, found.hash)) return () => this.#resume(user, found)
    }
    return async () => {
      await this.#browser?.forget(undefined)
      if (found !== undefined) this.#publish(isCopy ? 'protected' : 'ended', found.userId)
      return null
    }
  }

  /** Goes on in the session of a remembered user, which the first of parallel requests begins. */
  async #resume(user: User, { userId: id, hash, key: series, since, token }: Remembered): Promise<User | null> {
    const begin = (sessionId: string): Promise<void> => this.#session.begin(sessionId, { id, hash, series, since })
    const rotation = await this.#browser?.rotate(token, begin)
    // The series has ended in the meantime.
    if (rotation === undefined) return this.#leave()
    const isOpen = await this.#session.adopt(rotation.sessionId, id)
    // The session has ended or has a new id. The login goes on without it, unless the series has ended as well.
    if (!isOpen && !(await this.#browser?.isRemembered(series))) return this.#leave()
    this.#isWithoutSession = !isOpen
    if (rotation.isFirst) this.#publish('remembered', id)
    return user
  }

  /** Whether the reply is sent, cannot be sent, or has come so late that onTimeout hooks run. */
  get #isOver(): boolean {
    const { raw, elapsedTime } = this.#reply
    const { timeout = 0 } = this.#request.raw.socket
    return raw.writableEnded || raw.destroyed || (timeout > 0 && elapsedTime >= timeout - TIMER_SLACK)
  }

  #isValid(user: User | null, hash: string | undefined): user is User {
    return user !== null && this.#kit.settings.hashOf(user) === hash
  }

  async #start(user: User, login: LoginMembers, keep?: readonly string[]): Promise<void> {
    await this.#session.start(login, keep)
    this.#keep(user)
  }

  /** A user whose session has ended in this request is logged out. */
  get #hasLogin(): boolean {
    return this.#isWithoutSession || this.#session.login !== undefined
  }

  #keep(user: User | null): void {
    this.#user = user
    this.#loadedAt = this.#kit.settings.now()
  }

  async #leave(): Promise<null> {
    await this.#browser?.forget(this.#session.login)
    await this.#session.end()
    this.#user = null
    return null
  }

  async #end(type: LoginEventType, userId: string | undefined): Promise<null> {
    await this.#leave()
    this.#publish(type, userId)
    return null
  }

  /**
   * Saves the session first: a user whom `maxPerOwner` refuses a session is not remembered. Saves it again with the series,
   * before the token is sent: if the session was revoked in between, the browser never gets the token.
   */
  async #remember(login: LoginMembers): Promise<void> {
    await this.#session.commit()
    const begun = await this.#browser?.begin(login.id, login.hash, this.#session.boundClient)
    this.#session.write({ ...login, series: begun?.series, since: begun?.since })
    await this.#session.commit()
    this.#browser?.send(begun?.token)
  }

  /**
   * Runs a change of the session after the changes before it. Must not call functions of the application: one that logs out
   * would wait for itself.
   */
  #change<T>(run: () => Promise<T>): Promise<T> {
    return this.#changes.run('session', run)
  }

  async #require(method: string): Promise<[user: User, login: LoginState]> {
    const user = await this.load()
    const { login } = this.#session
    if (user !== null && login !== undefined) return [user, login]
    throw new LoginRequiredError(`${method} needs a user who is logged in.`)
  }

  #publish(type: LoginEventType, userId: string | undefined): void {
    publish({ type, request: this.#request, userId, reason: undefined })
  }
}
