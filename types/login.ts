import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import type { Guard, GuardOptions, RefusalReason } from './guard.ts'
import type { Method } from './method.ts'
import type { CookieAttributes } from './options.ts'
import type { Problem } from './problem.ts'
import type { SessionValues } from './session.ts'
import type { MaybePromise } from './store.ts'

/**
 * The shape of your users, empty until you add to it:
 *
 * ```ts
 * import type {} from 'fastify-typed-session/login'
 *
 * declare module 'fastify-typed-session/login' {
 *   interface User {
 *     id: number
 *     name: string
 *     roles: string[]
 *   }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged into
export interface User {}

/**
 * The users of further login kits, by the option `userDecorator` of each kit. It is empty until you add to it, and types
 * `request.adminUser` as well as the kit itself:
 *
 * ```ts
 * import type {} from 'fastify-typed-session/login'
 *
 * interface Admin {
 *   id: number
 *   email: string
 * }
 *
 * declare module 'fastify-typed-session/login' {
 *   interface LoginUsers {
 *     adminUser: Admin
 *   }
 * }
 * ```
 */
// biome-ignore lint/suspicious/noEmptyInterface: it is there to be merged into
export interface LoginUsers {}

/** The names of login kits: the option `userDecorator` of each. */
export type LoginName = 'user' | Extract<keyof LoginUsers, string>

/** The users of a login kit. */
export type UserOf<Name extends LoginName> = Name extends 'user' ? User : LoginUsers[Name & keyof LoginUsers]

/** What requests have for further login kits: the user of each, under its name. */
export type RequestUsers = { readonly [Name in Exclude<LoginName, 'user'>]: UserOf<Name> | null }

/** What a guard of a login kit adds to a request. */
export type LoggedIn<Name extends LoginName = 'user'> = { readonly [Key in Name]: UserOf<Name> }

/**
 * The options of a login kit. An option that is undefined has its default. Durations are in seconds. A wrong value is refused
 * with `ERR_SESSION_OPTION_INVALID` at start, and an unknown name with `ERR_SESSION_OPTION_UNKNOWN`.
 */
export type LoginOptions<Name extends LoginName = 'user'> = CommonLoginOptions<UserOf<Name>> &
  (Name extends 'user' ? DefaultKitName : KitName<Name>)

/** How the kit at `request.user` is named. */
export interface DefaultKitName {
  /** Leave it out. `login<'adminUser'>` is the plugin for the name `'adminUser'`. */
  readonly userDecorator?:
    | 'user'
    | Problem<"the plugin of a kit with another name is login<'adminUser'>, for example">
    | undefined
}

/** How any other login kit is named. */
export interface KitName<Name extends LoginName> {
  /**
   * The member of a request that has the user. It is the name of the kit, which `getLogin()` and `getLoginGuards()` take. A kit
   * with another name than `'user'` adds this member alone, which `LoginUsers` declares: `login<'adminUser'>` is the plugin with
   * its types. It needs a session with another `decorator`, `cookieName` and store than that of every other kit, or is refused
   * with `ERR_SESSION_DUPLICATE`. Default `'user'`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret: process.env.SESSION_SECRET, decorator: 'adminSession', cookieName: 'admin' })
   * await app.register(login<'adminUser'>, {
   *   userDecorator: 'adminUser',
   *   decorator: 'adminSession',
   *   loadUser: (id) => admins.get(id)
   * })
   * ```
   */
  readonly userDecorator: Name
}

/** The login kit as a Fastify plugin: `login`, and `login<'adminUser'>` for a kit with another name. */
export type LoginPlugin = (<Name extends LoginName>(
  app: FastifyInstance,
  options: LoginOptions<Name>
) => Promise<void>) &
  // The last signature is the one that `register()` looks at.
  FastifyPluginAsync<LoginOptions>

