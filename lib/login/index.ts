import type {} from 'fastify'

export type {
  FreshLoginOptions,
  LoginCallOptions,
  LoginEvent,
  LoginEventType,
  LoginOptions,
  RememberOptions,
  User
} from '../../types/login.ts'
export { login, login as default } from './login.ts'

// It has to stand in this file: see lib/index.ts.
declare module 'fastify' {
  interface FastifyRequest {
    /**
     * Who is logged in. In a guarded handler it is there; elsewhere await `loadUser` first, or reading it throws
     * `ERR_SESSION_NOT_LOADED` when somebody may be.
     */
    readonly user: import('../../types/login.ts').User | null

    /**
     * When the user last proved in this session who they are; null for nobody, and for a login that was remembered. Throws as
     * `user` does.
     */
    readonly authenticatedAt: Date | null

    /**
     * Finds out who is logged in, also from a remembered login. At most once per request, however many ask. While the store is
     * down it rejects with `ERR_SESSION_STORE_UNAVAILABLE`, or gives null on a route with `onStoreError: 'anonymous'`.
     */
    loadUser(): Promise<import('../../types/login.ts').User | null>

    /**
     * Logs a user in: call it when you have checked the password. The session gets a new id and begins anew (session fixation,
     * OWASP ASVS 7.2.4), keeps what the visitor did before, but for the CSRF secret, and loses what belongs to another user.
     * Throws `ERR_SESSION_VALUE` for a user without a proper id, `ERR_SESSION_DISABLED` on a route without a session, and
     * `ERR_SESSION_DESTROYED` after `session.destroy()`. With `remember` the session is kept at once, so that it also throws what
     * `session.commit()` throws.
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

    /** Logs out: the session ends with all its data, and so does what remembers this browser. */
    logout(): Promise<void>

    /**
     * Notes that the user has just proved who they are: call it when you have checked the password once more. The session gets
     * a new id (OWASP ASVS 7.2.4). Throws `ERR_SESSION_LOGIN_REQUIRED` when nobody is logged in.
     */
    confirmLogin(): Promise<void>

    /**
     * Ends all other sessions of the user, and what remembers other browsers: after a change of password, or for a button "log
     * out everywhere else" (OWASP ASVS 7.4.3). How many there were. Needs a store, or throws `ERR_SESSION_STORE_REQUIRED`.
     */
    logoutOthers(): Promise<number>
  }

  interface FastifyInstance {
    /** A guard for those who are logged in: sends browsers to `loginPath`, and types `request.user`. */
    loginRequired(
      options?: import('../../types/guard.ts').GuardOptions
    ): import('../../types/guard.ts').Guard<{ readonly user: import('../../types/login.ts').User }>

    /**
     * A guard for what needs a password that was given not long ago (OWASP ASVS 7.5.1): sends browsers to `confirmPath`. A
     * remembered login is never fresh.
     *
     * @example
     * ```ts
     * app.post('/email', app.freshLoginRequired({ within: 600 }).handle(async (request) => request.user.name))
     * ```
     */
    freshLoginRequired(
      options?: import('../../types/login.ts').FreshLoginOptions
    ): import('../../types/guard.ts').Guard<{ readonly user: import('../../types/login.ts').User }>

    /** A guard for users who have one of some roles, as the option `roles` says. Options go last. */
    requireRole(
      ...rolesAndOptions:
        | readonly [string, ...string[]]
        | readonly [string, ...string[], import('../../types/guard.ts').GuardOptions]
    ): import('../../types/guard.ts').Guard<{ readonly user: import('../../types/login.ts').User }>
  }
}
