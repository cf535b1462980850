import type { FastifyReply, FastifyRequest } from 'fastify'
import type { LoadUserOptions, User } from '../../types/login.ts'
import { NotLoadedError, StoreUnavailableError } from '../errors.ts'
import { routePolicy } from '../request/route-config.ts'
import { assertKnown, isBoolean, readOption } from '../util/check.ts'
import { KeyedQueue } from '../util/keyed-queue.ts'
import type { Authorization } from './authorization.ts'
import type { Kit } from './kit.ts'
import type { Found } from './user-finder.ts'
import { UserFinder } from './user-finder.ts'
import type { Visitor } from './visitor.ts'

/** Milliseconds by which the clock of a socket may be ahead of that of a request. */
const TIMER_SLACK = 100

/**
 * Who the user of one request is. The user is loaded when somebody asks for the first time, and changes with login and logout. Changes
 * to the session run one after another. The functions of the application, such as `loadUser`, run outside of them, because they
 * may log in or out themselves.
 */
export class CurrentUser {
  readonly #kit: Kit
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  readonly #visitor: Visitor
  readonly #authorization: Authorization
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

  constructor(kit: Kit, request: FastifyRequest, reply: FastifyReply, visitor: Visitor, authorization: Authorization) {
    this.#kit = kit
    this.#request = request
    this.#reply = reply
    this.#visitor = visitor
    this.#authorization = authorization
    this.#finder = new UserFinder(kit, request, visitor, authorization)
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
      `request.${this.#kit.settings.userDecorator} has not been loaded. Guard the route with loginRequired(), or await ${this.#loadUserCall} first.`
    )
  }

  get isLoaded(): boolean {
    return this.#found !== undefined
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
    return this.#authorization.userId ?? impersonation.acting?.id ?? session.login?.id
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
    await this.change(async () => this.#visitor.session.verify())
    return this.#find()
  }

  /** Returns null if the store is not available and the route allows that. Guards must not use it. */
  async loadIfPossible(options: LoadUserOptions = {}): Promise<User | null> {
    assertKnown(options, ['fresh'], this.#loadUserCall)
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

  /**
   * Runs a change of the session after the changes before it. Must not call functions of the application: one that logs out
   * would wait for itself.
   */
  change<T>(run: () => Promise<T>): Promise<T> {
    return this.#changes.run('session', run)
  }

  /** From now on this is the user. Null: nobody is logged in. */
  keep(user: User | null): void {
    this.note({ user, isWithoutSession: false })
  }

  /** The same for a user with whatever else was found. */
  note(found: Found): void {
    this.#found = found
    this.#foundAt = this.#kit.settings.now()
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
    return this.change(async () => {
      // A login or logout during the search has set the user already, and wins.
      if (this.#found === before) this.note(await conclude())
      return this.user
    })
  }

  /** Whether the reply is sent, cannot be sent, or has come so late that onTimeout hooks run. */
  get #isOver(): boolean {
    const { raw, elapsedTime } = this.#reply
    const { timeout = 0 } = this.#request.raw.socket
    return raw.writableEnded || raw.destroyed || (timeout > 0 && elapsedTime >= timeout - TIMER_SLACK)
  }

  get #mayBeLoggedIn(): boolean {
    return this.#authorization.mayDecide || this.#visitor.mayBeLoggedIn
  }

  /** A user whose session has ended in this request is logged out. */
  get #hasLogin(): boolean {
    return this.#found?.isWithoutSession === true || this.#visitor.session.login !== undefined
  }

  /** How the application loads the user, for messages. */
  get #loadUserCall(): string {
    return `${this.#kit.settings.accessor}.loadUser()`
  }
}