/** The options that all login kits have. `Person`: the type of their users. */
export interface CommonLoginOptions<Person> {
  /**
   * Returns the user with this id (a string), or null if there is none; may be async. Null ends a session that names the user,
   * so that disabling an account logs it out everywhere (OWASP ASVS 7.4.2). The kit calls it only when something asks for the
   * user, and at most once per request; a guard calls it again if the user was loaded `freshness` seconds ago. What it throws
   * fails the request and logs nobody out. Required.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id) })
   * ```
   */
  loadUser(id: string, request: FastifyRequest): MaybePromise<Person | null | undefined>
  /**
   * Says who sends a request that has an `Authorization` header; may be async. Default: none, and the kit ignores the header.
   *
   * - A user: that is `request.user` of this request. No session is used, made or saved, and no cookie is sent.
   * - `null`: the token is not valid. Nobody is logged in, and guards answer 401. A session that comes along is not used.
   * - `undefined`: the header is not for the application, such as the password of a proxy. The session decides.
   *
   * The kit calls it when something asks for the user, mostly once per request. The first answer decides for the whole request
   * whether the header counts. What it throws fails the request, and logs nobody in. It must not call `request.loadUser()` or
   * `request.login()`, which wait for it. For other values the request fails with `ERR_SESSION_VALUE`.
   *
   * @example
   * ```ts
   * import { createHash } from 'node:crypto'
   *
   * declare const owners: ReadonlyMap<string, string> // the SHA-256 of each token, and the id of its user
   *
   * await app.register(login, {
   *   loadUser: (id) => users.get(id),
   *   authenticate: ({ headers: { authorization = '' } }) => {
   *     const [, token] = /^Bearer (.+)$/i.exec(authorization) ?? []
   *     if (token === undefined) return undefined
   *     const id = owners.get(createHash('sha256').update(token).digest('hex'))
   *     return id === undefined ? null : users.get(id) ?? null
   *   }
   * })
   * ```
   */
  readonly authenticate?: Method<[request: FastifyRequest], MaybePromise<Person | null | undefined>> | undefined
  /**
   * The `WWW-Authenticate` header with which guards answer 401: a scheme, and perhaps parameters. To a client whose token is not
   * valid, `Bearer` and `DPoP` also say `error="invalid_token"` (RFC 6750). It needs `authenticate`. Default `'Bearer'`.
   *
   * @example
   * ```ts
   * await app.register(login, {
   *   loadUser: (id) => users.get(id),
   *   authenticate: async () => null,
   *   challenge: 'Bearer realm="shop"'
   * })
   * ```
   */
  readonly challenge?: string | undefined
  /**
   * Returns the id of a user: a string of 1 to 255 characters. `request.login()` throws `ERR_SESSION_VALUE` for any other.
   * Default: `user.id` as a string.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), getId: (user) => `user:${user.id}` })
   * ```
   */
  readonly getId?: Method<[user: Person], string> | undefined
  /**
   * The page to which guards redirect browsers when nobody is logged in: a path, or a function that returns one for a request,
   * as for the option `redirectTo` of a guard. Default: every client gets the error.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), loginPath: '/login' })
   * ```
   */
  readonly loginPath?: GuardOptions['redirectTo']
  /**
   * The page to which `freshLoginRequired` redirects browsers whose user has to give the password once more: a path, or a
   * function that returns one for a request. Default: the `loginPath`.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), loginPath: '/login', confirmPath: '/confirm' })
   * ```
   */
  readonly confirmPath?: GuardOptions['redirectTo']
  /**
   * Returns the roles of a user, for `requireRole`. The request fails with `ERR_SESSION_VALUE` when it returns no array.
   * Default: none, and `requireRole` throws `ERR_SESSION_OPTION_INVALID`.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), roles: (user) => user.roles })
   * ```
   */
  readonly roles?: Method<[user: Person], readonly string[]> | undefined
  /**
   * Returns a string that changes with the password of a user, such as its salted hash. When it has changed, older sessions of
   * the user end at their next request, in the cookie modes too (OWASP ASVS 7.4.3). Call `request.login(user)` after the
   * change, so that the session that made the change stays. Sessions from before this option was set end as well. For a new
   * hash of the same password call `request.rehashed(user)`.
   *
   * The session holds a SHA-256 of the string, which a signed cookie shows to the user, so take nothing that can be guessed.
   * The request fails with `ERR_SESSION_VALUE` when it returns no string. Default: none.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), authHash: (user) => user.passwordHash })
   * ```
   */
  readonly authHash?: Method<[user: Person], string> | undefined
  /**
   * What the kit does when the address or the user agent of the client changes. `'basic'`: the login is no longer fresh.
   * `'strong'`: the login ends, and a remembered one as well, also for a client that sends the remember cookie alone. `false`:
   * nothing. The address of a phone changes several times a day, and the user agent with
   * every update of the browser. Default `'basic'`.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), protection: 'strong' })
   * ```
   */
  readonly protection?: 'basic' | 'strong' | false | undefined
  /**
   * Whether `request.login(user, { remember: true })` remembers a login beyond the session, in a second cookie. It needs a
   * store, or is refused with `ERR_SESSION_STORE_REQUIRED` at start; with an `ExpressStore` that cannot list sessions,
   * `request.login()` throws that error. Default `false`.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), remember: { maxAge: 14 * 86_400 } })
   * ```
   */
  readonly remember?: boolean | RememberOptions | undefined
  /**
   * Whether `logout` sends `Clear-Site-Data: "cache", "storage"`, which browsers obey over HTTPS (OWASP ASVS 14.3.1). Default
   * `false`.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), clearSiteData: true })
   * ```
   */
  readonly clearSiteData?: boolean | undefined
  /**
   * Whether pages of other hosts of your site may call `login()`, `logout()` and `confirmLogin()`, such as `www.example.com` for
   * `app.example.com`. Otherwise these reject with `ERR_SESSION_CROSS_SITE`, as for every other site. Default `false`.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), allowSameSite: true })
   * ```
   */
  readonly allowSameSite?: boolean | undefined
  /**
   * Seconds for which an impersonation may be left alone. The first request after that is nobody's; then the session is that of the
   * impersonator again. It may end a tenth earlier. Default 900, which is 15 minutes.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), impersonationIdleTimeout: 300 })
   * ```
   */
  readonly impersonationIdleTimeout?: number | undefined
  /**
   * The member of the session in which `@fastify/csrf-protection` keeps its secret: its option `sessionKey`. A login removes
   * it, so that a token from before the login is no longer valid. Default `'_csrf'`.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), csrfKey: 'csrf' })
   * ```
   */
  readonly csrfKey?: string | undefined
  /**
   * The session that the kit uses: the option `decorator` of that session. Default `'session'`.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), decorator: 'adminSession' })
   * ```
   */
  readonly decorator?: string | undefined
  /**
   * Returns the time in milliseconds since 1970. Set it in tests. Default: the `clock` of the session.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), clock: new FakeClock().now })
   * ```
   */
  readonly clock?: (() => number) | undefined
}

