import type { FastifyRequest } from 'fastify'
import type { GuardOptions, RefusalReason } from './guard.ts'
import type { CookieAttributes } from './options.ts'
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

/** Options of the login kit. Durations are in seconds. */
export interface LoginOptions {
  /**
   * The user with an id, or null for nobody: then a session that says otherwise ends, so that disabling an account logs it out
   * everywhere (OWASP ASVS 7.4.2). Called at most once per request, and only when somebody asks for the user.
   */
  loadUser(id: string, request: FastifyRequest): MaybePromise<User | null | undefined>
  /** The id of a user: 1 to 255 characters. Default: `user.id` as a string. */
  getId?(user: User): string
  /** Where guards send browsers to log in. Default: nowhere, so that everybody gets the error. */
  readonly loginPath?: string
  /** Where `freshLoginRequired` sends browsers to give their password once more. Default `loginPath`. */
  readonly confirmPath?: string
  /** The roles of a user, for `requireRole`. */
  roles?(user: User): readonly string[]
  /**
   * Something of the user that changes with the password, such as its salted hash. When it has changed, older sessions of the
   * user end at their next request, in the cookie modes, too. Call `request.login(user)` after the change, so that the session
   * that made it stays. Sessions from before this option was set end as well. The session holds its SHA-256, which a signed
   * cookie shows to the user: it must not be something that can be guessed.
   */
  authHash?(user: User): string
  /**
   * What a change of client address or user agent does to a login: `basic` makes it not fresh, `strong` ends it. Phones change
   * their address several times a day, and browsers their name with every update. Default `'basic'`.
   */
  readonly protection?: 'basic' | 'strong' | false
  /**
   * Remembers logins beyond the session, in a cookie of their own. Needs a store, or it is refused with
   * `ERR_SESSION_STORE_REQUIRED`; with one that cannot list sessions the login that is to be remembered is. Default false.
   */
  readonly remember?: boolean | RememberOptions
  /** Whether `logout` sends `Clear-Site-Data: "cache", "storage"` (OWASP ASVS 14.3.1). Browsers obey over HTTPS. Default false. */
  readonly clearSiteData?: boolean
  /** The member of the session in which `@fastify/csrf-protection` keeps its secret, which a login replaces. Default `'_csrf'`. */
  readonly csrfKey?: string
  /** The session that this is for: the option of the same name. Default `'session'`. */
  readonly decorator?: string
  /** Milliseconds since 1970. For tests. Default: the clock of the session. */
  readonly clock?: () => number
}

/**
 * How logins are remembered: on the 100 browsers per user that logged in last. A token is replaced whenever a session begins by
 * it. One that was replaced earlier than `grace` ago ends the login in its browser and in that of whoever has a copy, with an
 * event `theft`. Durations are in seconds.
 */
export interface RememberOptions {
  /** Default `'remember'`. A prefix such as `__Host-` is understood. */
  readonly cookieName?: string
  /** Attributes of the cookie, with the same defaults as those of the session. */
  readonly cookie?: CookieAttributes
  /** How long a login is remembered after it was last used. Default 2 592 000, which is 30 days. At most 400 days. */
  readonly maxAge?: number
  /** For how long a token that was just replaced is taken: for requests in parallel, and for replies that got lost. Default 60. */
  readonly grace?: number
}

/** What `request.login` takes. */
export interface LoginCallOptions {
  /** Whether to remember the login beyond the session. Default false. */
  readonly remember?: boolean
  /** Whether the user has just proved who they are; false for a link in an e-mail, say. Default true. */
  readonly fresh?: boolean
}

/** What `app.freshLoginRequired` takes. */
export interface FreshLoginOptions extends GuardOptions {
  /** How long ago the password may have been given, in seconds. Default: in this session, which a remembered login is not. */
  readonly within?: number
}

/** What happened to a login. */
export type LoginEventType =
  /** `request.login()` or `request.confirmLogin()`. */
  | 'login'
  /** `request.logout()`. */
  | 'logout'
  /** A guard of the kit refused a request. */
  | 'refused'
  /** A remembered login began a session. */
  | 'remembered'
  /** A remember token came that was replaced before the grace period: two parties have it. Both are logged out. */
  | 'theft'
  /** The client is not the one that logged in: the login is not fresh any more, or has ended. */
  | 'protected'
  /** The user is gone, or the password has changed: the session has ended. */
  | 'ended'

/** The message on the `diagnostics_channel` named `fastify-typed-session/login`. It never holds a token or a user. */
export interface LoginEvent {
  readonly type: LoginEventType
  readonly request: FastifyRequest
  /** Whose login it is; undefined for nobody's. */
  readonly userId: string | undefined
  /** Why a guard refused. */
  readonly reason: RefusalReason | undefined
}
