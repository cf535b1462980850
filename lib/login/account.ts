import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenReason } from '../../types/diagnostics.ts'
import type { LoginCallOptions, LoginEventType, User } from '../../types/login.ts'
import {
  DestroyedError,
  DisabledError,
  InvalidValueError,
  LoginRequiredError,
  NotLoadedError,
  StoreUnavailableError,
  unavailableError
} from '../errors.ts'
import type { OwnerSessions } from '../owners/sessions.ts'
import { requestSession } from '../request/get-session.ts'
import { routePolicy } from '../request/route-config.ts'
import { RequestSession } from '../request/session.ts'
import { assertKnown, isBoolean, readOption } from '../util/check.ts'
import { publish } from './login-events.ts'
import type { LoginMembers, LoginState } from './login-state.ts'
import { clientOf, readLogin, writeLogin } from './login-state.ts'
import type { LoginSettings } from './options.ts'
import type { Remembered } from './remember-tokens.ts'
import type { Remember } from './remembered-browser.ts'
import { RememberedBrowser } from './remembered-browser.ts'

/** What accounts of an application have in common. */
export interface Kit {
  readonly settings: LoginSettings
  readonly sessions: OwnerSessions
  readonly remember: Remember | undefined
}

/** Why a session keeps nothing. */
const UNKEPT: readonly OpenReason[] = ['disabled', 'store-unavailable']

/** Does to the session what a look at it calls for. Gives who is logged in then. */
type Conclude = () => User | null | Promise<User | null>

/**
 * Who is behind a request: found out when it is first asked for, changed by login and logout. What changes the session goes one
 * after the other; functions of the application, which may themselves log in or out, are called in between.
 */
export class Account {
  readonly #kit: Kit
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  /** Undefined where nobody is remembered, and where the session of a remembered user could not be kept. */
  readonly #device: RememberedBrowser | undefined
  /** Undefined until it is known. */
  #user: User | null | undefined
  #loading: Promise<User | null> | undefined
  #lastTurn: Promise<unknown> = Promise.resolve()
  /** Whether the route is served although nobody can know. */
  #isUnknown = false

