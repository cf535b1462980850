import type { SessionEndedEvent } from './endings.ts'
import type { DeviceBinding } from './session.ts'

/** A session of an owner, without its data. */
export interface OwnedSession {
  /** The handle of the session: its `session.id`, which `revoke()` takes. It opens nothing, so that it is safe to show. */
  readonly handle: string
  /** When the session began. */
  readonly createdAt: Date
  /** The last recorded activity, exact to `refreshAfter` seconds. */
  readonly lastSeenAt: Date
  /** When the session ends without further activity. */
  readonly expiresAt: Date
  /** Whether it is the session whose handle `list()` got as `current`. */
  readonly current: boolean
  /**
   * The device to which the session is bound; undefined for none. `lastProofAt` is exact to the option `refreshEvery` of
   * `fastify-typed-session/device-bound`.
   */
  readonly device: DeviceBinding | undefined
  /** What the option `describe` returned when the session was created or got its id. Without that option `{}`. */
  readonly description: Readonly<Record<string, unknown>>
}

/**
 * Lists and ends the sessions of owners: `app.sessions`. For a session with another `decorator`, `getSessions(app, decorator)`
 * returns it.
 *
 * It needs a store, or, to end sessions that are in the cookies of browsers, the option `revocations`. Without them the methods
 * reject with `ERR_SESSION_STORE_REQUIRED`. While the store or the list is down, they reject with `ERR_SESSION_STORE_UNAVAILABLE`.
 *
 * @example
 * ```ts
 * app.get('/devices', async (request) => app.sessions.list(String(request.session.userId), { current: request.session.id }))
 * app.post('/logout-others', async (request) => {
 *   return app.sessions.revokeAll(String(request.session.userId), { except: request.session.id })
 * })
 * ```
 */
export interface Sessions {
  /**
   * Returns the live sessions of an owner, the one that was used last first, for a page that shows a user their sessions (OWASP
   * ASVS 7.5.2). `current` is the handle of the session to mark. Rejects with `ERR_SESSION_VALUE` for an owner that
   * `session.setOwner()` would refuse, and with `ERR_SESSION_STORE_REQUIRED` without a store, also with `revocations`.
   *
   * @example
   * ```ts
   * app.get('/devices', async ({ session }) => app.sessions.list(String(session.userId), { current: session.id }))
   * ```
   */
  list(ownerId: string, options?: { readonly current?: string | undefined }): Promise<OwnedSession[]>

  /**
   * Ends a session: it is over when the promise resolves, and the next request of its browser is anonymous. An unknown handle
   * is no error. The handle alone decides, so check first that the session belongs to the user who asks (CWE-639). Rejects with
   * `ERR_SESSION_VALUE` for a handle that is not a string.
   *
   * @example
   * ```ts
   * app.post<{ Params: { handle: string } }>('/devices/:handle/end', async ({ params, session }, reply) => {
   *   const own = await app.sessions.list(String(session.userId))
   *   if (!own.some(({ handle }) => handle === params.handle)) return reply.code(404).send('You have no such session.')
   *   await app.sessions.revoke(params.handle)
   *   return 'The session has ended.'
   * })
   * ```
   */
  revoke(handle: string): Promise<void>

  /**
   * Ends all sessions of an owner and returns how many it ended; `NaN` with `revocations`, because nobody knows how many browsers
   * have a cookie. `except` is the handle of a session that stays. Call it when an account is disabled (OWASP ASVS 7.4.2, 7.4.5),
   * and offer it after a change of password (7.4.3). Rejects with `ERR_SESSION_VALUE` for an owner that `session.setOwner()` would
   * refuse.
   *
   * @example
   * ```ts
   * app.post('/logout-others', async ({ session }) => {
   *   return app.sessions.revokeAll(String(session.userId), { except: session.id })
   * })
   * ```
   */
  revokeAll(ownerId: string, options?: { readonly except?: string | undefined }): Promise<number>

  /**
   * Ends all sessions of everybody that have begun before, that of the request included. Call it when cookies may have been copied, or
   * before an old backup of the application goes online. Rejects with `ERR_SESSION_REVOCATIONS_REQUIRED` without the option
   * `revocations`, also with a store.
   *
   * @example
   * ```ts
   * app.post('/admin/log-everybody-out', async () => app.sessions.revokeEverything())
   * ```
   */
  revokeEverything(): Promise<void>

  /**
   * Calls the listener for each session that has ended, as far as this process causes it or hears of it, and returns a function that
   * ends that: to close what belongs to a session, or to write an audit log (OWASP ASVS 16.3.1). With Redis and PostgreSQL, and with
   * `revocations`, processes tell each other; with other stores, this process tells of its own endings, and of sessions with an open
   * `session.signal`. Nobody hears of a session that expires while nothing is open. The same ending may be told twice. What the listener throws
   * is logged. In every mode.
   *
   * Throws `ERR_SESSION_VALUE` for anything but a function.
   *
   * @example
   * ```ts
   * const stop = app.sessions.onEnded(({ handle, ownerId, reason }) => app.log.info({ handle, ownerId, reason }, 'session ended'))
   * app.addHook('onClose', async () => stop())
   * ```
   */
  onEnded(listener: (event: SessionEndedEvent) => unknown): () => void
}
