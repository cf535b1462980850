import type { FastifyRequest } from 'fastify'
import type { OpenReason } from '../../types/diagnostics.ts'
import type { MaybePromise } from '../../types/store.ts'
import { DestroyedError, DisabledError, unavailableError } from '../errors.ts'
import { NEXT } from '../guard/next-page.ts'
import { requestSession } from '../request/get-session.ts'
import { RequestSession } from '../request/session.ts'
import type { LoginMembers, LoginState } from './login-state.ts'
import { clientOf, readLogin, writeLogin } from './login-state.ts'
import type { LoginSettings } from './options.ts'

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

  /** The login that the session holds. Undefined if nobody is logged in. */
  get login(): LoginState | undefined {
    const session = this.#session
    return readLogin(session, session.ownerId)
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
        `${method} was called after session.destroy(), which is final. Call request.logout() instead of session.destroy().`
      )
    }
  }

  /**
   * Whether a login was made by another client than the one that sends this request. False if the kit does not compare them.
   */
  isFromOtherClient(login: LoginState): boolean {
    return this.#settings.protection !== false && login.client !== this.#client
  }

  /**
   * Starts a new session for a login. The new id makes an id from before the login worthless (session fixation, OWASP ASVS
   * 7.2.4), and both timeouts start again. The session keeps the data of the same user and of an anonymous visitor, except the
   * CSRF secret. It drops the data of another user. `keep`: the only keys that an anonymous visitor keeps, beside the page that
   * a guard has stored, which `safeNext` checks.
   */
  async start(login: LoginMembers, keep?: readonly string[]): Promise<void> {
    const { csrfKey } = this.#settings
    const session = this.#session
    const { permanent, ownerId } = session
    const isOfOther = ownerId !== undefined && ownerId !== login.id
    const mayStay = (key: string): boolean =>
      key !== csrfKey && (ownerId !== undefined || keep === undefined || key === NEXT || keep.includes(key))
    await session.regenerate(isOfOther ? [] : Object.keys(session).filter(mayStay))
    if (!isOfOther) session.permanent = permanent
    session.setOwner(login.id)
    this.write(login)
  }

  /** Writes a login to the session, together with the client that sends this request. */
  write(login: LoginMembers): void {
    const client = this.#settings.protection === false ? undefined : this.#client
    writeLogin(this.#session, { ...login, client })
  }

  /** Saves the session now. */
  commit(): Promise<void> {
    return this.#session.commit()
  }

  /** Ends the session with all its data, now. */
  end(): Promise<void> {
    return RequestSession.end(this.#session)
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