  constructor(kit: Kit, request: FastifyRequest, reply: FastifyReply) {
    this.#kit = kit
    this.#request = request
    this.#reply = reply
    const tellTheft = (userId: string): void => this.#tell('theft', userId)
    const isRemembering =
      kit.remember !== undefined && !UNKEPT.includes(RequestSession.stateOf(this.#session).openReason)
    this.#device = isRemembering ? new RememberedBrowser(kit.remember, request, reply, tellTheft) : undefined
  }

  get user(): User | null {
    if (this.#user !== undefined) return this.#user
    const mayBeSomebody = this.#state !== undefined || this.#device?.hasTokens === true
    if (this.#isUnknown || !mayBeSomebody) return null
    throw new NotLoadedError(
      'request.user has not been loaded. Guard the route by app.loginRequired(), or await request.loadUser() before.'
    )
  }

  /** Whose login it is, as far as the session says. */
  get userId(): string | undefined {
    return this.#state?.id
  }

  /** When the user last proved in this session who they are. */
  get authenticatedAt(): Date | null {
    const at = this.user === null ? undefined : this.#state?.at
    return at === undefined ? null : new Date(at * 1000)
  }

  /** One load for all who ask at once. One that failed is tried again. */
  load(): Promise<User | null> {
    if (this.#user !== undefined) return Promise.resolve(this.#user)
    const forget = (): void => {
      this.#loading = undefined
    }
    if (this.#loading === undefined) {
      this.#loading = this.#find()
      this.#loading.then(forget, forget)
    }
    return this.#loading
  }

  /** For those who are not guarded: nobody, on a route that is served while the store is down. */
  async loadIfPossible(): Promise<User | null> {
    try {
      return await this.load()
    } catch (error) {
      if (!(error instanceof StoreUnavailableError && routePolicy(this.#request).anonymousOnStoreError)) throw error
      this.#isUnknown = true
      this.#request.log.error(
        { err: error },
        "The session store is not available. The route has `onStoreError: 'anonymous'`, so it is served as if nobody was logged in."
      )
      return null
    }
  }

  async login(user: User, options: LoginCallOptions = {}): Promise<void> {
    assertKnown(options, ['remember', 'fresh'], 'request.login()')
    const { settings } = this.#kit
    const isRemembered = readOption(options.remember, false, 'remember', 'true or false', isBoolean)
    const isFresh = readOption(options.fresh, true, 'fresh', 'true or false', isBoolean)
    if (isRemembered && this.#kit.remember === undefined) {
      throw new InvalidValueError(
        'request.login() cannot remember anybody: set the option remember of the login kit, which needs a store.'
      )
    }
    this.#assertKept('request.login()')
    if (RequestSession.stateOf(this.#session).isDestroyed) {
      throw new DestroyedError(
        'request.login() came after session.destroy(), which is final. Call request.logout() instead.'
      )
    }
    const id = settings.idOf(user)
    const login: LoginMembers = { id, hash: settings.hashOf(user), at: isFresh ? settings.now() : undefined }
    await this.#inTurn(async () => {
      await this.#device?.forget(this.#state)
      await this.#enter(user, login)
      if (isRemembered) await this.#remember(login)
    })
    this.#tell('login', id)
  }

  async confirmLogin(): Promise<void> {
    const [user, state] = await this.#require('request.confirmLogin()')
    await this.#inTurn(() => this.#enter(user, { ...state, at: this.#kit.settings.now() }))
    this.#tell('login', state.id)
  }

  async logout(): Promise<void> {
    this.#assertKept('request.logout()')
    await this.#inTurn(() => this.#end('logout', this.#state?.id))
    if (this.#kit.settings.clearSiteData) this.#reply.header('clear-site-data', '"cache", "storage"')
  }

  async logoutOthers(): Promise<number> {
    const [, { id }] = await this.#require('request.logoutOthers()')
    return this.#kit.sessions.revokeAll(id, { except: this.#session.id })
  }

  async #find(): Promise<User | null> {
    const state = this.#state
    const conclude = await (state === undefined ? this.#lookAtDevice() : this.#lookAt(state))
    // A login or a logout while a user was loaded knows better.
    return this.#inTurn(async () => {
      if (this.#user === undefined) this.#user = await conclude()
      return this.#user
    })
  }

  async #lookAt(state: LoginState): Promise<Conclude> {
    const { loadUser, protection } = this.#kit.settings
    const isOtherClient = protection !== false && state.client !== this.#client
    if (isOtherClient && protection === 'strong') return () => this.#end('protected', state.id)
    const user = await loadUser(state.id, this.#request)
    if (!this.#isGood(user, state.hash)) return () => this.#end('ended', state.id)
    return () => {
      if (isOtherClient && state.at !== undefined) {
        this.#note({ ...state, at: undefined })
        this.#tell('protected', state.id)
      }
      return user
    }
  }

  async #lookAtDevice(): Promise<Conclude> {
    const found = await this.#device?.find()
    if (found !== undefined) {
      const user = await this.#kit.settings.loadUser(found.userId, this.#request)
      if (this.#isGood(user, found.hash)) return () => this.#resume(user, found)
    }
    return async () => {
      await this.#device?.forget(undefined)
      if (found !== undefined) this.#tell('ended', found.userId)
      return null
    }
  }

  /** Begins a session for a remembered user. The token is replaced last: until then, whatever fails can be tried again. */
  async #resume(user: User, { userId: id, hash, key: series, token }: Remembered): Promise<User | null> {
    await this.#enter(user, { id, hash, series })
    await this.#session.commit()
    // Ended in the meantime, by somebody who could not know of this session.
    if (!(await this.#device?.rotate(token))) return this.#leave()
    this.#tell('remembered', id)
    return user
  }

  #isGood(user: User | null, hash: string | undefined): user is User {
    return user !== null && this.#kit.settings.hashOf(user) === hash
  }

  /**
   * A session that begins now, so that an id from before is worth nothing (session fixation, OWASP ASVS 7.2.4) and both timeouts
   * start anew. What another user left behind does not come along; what a visitor did before logging in does.
   */
  async #enter(user: User, login: LoginMembers): Promise<void> {
    const { csrfKey } = this.#kit.settings
    const session = this.#session
    const { permanent, ownerId = login.id } = session
    const isSameUser = ownerId === login.id
    await session.regenerate(isSameUser ? Object.keys(session).filter((key) => key !== csrfKey) : [])
    if (isSameUser) session.permanent = permanent
    session.setOwner(login.id)
    this.#note(login)
    this.#user = user
  }

  async #leave(): Promise<null> {
    await this.#device?.forget(this.#state)
    await this.#session.regenerate()
    this.#user = null
    return null
  }

  async #end(type: LoginEventType, userId: string | undefined): Promise<null> {
    await this.#leave()
    this.#tell(type, userId)
    return null
  }

  /**
   * Between two commits: who is refused a session (`maxPerOwner`) is not remembered, nor is one whose session is revoked before
   * it says what remembers it.
   */
  async #remember(login: LoginMembers): Promise<void> {
    await this.#session.commit()
    const begun = await this.#device?.begin(login.id, login.hash)
    this.#note({ ...login, series: begun?.series })
    await this.#session.commit()
    this.#device?.send(begun?.token)
  }

  #note(login: LoginMembers): void {
    const client = this.#kit.settings.protection === false ? undefined : this.#client
    writeLogin(this.#session, { ...login, client })
  }

  /** Not around functions of the application: one that logged out would wait for itself. */
  #inTurn<T>(run: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(run)
    this.#lastTurn = turn.catch(() => {})
    return turn
  }

  async #require(method: string): Promise<[user: User, state: LoginState]> {
    const user = await this.load()
    const state = this.#state
    if (user !== null && state !== undefined) return [user, state]
    throw new LoginRequiredError(`${method} needs somebody who is logged in.`)
  }

  /** Refuses where nothing of it would be kept. */
  #assertKept(method: string): void {
    const reason = RequestSession.stateOf(this.#session).openReason
    if (reason === 'store-unavailable') throw unavailableError(undefined)
    if (reason !== 'disabled') return
    throw new DisabledError(`${method} has nothing to write to: the route has \`config: { session: false }\`.`)
  }

  get #session(): RequestSession {
    return requestSession(this.#request, this.#kit.settings.decorator)
  }

  get #state(): LoginState | undefined {
    const session = this.#session
    return readLogin(session, session.ownerId)
  }

  get #client(): string {
    return clientOf(this.#request.ip, this.#request.headers['user-agent'])
  }

  #tell(type: LoginEventType, userId: string | undefined): void {
    publish({ type, request: this.#request, userId, reason: undefined })
  }
}