/**
 * How the kit remembers logins. Durations are in seconds.
 *
 * The cookie holds a token that is valid once: it begins one session and gets the next token. Parallel requests with one token
 * share this session. When a token is used again later, somebody has a copy of the cookie, so the login ends for both, with an
 * event `theft`. A user is remembered on at most 100 browsers; one more replaces the oldest. Of one request, at most eight
 * cookies of the name are looked at.
 */
export interface RememberOptions {
  /**
   * The name of the cookie. The rules of prefixes such as `__Host-` are enforced at start, with `ERR_SESSION_COOKIE_RULE`.
   * Default `'remember'`.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), remember: { cookieName: '__Host-remember' } })
   * ```
   */
  readonly cookieName?: string | undefined
  /**
   * The attributes of the cookie. Each has the same default as for the session cookie.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), remember: { cookie: { sameSite: 'strict' } } })
   * ```
   */
  readonly cookie?: CookieAttributes | undefined
  /**
   * Seconds from the last use for which a login is remembered: at most 34 560 000, which is 400 days, and at most
   * `absoluteMaxAge`. Default 2 592 000, which is 30 days, or `absoluteMaxAge` if that is shorter.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), remember: { maxAge: 7 * 86_400 } })
   * ```
   */
  readonly maxAge?: number | undefined
  /**
   * Seconds from `request.login()` for which a login is remembered, however often it is used. After that, nothing of it goes
   * on: neither the token nor a session that has begun with this login or with its tokens (OWASP ASVS 7.3.2).
   * Such a session ends at the next request that loads the user, with an event `ended`. Logging in again with `remember`
   * starts anew. Default 31 536 000, which is 365 days.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), remember: { absoluteMaxAge: 90 * 86_400 } })
   * ```
   */
  readonly absoluteMaxAge?: number | undefined
  /**
   * Seconds for which the previous token is still good, for requests in parallel and for replies that got lost: at most 86 400.
   * It leads to the same session and the same next token. Default 60.
   *
   * @example
   * ```ts
   * await app.register(login, { loadUser: (id) => users.get(id), remember: { grace: 10 } })
   * ```
   */
  readonly grace?: number | undefined
}

/** The options of `request.loadUser()`. */
export interface LoadUserOptions {
  /**
   * Whether to look at what is true now, instead of once per request: `true` asks the store for the session and calls the option
   * `loadUser` again. Use it on an open WebSocket or stream, before something that the user may no longer do. Default `false`.
   *
   * @example
   * ```ts
   * import type {} from '@fastify/websocket'
   *
   * app.get('/events', { websocket: true }, (socket, request) => {
   *   socket.on('message', async () => {
   *     const user = await request.loadUser({ fresh: true })
   *     if (user === null) socket.close(1008)
   *   })
   * })
   * ```
   */
  readonly fresh?: boolean | undefined
}

