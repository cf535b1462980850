import type { FastifyRequest } from 'fastify'
import type { OpenReason } from '../../types/diagnostics.ts'
import type { EndReason } from '../../types/endings.ts'
import type { MaybePromise } from '../../types/store.ts'
import { ACTING, NEXT, SENT } from '../data/own-keys.ts'
import { DestroyedError, DisabledError, unavailableError } from '../errors.ts'
import { requestSession } from '../request/get-session.ts'
import { isReserved, RequestSession } from '../request/session.ts'
import type { LoginMembers, LoginState } from './login-state.ts'
import { clientOf, loginData, readLogin, writeLogin } from './login-state.ts'
import type { LoginSettings } from './options.ts'
import { isOver } from './remember-tokens.ts'

/** What the login kit reads and changes in the session of a request. */
export class LoginSession {
  readonly #settings: LoginSettings
  readonly #request: FastifyRequest

  constructor(settings: LoginSettings, request: FastifyRequest) {
    this.#settings = settings
    this.#request = request
  }

  /** The handle of the session. */
  get id(): string {
    return this.#session.id
  }

  /** The login that the session holds. Undefined if nobody is logged in, and if another request has ended the session. */
  get login(): LoginState | undefined {
    const session = this.#session
    return RequestSession.stateOf(session).reply.isGone ? undefined : readLogin(session, session.ownerId)
  }

  /** Whether the session is saved. False on a route without sessions, and while the store is not available. */
  get isSaved(): boolean {
    return !['disabled', 'store-unavailable'].includes(this.#openReason)
  }

  /** Throws if the session is not saved. `method`: the method that needs it. */
  assertSaved(method: string): void {
    if (this.#openReason === 'store-unavailable') throw unavailableError(undefined)
    if (this.#openReason === 'disabled') {
      throw new DisabledError(`${method} needs a session, but the route has \`config: { session: false }\`.`)
    }
  }

  /** What another request has ended meanwhile is not to be kept by a login. */
  verify(): MaybePromise<void> {
    return RequestSession.verify(this.#session, 0)
  }

  /** Throws if the request has destroyed the session. `method`: the method that needs it. */
  assertNotDestroyed(method: string): void {
    if (RequestSession.stateOf(this.#session).isDestroyed) {
      throw new DestroyedError(
        `${method} was called after session.destroy(), which is final. Call ${this.#settings.accessor}.logout() instead of session.destroy().`
      )
    }
  }

  /**
   * Whether a login was made by another client than the one that sends this request. False if the kit does not compare them.
   */
  isFromOtherClient({ client }: { readonly client?: string | undefined }): boolean {
    return this.#settings.protection !== false && client !== this.#client
  }

  /** The client to which a remembered login is bound. Undefined if it is not. */
  get boundClient(): string | undefined {
    return this.#settings.protection === 'strong' ? this.#client : undefined
  }

  /** Whether the series of a login is too old. */
  isOver({ since }: LoginState): boolean {
    const { remember } = this.#settings
    return since !== undefined && remember !== undefined && isOver(since, remember)
  }

  /**
   * Starts a new session for a login. The new id makes an id from before the login worthless (session fixation, OWASP ASVS
   * 7.2.4), and both timeouts start again. The session keeps the data of the same user and of an anonymous visitor, except the
   * CSRF secret. It drops the data of another user. `keep`: the only keys that an anonymous visitor keeps, beside the page that
   * a guard has stored, which `safeNext` checks.
   */
  async start(login: LoginMembers, keep?: readonly string[]): Promise<void> {
    const session = this.#session
    const { permanent } = session
    const state = RequestSession.stateOf(session)
    const { extensions } = state
    const isOfOther = this.#isOfOther(login.id)
    await session.regenerate(Object.keys(session).filter(this.#mayStay(login.id, keep)))
    if (!isOfOther) {
      session.permanent = permanent
      state.takeTimeouts(extensions)
    }
    session.setOwner(login.id)
    this.write(login)
  }

  /**
   * Saves the session of a remembered login under an id, unless a parallel request has done so. It keeps what `start` keeps. The
   * request goes on in its own session until `adopt`.
   */
  begin(id: string, login: LoginMembers): Promise<void> {
    const session = this.#session
    const state = RequestSession.stateOf(session)
    const isOfOther = this.#isOfOther(login.id)
    const mayStay = this.#mayStay(login.id)
    const kept = Object.entries(session.data()).filter(([key]) => mayStay(key))
    return RequestSession.actionsOf(session).begin(state, {
      id,
      ownerId: login.id,
      permanent: isOfOther ? undefined : session.permanent,
      timeouts: isOfOther ? undefined : state.extensions,
      data: loginData(this.#withClient(login)),
      kept: Object.fromEntries(kept)
    })
  }

  /** Goes on in the session with an id. Returns false if it has ended: then the request goes on in its own. */
  adopt(id: string, userId: string): Promise<boolean> {
    const session = this.#session
    const state = RequestSession.stateOf(session)
    return RequestSession.actionsOf(session).adopt(state, session, id, this.#mayStay(userId), isReserved)
  }

  /** Writes a login to the session, together with the client that sends this request. */
  write(login: LoginMembers): void {
    writeLogin(this.#session, this.#withClient(login))
  }

  /** Saves the session now. */
  commit(): Promise<void> {
    return this.#session.commit()
  }

  /** Ends the session with all its data, now. */
  end(reason: EndReason): Promise<void> {
    return RequestSession.end(this.#session, reason)
  }

  #withClient(login: LoginMembers): LoginMembers {
    return { ...login, client: this.#settings.protection === false ? undefined : this.#client }
  }

  /** Whether the session belongs to another user. */
  #isOfOther(userId: string): boolean {
    const { ownerId } = this.#session
    return ownerId !== undefined && ownerId !== userId
  }

  /** Returns which keys of the session may stay when a user logs in. */
  #mayStay(userId: string, keep?: readonly string[]): (key: string) => boolean {
    const isAnonymous = this.#session.ownerId === undefined
    const isOfOther = this.#isOfOther(userId)
    const isKept = (key: string): boolean => !isAnonymous || keep === undefined || key === NEXT || keep.includes(key)
    return (key) => !isOfOther && ![this.#settings.csrfKey, SENT, ACTING].includes(key) && isKept(key)
  }

  get #session(): RequestSession {
    return requestSession(this.#request, this.#settings.decorator)
  }

  get #openReason(): OpenReason {
    return RequestSession.stateOf(this.#session).openReason
  }

  get #client(): string {
    return clientOf(this.#request.ip, this.#request.headers['user-agent'])
  }
}
