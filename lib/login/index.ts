import type {} from 'fastify'

export type {
  FreshLoginOptions,
  LoadUserOptions,
  LoginCallOptions,
  LoginEvent,
  LoginEventType,
  LoginOptions,
  RememberOptions,
  User
} from '../../types/login.ts'
export { login, login as default } from './login.ts'

// This declaration must be in this file: see lib/index.ts.
declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The user who is logged in; null if nobody is. The handler of a guard can rely on it. Elsewhere call `loadUser()` first:
     * if somebody may be logged in and is not loaded yet, reading it throws `ERR_SESSION_NOT_LOADED`. It is null before the
     * `onRequest` hook of the kit, and in what runs when the reply or an error is on its way, such as an `onSend` hook, an error
     * handler or a log.
     *
     * @example
     * ```ts
     * app.get('/me', app.loginRequired().handle(async (request) => request.user.name))
     * ```
     */
    readonly user: import('../../types/login.ts').User | null

    /**
     * When the user last proved their identity in this session: by `login()`, or by `confirmLogin()`. It is null if nobody is
     * logged in, and for a remembered login. Throws `ERR_SESSION_NOT_LOADED` as `user` does.
     *
     * @example
     * ```ts
     * app.get('/account', app.loginRequired().handle(async (request) => ({ since: request.authenticatedAt })))
     * ```
     */
    readonly authenticatedAt: Date | null

    /**
     * Loads the user who is logged in, from the session or from a remembered login, and returns the user; null if nobody is
     * logged in. Calls the option `loadUser` at most once per request, unless a call fails or a guard runs much later.
     * `fresh: true` looks again: at the session, in a store, and at the user. After `ERR_SESSION_GONE` nobody is logged in. A
     * remembered login begins a session, so it counts only until the headers of the reply are sent.
     *
     * If the store is not available, it rejects with `ERR_SESSION_STORE_UNAVAILABLE`, or returns null on a route with
     * `onStoreError: 'anonymous'`. Rejects with `ERR_SESSION_OPTION_UNKNOWN` or `ERR_SESSION_OPTION_INVALID` for a wrong option.
     *
     * @example
     * ```ts
     * app.get('/', async (request) => {
     *   const user = await request.loadUser()
     *   return user === null ? 'Hello.' : `Hello, ${user.name}.`
     * })
     * ```
     */
    loadUser(
      options?: import('../../types/login.ts').LoadUserOptions
    ): Promise<import('../../types/login.ts').User | null>

    /**
     * Logs a user in. Call it after you have checked the password. The session gets a new id and starts again (session
     * fixation, OWASP ASVS 7.2.4). It keeps the data of an anonymous visitor and of the same user, except the CSRF secret, and
     * drops the data of another user. `keep` names what may stay of an anonymous visitor.
     *
     * Rejects with `ERR_SESSION_CROSS_SITE` if a page of another site has sent the request, unless the method is safe, such as
     * `GET`; with `ERR_SESSION_VALUE` for a user without a valid id, with `ERR_SESSION_DISABLED` on a route without sessions,
     * with `ERR_SESSION_DESTROYED` after `session.destroy()`, and with `ERR_SESSION_STORE_UNAVAILABLE` if the store is not
     * available. With `remember` it saves the session at once, and rejects with the errors of `session.commit()` as well.
     *
     * @example
     * ```ts
     * app.post('/login', async (request, reply) => {
     *   const user = await checkPassword(request.body)
     *   if (user === null) return reply.code(401).send('Wrong name or password.')
     *   await request.login(user, { remember: true })
     *   return reply.redirect(safeNext(request), 303)
     * })
     * ```
     */
    login(
      user: import('../../types/login.ts').User,
      options?: import('../../types/login.ts').LoginCallOptions
    ): Promise<void>

    /**
     * Logs the user out. The session ends with all its data, and this browser is no longer remembered. With a store, or with the
     * option `revocations`, it is over when the promise resolves (OWASP ASVS 7.4.1). Does no harm if nobody is logged in. Rejects
     * with `ERR_SESSION_CROSS_SITE` as `login()` does, with `ERR_SESSION_DISABLED` on a route without sessions, and with
     * `ERR_SESSION_STORE_UNAVAILABLE` if the store or the list is not available.
     *
     * @example
     * ```ts
     * app.post('/logout', async (request, reply) => {
     *   await request.logout()
     *   return reply.redirect('/', 303)
     * })
     * ```
     */
    logout(): Promise<void>

    /**
     * Makes the login fresh. Call it after the user has entered the password once more. The session gets a new id (OWASP ASVS
     * 7.2.4) and keeps its data, except the CSRF secret. It is saved when the promise resolves. Rejects with
     * `ERR_SESSION_LOGIN_REQUIRED` if nobody is logged in, with `ERR_SESSION_GONE` if another request has ended the session in
     * the meantime, with `ERR_SESSION_CROSS_SITE` as `login()` does, and with the errors of `session.commit()`.
     *
     * @example
     * ```ts
     * app.post('/confirm', app.loginRequired().handle(async (request, reply) => {
     *   const user = await checkPassword(request.body)
     *   if (user?.id !== request.user.id) return reply.code(401).send('Wrong password.')
     *   await request.confirmLogin()
     *   return reply.redirect(safeNext(request), 303)
     * }))
     * ```
     */
    confirmLogin(): Promise<void>

    /**
     * Ends all other sessions of the user, and remembered logins in other browsers. Returns the number of sessions; `NaN` with the
     * option `revocations`, because nobody can count them. Call it
     * after a change of the password, or for a button "log out everywhere else" (OWASP ASVS 7.4.3). Rejects with
     * `ERR_SESSION_STORE_REQUIRED` without a store and without `revocations`, and with `ERR_SESSION_LOGIN_REQUIRED` if nobody is
     * logged in.
     *
     * @example
     * ```ts
     * app.post('/logout-others', app.loginRequired().handle(async (request) => ({ ended: await request.logoutOthers() })))
     * ```
     */
    logoutOthers(): Promise<number>

    /**
     * Keeps the logins of a user whose password is the same and has a new hash, for example with a newer cost. Otherwise the
     * option `authHash` takes the new hash for a new password, and ends them. Call it after you have stored the hash, for the
     * user who is logged in: after `login()`, or where `request.user` is loaded. Never call it after a change of the password.
     *
     * Without a store it keeps the login of this request only. Rejects with `ERR_SESSION_LOGIN_REQUIRED` for any other user,
     * and with `ERR_SESSION_STORE_UNAVAILABLE` if the store is not available.
     *
     * @example
     * ```ts
     * app.post<{ Body: { password: string } }>('/login', async (request) => {
     *   const user = await checkPassword(request.body)
     *   if (user === null) return
     *   await request.login(user)
     *   user.passwordHash = await hash(request.body.password)
     *   await request.rehashed(user)
     * })
     * ```
     */
    rehashed(user: import('../../types/login.ts').User): Promise<void>
  }

  interface FastifyInstance {
    /**
     * Returns a guard that lets a request through if a user is logged in. It sends browsers to the option `loginPath`, and
     * answers other clients with 401. `handle` narrows `request.user` for its handler. Throws `ERR_SESSION_OPTION_INVALID` or
     * `ERR_SESSION_OPTION_UNKNOWN` for a wrong option.
     *
     * @example
     * ```ts
     * app.get('/me', app.loginRequired().handle(async (request) => request.user.name))
     * ```
     */
    loginRequired(
      options?: import('../../types/guard.ts').GuardOptions
    ): import('../../types/guard.ts').Guard<{ readonly user: import('../../types/login.ts').User }>

    /**
     * Returns a guard for routes that need a recent password (OWASP ASVS 7.5.1). It lets a request through if the user proved
     * their identity in this session, at most `within` seconds ago. A remembered login is never fresh. The guard sends browsers
     * to the option `confirmPath`, and answers other clients with 401.
     *
     * @example
     * ```ts
     * app.post('/email', app.freshLoginRequired({ within: 600 }).handle(async (request) => request.user.name))
     * ```
     */
    freshLoginRequired(
      options?: import('../../types/login.ts').FreshLoginOptions
    ): import('../../types/guard.ts').Guard<{ readonly user: import('../../types/login.ts').User }>

    /**
     * Returns a guard that lets a request through if the user has one of the given roles. Options go last. It answers 403
     * otherwise, and sends a browser without a login to the option `loginPath`. Throws `ERR_SESSION_OPTION_INVALID` without a
     * role, and if the login kit has no option `roles`.
     *
     * @example
     * ```ts
     * app.get('/admin', app.requireRole('admin', 'owner').handle(async (request) => request.user.name))
     * ```
     */
    requireRole(
      ...rolesAndOptions:
        | readonly [string, ...string[]]
        | readonly [string, ...string[], import('../../types/guard.ts').GuardOptions]
    ): import('../../types/guard.ts').Guard<{ readonly user: import('../../types/login.ts').User }>
  }
}
