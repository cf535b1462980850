import type { SessionEndedEvent } from './endings.ts'
import type { RawRequest, RawSession } from './raw-session.ts'
import type { DeviceBinding, SessionData } from './session.ts'

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

/** A session with its owner, without its data. */
export interface SessionEntry extends OwnedSession {
  /** What `session.setOwner()` got; undefined for a session that nobody has logged in to. */
  readonly ownerId: string | undefined
}

/** A part of all sessions. */
export interface SessionPage {
  /** Empty only on the last page, if at all. */
  readonly entries: readonly SessionEntry[]
  /** What `entries()` takes to return the next page. Undefined on the last one. It may stand in a URL, and says nothing about the data. */
  readonly cursor: string | undefined
}

/**
 * Lists, ends and reads sessions: `app.sessions`. For a session with another `decorator`, `getSessions(app, decorator)`
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
export interface Sessions<Data = SessionData> {
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
   * Returns how many sessions are live, those without an owner included. With Redis, files and SQLite it looks at each of them: ask for it
   * now and then, not in each request. Each session that is there all the time counts once; one that begins or ends meanwhile may count.
   *
   * Rejects with `ERR_SESSION_STORE_REQUIRED` without a store, also with `revocations`, and with one that cannot go through all of its
   * sessions.
   *
   * @example
   * ```ts
   * app.get('/admin/count', async () => ({ sessions: await app.sessions.count() }))
   * ```
   */
  count(): Promise<number>

  /**
   * Returns the live sessions of everybody, page by page, for a page of an administrator (OWASP ASVS 7.4.5). `cursor` is that of the page
   * before; leave it out for the first. `limit`: about how many a page has, 1 to 1000, default 100; a page may have fewer, and with Redis
   * a few more. `current` is as in `list`. The order is that of the store: by key in PostgreSQL, MySQL, SQLite, files and stores of
   * express-session, by begin in memory, none in Redis.
   *
   * A session that is there from the first page to the last is on exactly one of them; with Redis on at least one. One that begins or ends
   * meanwhile may be missing or there, and one that gets a new id meanwhile may be there under both handles or under neither. While nodes
   * of a Redis Cluster change or hand over slots, sessions may be missing.
   *
   * Rejects with `ERR_SESSION_VALUE` for another `limit` and a `cursor` that leads nowhere, and as `count` does. Check who asks: the page
   * shows the sessions of everybody (CWE-862).
   *
   * @example
   * ```ts
   * app.get<{ Querystring: { cursor?: string } }>('/admin/sessions', async ({ query: { cursor } }) => {
   *   return app.sessions.entries({ cursor, limit: 50 })
   * })
   * ```
   */
  entries(options?: {
    readonly cursor?: string | undefined
    readonly limit?: number | undefined
    readonly current?: string | undefined
  }): Promise<SessionPage>

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
   * Ends all sessions of everybody that have begun before, that of the request included, and with a store every remembered login; a session
   * that begins while it runs may end, too. Call it when cookies may have been copied, or before an old backup of the application goes
   * online. A store ends all that it has under its `prefix`, in its table or directory: also the sessions of another `decorator` or
   * application that shares it. Take the option `adopt` out first: a cookie of another library can begin a session again.
   *
   * Rejects with `ERR_SESSION_REVOCATIONS_REQUIRED` without a store and without `revocations`, and with `ERR_SESSION_STORE_REQUIRED` with a
   * store that cannot go through all of its sessions. If it rejects for another reason, some sessions may have ended: call it again.
   *
   * @example
   * ```ts
   * app.post('/admin/log-everybody-out', async () => app.sessions.revokeEverything())
   * ```
   */
  revokeEverything(): Promise<void>

  /**
   * Returns the session of a request that Fastify has not seen, to read it: of an upgrade that `app.server` got, of a socket of Socket.IO, or
   * of any object with a Cookie header. Undefined if `request.session` would be empty there. In every mode, as soon as the plugin is
   * registered.
   *
   * Nothing is written: it is no activity, it sets no cookie, and data of an older version of the schema are migrated for the reader
   * alone. A session that is bound to a device needs the proof of its browser; `onSkipped` does not count. A cookie of another library
   * opens nothing before an ordinary request has adopted it.
   *
   * Rejects with `ERR_SESSION_STORE_UNAVAILABLE` while the store, or the list of `revocations`, is down, and with `ERR_SESSION_VALUE` for
   * what is no request.
   *
   * @example
   * ```ts
   * import type { RawSession } from 'fastify-typed-session'
   * import { type DefaultEventsMap as Any, Server } from 'socket.io'
   *
   * const io = new Server<Any, Any, Any, { session: RawSession }>(app.server)
   * io.use(async (socket, next) => {
   *   const session = await app.sessions.ofRaw(socket.request).catch(() => undefined)
   *   if (session?.data.userId === undefined) return next(new Error('Log in first.'))
   *   socket.data.session = session
   *   next()
   * })
   * io.on('connection', (socket) => {
   *   const { session } = socket.data
   *   session.signal.addEventListener('abort', () => socket.disconnect(true))
   *   socket.on('disconnect', () => session.release())
   * })
   * ```
   */
  ofRaw(request: RawRequest): Promise<RawSession<Data> | undefined>

  /**
   * Calls the listener for each session that has ended, as far as this process causes it or hears of it, and returns a function that
   * ends that: to close what belongs to a session, or to write an audit log (OWASP ASVS 16.3.1). With Redis and PostgreSQL, and with
   * `revocations`, processes tell each other; with other stores, this process tells of its own endings, and of sessions with an open
   * `session.signal`. Only `MemoryStore` tells of a session that expires while nothing is open. The same ending may be told twice. What the listener throws
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
