import type { FastifyRequest } from 'fastify'
import type { SessionStore } from './store.ts'

/** A key to seal cookies with: a string of at least 32 characters, or at least 32 bytes. */
export type Secret = string | Uint8Array

/** The attributes of the session's cookie. `Max-Age` is not among them: it follows from the session's lifetime. */
export interface CookieAttributes {
  /** Default `'/'`. */
  path?: string
  /** Default: none, so that only the host that set the cookie gets it. */
  domain?: string | undefined
  /** Hides the cookie from scripts. Default `true`. */
  httpOnly?: boolean
  /** Default `'lax'`. `'none'` needs `secure: true`. */
  sameSite?: 'lax' | 'strict' | 'none'
  /**
   * Keeps the cookie off plain HTTP. Default `'auto'`: on when `request.protocol` is `https`, which behind a proxy that ends
   * TLS needs Fastify's `trustProxy`. Default `true` for names with a prefix.
   */
  secure?: boolean | 'auto'
  /** A jar of its own for each site that embeds yours (CHIPS). Needs `secure: true`. Default `false`. */
  partitioned?: boolean
  /** What Chromium drops first when there are too many cookies. Default: none. */
  priority?: 'low' | 'medium' | 'high' | undefined
}

type Letter = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm' | 'n' | 'o' | 'p' | 'q' | 'r'
type LastLetter = 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z'
type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
type Symbols = '!' | '#' | '$' | '%' | '&' | "'" | '*' | '+' | '-' | '.' | '^' | '`' | '|' | '~'
type Initial = Letter | LastLetter | Uppercase<Letter | LastLetter> | Digit | Symbols

/** A cookie name that does not start with two underscores, and so has no prefix that browsers enforce. */
export type OrdinaryCookieName = `${Initial}${string}` | '_' | `_${Initial}${string}`

/**
 * What `__Host-` and `__Host-Http-` demand (RFC 6265bis, section 4.1.3), and the `httpOnly` of the latter for both. Every cookie
 * name allows it.
 */
export interface HostCookieAttributes extends CookieAttributes {
  path?: '/'
  domain?: undefined
  httpOnly?: true
  secure?: true
}

/** What `__Secure-` and `__Http-` demand, and the `httpOnly` of the latter for both. */
export interface SecureCookieAttributes extends CookieAttributes {
  httpOnly?: true
  secure?: true
}

/** The options that do not depend on the cookie's name. */
export interface CommonSessionOptions {
  /**
   * What cookies are signed or encrypted with, newest first: the first seals, all open, and a cookie under an older one is
   * sent again under the newest. `npx fastify-typed-session secret` prints a good one. `undefined`, which is what an
   * environment variable that is not set gives, refuses to start with `ERR_SESSION_SECRET_MISSING`; a key that can be guessed
   * with `ERR_SESSION_SECRET_WEAK`.
   */
  secret: Secret | readonly Secret[] | undefined
  /** Seconds without activity after which the session ends, judged on the server. Default 86 400 (a day). */
  idleTimeout?: number
  /** Seconds after which the session ends whatever happens. Default 2 592 000 (30 days). */
  absoluteTimeout?: number
  /**
   * How old, in seconds, the note of the last activity may grow before a request renews it, which sends a cookie. Default:
   * the smaller of 60 and a tenth of `idleTimeout`. With 0 every request renews it and idle expiry is exact to the second.
   */
  refreshAfter?: number
  /** Whether new sessions outlive the browser: their cookie has a `Max-Age` (of at most 400 days). Default `false`. */
  permanent?: boolean
  /** The property of the request that holds the session. Default `'session'`. */
  decorator?: string
  /** Adds a `Session-Trace` header to every reply that says what was decided and why. For development. Default `false`. */
  debug?: boolean
  /** The time in milliseconds since 1970. For tests. Default `Date.now`. */
  clock?: () => number
}

/** The options of sessions that travel in the cookie. */
export interface CookieSessionOptions {
  /** Whether the data in the cookie are unreadable for the browser. Default `false`: readable, but not to be changed. */
  encrypt?: boolean
  store?: undefined
  storeTimeout?: undefined
  maxPerOwner?: undefined
  maxPerOwnerPolicy?: undefined
  describe?: undefined
}

/** The options of sessions that are kept on the server. */
export interface StoredSessionOptions {
  /**
   * Where sessions are kept on the server; the cookie then holds no more than a signed id. Default: none, so that the data
   * travel in the cookie. With a store there is nothing in the cookie to encrypt.
   */
  store: SessionStore | undefined
  encrypt?: false
  /**
   * Seconds, or parts of one, that the store may take for one call. After that the request fails with
   * `ERR_SESSION_STORE_UNAVAILABLE` (503) and an answer that comes late is ignored. Default 2.
   */
  storeTimeout?: number
  /** The most sessions that one owner (see `setOwner`) may have at a time. Default: no limit. */
  maxPerOwner?: number
  /**
   * What happens to one more: `evict-oldest` ends the owner's oldest session, `refuse` fails the request that would create it
   * with `ERR_SESSION_LIMIT` (409). Default `evict-oldest`. Only with `maxPerOwner`.
   */
  maxPerOwnerPolicy?: 'evict-oldest' | 'refuse'
  /**
   * What to note about a new session for the list of an owner's sessions, such as the user agent: an object of what JSON can
   * hold. It is called when a session is created or gets a new id.
   */
  describe?: (request: FastifyRequest) => object
}

/**
 * The options of the plugin. A name with a prefix goes only with the attributes that the prefix demands; so does a name that
 * is not known when the program is compiled.
 *
 * @example
 * ```ts
 * await app.register(session, {
 *   secret: [process.env.SESSION_SECRET!, process.env.OLD_SESSION_SECRET!],
 *   cookieName: '__Host-session',
 *   idleTimeout: 30 * 60
 * })
 * ```
 */
export type SessionOptions = CommonSessionOptions &
  (CookieSessionOptions | StoredSessionOptions) &
  (
    | { cookieName?: string; cookie?: HostCookieAttributes }
    | { cookieName: `__Secure-${string}` | `__Http-${string}`; cookie?: SecureCookieAttributes }
    | { cookieName?: OrdinaryCookieName; cookie?: CookieAttributes }
  )

/**
 * What a route says about sessions, as `config: { session: … }`. `false`: no work at all; `request.session` is then an empty
 * object that keeps nothing. `touch: false`: requests to this route do not count as activity, for pages that poll.
 * `onStoreError: 'anonymous'`: when the store is down the route is served with an empty session that keeps nothing, instead
 * of failing with 503; without a store it has nothing to do.
 *
 * @example
 * ```ts
 * app.get('/health', { config: { session: false } }, async () => 'ok')
 * app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => session.userId ?? 'you')
 * app.get('/unread', { config: { session: { touch: false } } }, async ({ session }) => session.visits ?? 0)
 * ```
 */
export type SessionRouteConfig =
  | false
  | { touch: boolean; onStoreError?: 'anonymous' }
  | { touch?: boolean; onStoreError: 'anonymous' }
