import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LoginCallOptions, LoginEventType, User } from '../../types/login.ts'
import { assertKnown, isBoolean, take } from '../check.ts'
import { InvalidValueError, LoginRequiredError, NotLoadedError, unavailableError } from '../errors.ts'
import { requestSession } from '../get-session.ts'
import { putCookie } from '../headers.ts'
import type { Registry } from '../registry.ts'
import { RequestSession } from '../session.ts'
import { digest } from './digest.ts'
import { publish } from './login-events.ts'
import type { LoginState } from './login-state.ts'
import { readLogin, writeLogin } from './login-state.ts'
import type { LoginSettings } from './options.ts'
import type { RememberCookie } from './remember-cookie.ts'
import type { RememberTokens } from './remember-tokens.ts'

/** What accounts of an application have in common. */
export interface Kit {
  readonly settings: LoginSettings
  readonly sessions: Registry
  readonly remember: { readonly tokens: RememberTokens; readonly cookie: RememberCookie } | undefined
}

/** Who is behind a request: found out when it is first asked for, changed by login and logout. */
export class Account {
  readonly #kit: Kit
  readonly #request: FastifyRequest
  /** Undefined until it is known. */
  #user: User | null | undefined
  #loading: Promise<User | null> | undefined
  /** What the reply says about the remember cookie, if anything. */
  #line: string | undefined
  #hasLoggedOut = false

  constructor(kit: Kit, request: FastifyRequest) {
    this.#kit = kit
    this.#request = request
  }