/** The options of `request.login()`. */
export interface LoginCallOptions {
  /**
   * Whether to remember the login beyond the session. It needs the option `remember` of the kit, or `ERR_SESSION_VALUE` is
   * thrown. Default `false`.
   *
   * @example
   * ```ts
   * app.post('/login', async (request) => {
   *   const user = await checkPassword(request.body)
   *   if (user !== null) await request.login(user, { remember: true })
   * })
   * ```
   */
  readonly remember?: boolean | undefined
  /**
   * Whether the user has just proved who they are. `false` for a link in an e-mail, for example: `freshLoginRequired` then asks
   * for the password. Default `true`.
   *
   * @example
   * ```ts
   * app.get<{ Params: { id: string } }>('/link/:id', async (request) => {
   *   const user = users.get(request.params.id)
   *   if (user !== undefined) await request.login(user, { fresh: false })
   * })
   * ```
   */
  readonly fresh?: boolean | undefined
  /**
   * The keys that may stay of an anonymous session. Everything else that a stranger stored is removed, such as a `mfaPassed`
   * that somebody has planted; the page for `safeNext` stays. It does not concern a session of the same user, which keeps its
   * data, nor that of another user, which loses them. Default: every key stays except the CSRF secret.
   *
   * @example
   * ```ts
   * app.post('/login', async (request) => {
   *   const user = await checkPassword(request.body)
   *   if (user !== null) await request.login(user, { keep: ['cart'] })
   * })
   * ```
   */
  readonly keep?: readonly Extract<keyof SessionValues, string>[] | undefined
  /**
   * Whether a page of another site may cause this login by an unsafe method such as `POST`: for SAML, or an OAuth provider with
   * `response_mode=form_post`. Set it only after you have checked a `state` or an assertion that belongs to this browser.
   * Otherwise `request.login()` rejects with `ERR_SESSION_CROSS_SITE`. Default `false`.
   *
   * @example
   * ```ts
   * app.post('/saml', async (request) => {
   *   const user = await checkPassword(request.body)
   *   if (user !== null) await request.login(user, { allowCrossSite: true })
   * })
   * ```
   */
  readonly allowCrossSite?: boolean | undefined
}

/** The options of `app.freshLoginRequired()`. */
export interface FreshLoginOptions extends GuardOptions {
  /**
   * Seconds within which the user must have given the password. Default: at any time in this session. A remembered login is
   * never fresh.
   *
   * @example
   * ```ts
   * app.post('/email', app.freshLoginRequired({ within: 600 }).handle(async (request) => request.user.name))
   * ```
   */
  readonly within?: number | undefined
}

/**
 * What a login kit adds to a request. The members of the kit at `request.user` are members of the request; `getLogin()` returns
 * those of any kit. `Person`: the type of its users.
 */
export interface Login<Person = User> {
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
  readonly user: Person | null

  /**
   * Who acts as the user, by `impersonate()`; null if the user acts in person, or nobody is logged in. Throws
   * `ERR_SESSION_NOT_LOADED` as `user` does.
   *
   * @example
   * ```ts
   * app.get('/me', app.loginRequired().handle(async ({ user, impersonator }) => {
   *   return impersonator === null ? user.name : `${impersonator.name} acting as ${user.name}`
   * }))
   * ```
   */
  readonly impersonator: Person | null

  /**
   * When the user last proved their identity in this session: by `login()`, or by `confirmLogin()`. It is null if nobody is
   * logged in, for a remembered login, for a token, and for an impersonator. Throws `ERR_SESSION_NOT_LOADED` as `user` does.
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
  loadUser(options?: LoadUserOptions): Promise<Person | null>

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
  login(user: Person, options?: LoginCallOptions): Promise<void>

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
   * Lets the user who is logged in act as another one: `user` is that one, and `impersonator` is who really sends the requests. Who
   * may do that is up to the guards of the route. The session stays that of the impersonator, gets a new id and is saved when the
   * promise resolves. Its data wait for `stopImpersonating()`: none of them counts for the user, and the other way round.
   *
   * It ends with the login of the impersonator, after `impersonationIdleTimeout`, and when the user is gone or has a new password.
   * Meanwhile nobody has a fresh login, and `login()`, `confirmLogin()`, `logoutOthers()`, `rehashed()` and another `impersonate()`
   * reject with `ERR_SESSION_IMPERSONATION`. It rejects with that for the user who is logged in, too, with `ERR_SESSION_VALUE` for a
   * user whom `loadUser` does not know, with `ERR_SESSION_LOGIN_REQUIRED` if nobody is logged in, and with the errors of
   * `session.commit()`.
   *
   * @example
   * ```ts
   * app.post<{ Params: { id: string } }>(
   *   '/admin/act-as/:id',
   *   and(app.requireRole('admin'), app.freshLoginRequired({ within: 600 })).handle(async (request, reply) => {
   *     const user = users.get(request.params.id)
   *     if (user === undefined) return reply.callNotFound()
   *     await request.impersonate(user)
   *     return reply.redirect('/', 303)
   *   })
   * )
   * ```
   */
  impersonate(user: Person): Promise<void>

  /**
   * Ends an impersonation: `user` is the impersonator again, whose session has a new id and its data from before. It is saved when the
   * promise resolves. Does no harm if there is none. Rejects with `ERR_SESSION_CROSS_SITE` as `login()` does, and with the errors of
   * `session.commit()`.
   *
   * @example
   * ```ts
   * app.post('/act-as-myself', async (request, reply) => {
   *   await request.stopImpersonating()
   *   return reply.redirect('/admin', 303)
   * })
   * ```
   */
  stopImpersonating(): Promise<void>

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
  rehashed(user: Person): Promise<void>
}

/** The guards of a login kit. Those of the kit at `request.user` are members of the application; `getLoginGuards()` returns those of any kit. */
export interface LoginGuards<Name extends LoginName = 'user'> {
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
  loginRequired(options?: GuardOptions): Guard<LoggedIn<Name>>

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
  freshLoginRequired(options?: FreshLoginOptions): Guard<LoggedIn<Name>>

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
    ...rolesAndOptions: readonly [string, ...string[]] | readonly [string, ...string[], GuardOptions]
  ): Guard<LoggedIn<Name>>

  /**
   * Returns a guard that refuses whoever acts as another user, with 403, and lets all others through, strangers too. Put it beside
   * another guard, or on a whole scope. `freshLoginRequired` contains it.
   *
   * @example
   * ```ts
   * app.get('/letters', and(app.loginRequired(), app.notImpersonating()).handle(async (request) => request.user.name))
   * ```
   */
  notImpersonating(options?: GuardOptions): Guard
}

/** What happened to a login. */
export type LoginEventType =
  /** `request.login()` or `request.confirmLogin()` succeeded. */
  | 'login'
  /** `request.logout()` was called. */
  | 'logout'
  /** A guard of the kit refused a request. */
  | 'refused'
  /** A remembered login began a session. Of parallel requests, one says so. */
  | 'remembered'
  /** A remember token came after its grace period, so that two parties have it. The login has ended for both. */
  | 'theft'
  /** The address or the user agent of the client has changed. The login is no longer fresh, or has ended. */
  | 'protected'
  /**
   * `loadUser` returned no user, `authHash` another string than before, or the login was remembered for longer than
   * `absoluteMaxAge`. The session has ended.
   */
  | 'ended'
  /** `request.impersonate()` succeeded. */
  | 'impersonation'
  /**
   * An impersonation has ended: by `request.stopImpersonating()`, `request.logout()`, after `impersonationIdleTimeout`, because the
   * user is gone or has a new password, or with the login of the impersonator. None tells of a session that expires.
   */
  | 'impersonation-ended'

/**
 * The message on the `diagnostics_channel` named `fastify-typed-session/login`. It never contains a token or a user.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import type { LoginEvent } from 'fastify-typed-session/login'
 *
 * subscribe('fastify-typed-session/login', (message) => {
 *   const { type, userId, request } = message as LoginEvent
 *   if (type === 'theft') request.log.warn({ userId }, 'somebody has a copy of a remember cookie')
 * })
 * ```
 */
export interface LoginEvent {
  /** What happened. */
  readonly type: LoginEventType
  /** The request on which it happened. */
  readonly request: FastifyRequest
  /** The kit in which it happened: its option `userDecorator`. */
  readonly userDecorator: string
  /** The id of the user; undefined when nobody is logged in. */
  readonly userId: string | undefined
  /** The id of who acts as the user; undefined if nobody does. */
  readonly impersonatorId: string | undefined
  /** Why a guard refused; undefined for every other type. */
  readonly reason: RefusalReason | undefined
}