  get user(): User | null {
    if (this.#user !== undefined) return this.#user
    if (this.#state === undefined && this.#token === undefined) return null
    throw new NotLoadedError(
      'request.user has not been loaded. Guard the route by app.loginRequired(), or await request.loadUser() before.'
    )
  }

  get userId(): string | undefined {
    return this.#state?.id
  }

  /** When the user last proved in this session who they are. */
  get authenticatedAt(): Date | null {
    const at = this.#state?.at
    return at === undefined ? null : new Date(at * 1000)
  }

  /** One load for all who ask at once. One that failed is tried again. */
  load(): Promise<User | null> {
    if (this.#user !== undefined) return Promise.resolve(this.#user)
    const forget = (): void => {
      this.#loading = undefined
    }
    if (this.#loading === undefined) {
      this.#loading = this.#find().then((user) => {
        // A login while the load was under way knows better.
        this.#user ??= user
        return this.#user
      })
      this.#loading.then(forget, forget)
    }
    return this.#loading
  }

  async login(user: User, options: LoginCallOptions = {}): Promise<void> {
    assertKnown(options, ['remember', 'fresh'], 'request.login()')
    const { settings, remember } = this.#kit
    const isRemembered = take(options.remember, false, 'remember', 'true or false', isBoolean)
    const isFresh = take(options.fresh, true, 'fresh', 'true or false', isBoolean)
    if (isRemembered && remember === undefined) {
      throw new InvalidValueError(
        'request.login() cannot remember anybody: set the option remember of the login kit, which needs a store.'
      )
    }
    const id = settings.idOf(user)
    await this.#forgetDevice()
    const issued = isRemembered ? await remember?.tokens.issue(id, settings.hashOf(user)) : undefined
    if (issued !== undefined) this.#sendToken(issued.value)
    await this.#enter(user, id, isFresh ? settings.now() : undefined, issued?.key)
    this.#tell('login', id)
  }

  async confirmLogin(): Promise<void> {
    const state = this.#require('request.confirmLogin()')
    const user = await this.#kit.settings.loadUser(state.id, this.#request)
    if (user === null || user === undefined) throw nobody('request.confirmLogin()')
    await this.#enter(user, state.id, this.#kit.settings.now(), state.series)
    this.#tell('login', state.id)
  }

  async logout(): Promise<void> {
    const id = this.#state?.id
    await this.#leave()
    this.#hasLoggedOut = true
    this.#tell('logout', id)
  }

  async logoutOthers(): Promise<number> {
    const { id } = this.#require('request.logoutOthers()')
    const session = this.#session
    // What stays has to be known as what it is now.
    await session.commit()
    return this.#kit.sessions.revokeAll(id, { except: session.id })
  }

  /** Writes to the reply what is to be said about the remember cookie. */
  finish(reply: FastifyReply): void {
    if (this.#line !== undefined) putCookie(reply, this.#line, undefined)
    if (this.#hasLoggedOut && this.#kit.settings.clearSiteData) reply.header('clear-site-data', '"cache", "storage"')
  }

  async #find(): Promise<User | null> {
    if (RequestSession.openReasonOf(this.#session) === 'store-unavailable') throw unavailableError(undefined)
    const state = this.#state
    return state === undefined ? this.#findRemembered() : this.#findLoggedIn(state)
  }

  async #findLoggedIn(state: LoginState): Promise<User | null> {
    const { loadUser, protection } = this.#kit.settings
    if (protection !== false && state.client !== this.#client) {
      if (protection === 'strong' || state.at !== undefined) this.#tell('protected', state.id)
      if (protection === 'strong') return this.#leave()
      writeLogin(this.#session, { ...state, at: undefined })
    }
    const user = await loadUser(state.id, this.#request)
    if (this.#isGood(user, state.hash)) return user
    this.#tell('ended', state.id)
    return this.#leave()
  }

  async #findRemembered(): Promise<User | null> {
    const { remember, settings } = this.#kit
    const token = this.#token
    if (remember === undefined || token === undefined) return null
    const redeemed = await remember.tokens.redeem(token)
    if ('refused' in redeemed) {
      if (redeemed.refused === 'theft') this.#tell('theft', redeemed.userId)
      this.#sendToken(undefined)
      return null
    }
    const { key, userId, hash, value } = redeemed
    const user = await settings.loadUser(userId, this.#request)
    if (!this.#isGood(user, hash)) {
      await this.#forgetDevice()
      this.#tell('ended', userId)
      return null
    }
    if (value !== undefined) this.#sendToken(value)
    await this.#enter(user, userId, undefined, key)
    this.#tell('remembered', userId)
    return user
  }

  #isGood(user: User | null | undefined, hash: string | undefined): user is User {
    return user !== null && user !== undefined && this.#kit.settings.hashOf(user) === hash
  }

  /**
   * A session that begins now, so that an id from before is worth nothing (session fixation, OWASP ASVS 7.2.4) and both timeouts
   * start anew. What another user left behind does not come along; what a visitor did before logging in does.
   */
  async #enter(user: User, id: string, at: number | undefined, series: string | undefined): Promise<void> {
    const { hashOf, csrfKey, protection } = this.#kit.settings
    const session = this.#session
    const { permanent } = session
    const owner = this.#state?.id ?? session.ownerId
    const isOther = owner !== undefined && owner !== id
    await session.regenerate(isOther ? [] : Object.keys(session).filter((key) => key !== csrfKey))
    session.permanent = permanent
    session.assign(id)
    writeLogin(session, {
      id,
      at,
      hash: hashOf(user),
      client: protection === false ? undefined : this.#client,
      series
    })
    this.#user = user
  }

  async #leave(): Promise<null> {
    await this.#forgetDevice()
    await this.#session.regenerate()
    this.#user = null
    return null
  }

  /** Ends what remembers this browser, whoever it was that it remembers. */
  async #forgetDevice(): Promise<void> {
    const { remember } = this.#kit
    if (remember === undefined) return
    const series = this.#state?.series
    if (series !== undefined) await remember.tokens.end(series)
    const token = this.#token
    if (token === undefined) return
    await remember.tokens.end(token)
    this.#sendToken(undefined)
  }

  #require(method: string): LoginState {
    const state = this.#state
    if (state === undefined) throw nobody(method)
    return state
  }

  #sendToken(value: string | undefined): void {
    this.#line = this.#kit.remember?.cookie.line(this.#request, value)
  }

  get #session(): RequestSession {
    return requestSession(this.#request, this.#kit.settings.decorator)
  }

  get #state(): LoginState | undefined {
    return readLogin(this.#session)
  }

  /** The remember token that the browser sent. */
  get #token(): string | undefined {
    return this.#kit.remember?.cookie.read(this.#request)
  }

  get #client(): string {
    return digest(this.#request.ip, this.#request.headers['user-agent'] ?? '')
  }

  #tell(type: LoginEventType, userId: string | undefined): void {
    publish({ type, request: this.#request, userId, reason: undefined })
  }
}

function nobody(method: string): Error {
  return new LoginRequiredError(`${method} needs somebody who is logged in.`)
}
