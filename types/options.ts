import type { FastifyRequest } from 'fastify'
import type { SessionFormat } from './format.ts'
import type { Problem } from './problem.ts'
import type { RevocationList } from './revocations.ts'
import type { SchemaOptions } from './schema.ts'
import type { SessionReader } from './session-reader.ts'
import type { SessionStore } from './store.ts'

/**
 * A key that signs or encrypts cookies: a string of at least 32 characters, or at least 32 bytes.
 * `npx fastify-typed-session secret` prints a random one.
 */
export type Secret = string | Uint8Array

/**
 * The attributes of the session cookie. An attribute that is undefined has its default. `Max-Age` is not among them: the plugin
 * computes it from the lifetime of the session.
 *
 * A wrong value is refused with `ERR_SESSION_OPTION_INVALID`, and a combination that browsers refuse with
 * `ERR_SESSION_COOKIE_RULE`: at start, or by `session.options()`.
 */
export interface CookieAttributes {
  /**
   * The path below which browsers send the cookie: a string that starts with `/`, of at most 1024 characters. Default `'/'`. It
   * does not protect the session from the rest of the site, whose scripts can still request this path (RFC 6265bis, section
   * 4.1.2.4).
   *
   * @example
   * ```ts
   * await app.register(session, { secret, cookie: { path: '/shop' } })
   * ```
   */
  path?: string | undefined
  /**
   * The domain whose hosts all get the cookie. Every host of the domain can then read and overwrite the session. Default: none,
   * and the browser sends the cookie only to the host that set it (RFC 6265bis, section 4.1.2.3).
   *
   * @example
   * ```ts
   * await app.register(session, { secret, cookie: { domain: 'example.com' } })
   * ```
   */
  domain?: string | undefined
  /**
   * Hides the cookie from the scripts of a page (RFC 6265bis, section 4.1.2.6; OWASP ASVS 3.3.4). Default `true`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, cookie: { httpOnly: true } })
   * ```
   */
  httpOnly?: boolean | undefined
  /**
   * Which requests from other sites carry the cookie (RFC 6265bis, section 4.1.2.7; OWASP ASVS 3.3.2). `'lax'`: only links that
   * a user follows. `'strict'`: none, so that a user who follows a link arrives without the session. `'none'`: all of them, for
   * pages that other sites embed. Browsers take `'none'` with `Secure` only: over plain HTTP `secure: 'auto'` sends `'lax'`
   * instead, and `secure: false` is refused. Default `'lax'`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, cookie: { sameSite: 'strict' } })
   * ```
   */
  sameSite?: 'lax' | 'strict' | 'none' | undefined
  /**
   * Whether browsers send the cookie over HTTPS only (RFC 6265bis, section 4.1.2.5; OWASP ASVS 3.3.1). `'auto'` sets the
   * attribute when `request.protocol` is `https`; behind a proxy that ends TLS this needs the option `trustProxy` of Fastify.
   * Default `true` for a `cookieName` with a prefix, and `'auto'` for any other.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, cookie: { secure: true } })
   * ```
   */
  secure?: boolean | 'auto' | undefined
  /**
   * Whether browsers keep a separate cookie for each site that embeds yours (CHIPS). It needs `secure: true`, and
   * `sameSite: 'none'` to be sent there. Default `false`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, cookie: { partitioned: true, sameSite: 'none', secure: true } })
   * ```
   */
  partitioned?: boolean | undefined
  /**
   * How early Chromium drops the cookie when a site has too many: `'low'` first. Default: none, which Chromium treats as
   * `'medium'`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, cookie: { priority: 'high' } })
   * ```
   */
  priority?: 'low' | 'medium' | 'high' | undefined
}

type Letter = 'a' | 'b' | 'c' | 'd' | 'e' | 'f' | 'g' | 'h' | 'i' | 'j' | 'k' | 'l' | 'm' | 'n' | 'o' | 'p' | 'q' | 'r'
type LastLetter = 's' | 't' | 'u' | 'v' | 'w' | 'x' | 'y' | 'z'
type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'
type Symbols = '!' | '#' | '$' | '%' | '&' | "'" | '*' | '+' | '-' | '.' | '^' | '`' | '|' | '~'
type Initial = Letter | LastLetter | Uppercase<Letter | LastLetter> | Digit | Symbols

/** A cookie name that does not start with two underscores, so that it has no prefix that browsers enforce. */
export type OrdinaryCookieName = `${Initial}${string}` | '_' | `_${Initial}${string}`

/** A cookie name with a prefix that demands `Secure`, and that leaves path and domain free. */
export type SecureCookieName = `__Secure-${string}` | `__Http-${string}`

/**
 * The attributes that every cookie name allows. `__Host-` demands `secure: true`, `path: '/'` and no domain (RFC 6265bis,
 * section 4.1.3). `__Host-Http-` also demands `httpOnly: true`; the types demand that of both prefixes.
 */
export interface HostCookieAttributes extends CookieAttributes {
  /** The prefix demands `'/'`, which is also the default. */
  path?: '/' | undefined
  /** The prefix forbids a domain. */
  domain?: undefined
  /** `true`, which is also the default. */
  httpOnly?: true | undefined
  /** The prefix demands `true`, which is also the default. */
  secure?: true | undefined
}

/**
 * The attributes that every name allows, except names with `__Host-` or `__Host-Http-`. `__Secure-` demands `secure: true`, and
 * `__Http-` also `httpOnly: true`; the types demand both attributes of both prefixes.
 */
export interface SecureCookieAttributes extends CookieAttributes {
  /** `true`, which is also the default. */
  httpOnly?: true | undefined
  /** The prefix demands `true`, which is also the default. */
  secure?: true | undefined
}

/** The name of the cookie, with the attributes that go with such a name. */
export interface CookieOptions<Name extends string, Attributes extends object> {
  /**
   * The name of the cookie: letters, digits and ``! # $ % & ' * + - . ^ _ ` | ~``. Default `'session'`.
   *
   * Browsers enforce rules on the prefixes `__Host-`, `__Secure-`, `__Http-` and `__Host-Http-` (RFC 6265bis, section 4.1.3).
   * The types check them, and the plugin refuses to start with `ERR_SESSION_COOKIE_RULE`. In production behind HTTPS use
   * `__Host-session`: no other host of your domain can then set the cookie (OWASP ASVS 3.3.3).
   *
   * Other errors at start: `ERR_SESSION_OPTION_INVALID` for a name that no cookie can have, `ERR_SESSION_DUPLICATE` when
   * another session of the scope has the same cookie, or one in a scope beside it has the same name and one of the same secrets.
   *
   * @example
   * ```ts
   * const isProduction = process.env.NODE_ENV === 'production'
   * await app.register(session, { secret, cookieName: isProduction ? '__Host-session' : 'session' })
   * ```
   */
  cookieName?: Name | undefined
  /**
   * The attributes of the cookie. Default: `Path=/; HttpOnly; SameSite=Lax`, and `Secure` over HTTPS. An unknown attribute is
   * refused with `ERR_SESSION_OPTION_UNKNOWN`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, cookie: { sameSite: 'strict', secure: true } })
   * ```
   */
  cookie?: Attributes | undefined
}

/** The options that every session has, wherever its data is. Durations are in seconds. */
export interface CommonSessionOptions extends SchemaOptions {
  /**
   * The key that signs or encrypts cookies. Of an array, the newest comes first: the first key signs or encrypts, and all of
   * them open. A cookie under an older key is sent again under the first one, so that changing the key logs nobody out.
   * Required, except with `format`, which has the keys of another framework.
   *
   * The plugin refuses to start with `ERR_SESSION_SECRET_MISSING` when the secret is `undefined`, for example because the
   * environment variable is not set; with `ERR_SESSION_SECRET_WEAK` when it is too short or can be guessed; and with
   * `ERR_SESSION_OPTION_INVALID` when it is neither text nor bytes, or is there twice.
   *
   * @example
   * ```ts
   * const { SESSION_SECRET, OLD_SESSION_SECRET } = process.env
   * await app.register(session, { secret: OLD_SESSION_SECRET ? [String(SESSION_SECRET), OLD_SESSION_SECRET] : SESSION_SECRET })
   * ```
   */
  secret: Secret | readonly Secret[] | undefined
  /** Without `secret`: see `FormattedSessionOptions`. */
  format?: undefined
  /**
   * Seconds without activity after which the session ends, judged on the server (OWASP ASVS 7.3.1). A whole number from 1 to
   * `absoluteTimeout`; otherwise `ERR_SESSION_OPTION_INVALID` at start. Default 86 400, a day.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, idleTimeout: 30 * 60 })
   * ```
   */
  idleTimeout?: number | undefined
  /**
   * Seconds after which the session ends whatever happens (OWASP ASVS 7.3.2). Only `regenerate()` starts a new count. A whole
   * number from 1 to 2 147 483 647; otherwise `ERR_SESSION_OPTION_INVALID` at start. Default 2 592 000, which is 30 days.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, absoluteTimeout: 12 * 60 * 60 })
   * ```
   */
  absoluteTimeout?: number | undefined
  /**
   * The most that `session.idleTimeout` can be set to, in seconds. A whole number from `idleTimeout` to `maxAbsoluteTimeout`; otherwise
   * `ERR_SESSION_OPTION_INVALID` at start. Default: `idleTimeout`, so that a session can only have a shorter one.
   *
   * A session that has more, because this was higher when it set it, has this. Not with `format`: the other framework has the same
   * timeouts for all sessions. A list of `revocations` keeps its entries as long as this.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, idleTimeout: 30 * 60, maxIdleTimeout: 30 * 86_400 })
   * ```
   */
  maxIdleTimeout?: number | undefined
  /**
   * The most that `session.absoluteTimeout` can be set to, in seconds. A whole number from `absoluteTimeout` to 2 147 483 647; otherwise
   * `ERR_SESSION_OPTION_INVALID` at start. Default: `absoluteTimeout`. For the rest, it is as `maxIdleTimeout`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, maxIdleTimeout: 90 * 86_400, maxAbsoluteTimeout: 90 * 86_400 })
   * ```
   */
  maxAbsoluteTimeout?: number | undefined
  /**
   * Seconds between two updates of the time of last activity; an update sends a cookie. With 0 every request updates it, and
   * the idle timeout is exact to the second; with a larger number the session may end that many seconds early. A whole number
   * below `idleTimeout`; otherwise `ERR_SESSION_OPTION_INVALID` at start. Default: the smaller of 60 and a tenth of
   * `idleTimeout`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, idleTimeout: 60, refreshAfter: 0 })
   * ```
   */
  refreshAfter?: number | undefined
  /**
   * Whether the cookie of a new session stays when the browser is closed: it has a `Max-Age` up to the end of the session, of at most
   * 400 days (RFC 6265bis, section 5.5). With the other defaults that is **one day** after the last visit: `idleTimeout` decides. Each
   * session can change its own by `session.permanent` and `session.idleTimeout`. Default `false`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, permanent: true })
   * ```
   */
  permanent?: boolean | undefined
  /**
   * Readers of the sessions of other libraries, from `fastify-typed-session/adopt`, so that nobody is logged out when you change over to
   * this one. A request that has the cookie of a reader and none of this session begins a session with the data that the reader finds.
   * They are asked in this order; for any other request, none is asked. Default: none.
   *
   * The plugin refuses to start with `ERR_SESSION_OPTION_INVALID` for anything but readers, for a reader of a cookie with the name of
   * this one, and for one without `remove: true` where neither a `store` nor `revocations` can remember what was adopted.
   *
   * @example
   * ```ts
   * import { secureSession } from 'fastify-typed-session/adopt'
   *
   * const old = secureSession({ key: process.env.OLD_KEY, cookieName: 'old', remove: true })
   * await app.register(session, { secret, adopt: [old] })
   * ```
   */
  adopt?: readonly SessionReader[] | undefined
  /**
   * The path under which a proxy serves the application and that it takes off before it passes a request on. Guards and
   * `safeNext()` put it in front of the paths to which they send browsers. A path without a slash at its end; otherwise
   * `ERR_SESSION_OPTION_INVALID`. Default: what `X-Forwarded-Prefix` says, if the option `trustProxy` of Fastify trusts the
   * proxy; otherwise none.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, basePath: '/shop' })
   * ```
   */
  basePath?: string | undefined
  /**
   * The property of the request that holds the session. A second session in one scope needs a `decorator` and a `cookieName`
   * that differ; `getSessions(app, decorator)` returns the sessions of its owners. The plugin refuses to start with
   * `ERR_SESSION_DUPLICATE` when a property of this name exists, and with `ERR_SESSION_OPTION_INVALID` when no property can
   * have this name. Default `'session'`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, decorator: 'adminSession', cookieName: 'admin' })
   * ```
   */
  decorator?: string | undefined
  /**
   * Whether every reply gets a `Session-Trace` header, which says what the plugin decided and why. Visitors can read it, so with
   * `true` only a process that starts with `NODE_ENV=development` sends it; with `'always'`, every process. Default `false`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, debug: true })
   * ```
   */
  debug?: boolean | 'always' | undefined
  /**
   * Returns the time in milliseconds since 1970. Set it in tests. Default `Date.now`.
   *
   * @example
   * ```ts
   * const clock = new FakeClock()
   * await app.register(session, { secret, clock: clock.now })
   * clock.advance(86_401) // every session has ended
   * ```
   */
  clock?: (() => number) | undefined
}

/** The options of sessions whose data is in the cookie. */
export interface CookieSessionOptions {
  /**
   * Whether the data in the cookie are encrypted. Default `false`: anyone who has the cookie can read the data, and nobody
   * can change it. Set it when the session holds what the visitor must not see. A change logs everybody out, because a cookie of
   * one mode never opens in the other.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, encrypt: true })
   * ```
   */
  encrypt?: boolean | undefined
  /** A store keeps the data on the server instead: see `StoredSessionOptions`. */
  store?: undefined
  /** Only with a `store`. */
  storeTimeout?: undefined
  /** Only with a `store`. */
  maxBytes?: undefined
  /** Only with a `store`. */
  maxPerOwner?: undefined
  /** Only with a `store`. */
  maxPerOwnerPolicy?: undefined
  /** Only with a `store`. */
  describe?: undefined
  /** Without a store there is no record to load anew. */
  freshness?: undefined
  /** Only with a `store`: elsewhere nothing is looked at. */
  signalInterval?: undefined
  /** See `RevocableSessionOptions`. */
  revocations?: undefined
  /** Only with `revocations`. */
  maxStaleness?: undefined
  /** Only with `revocations`. */
  onStale?: undefined
  /** Without `revocations` the server does not know that a session has got a new id. */
  renameGrace?: undefined
}

/** The options of sessions that travel in the cookie of another framework, which serves them, too. */
export interface FormattedSessionOptions
  extends Omit<CommonSessionOptions, 'secret' | 'format' | 'maxIdleTimeout' | 'maxAbsoluteTimeout'>,
    Omit<CookieSessionOptions, 'encrypt'> {
  /**
   * The cookie of the other framework: what `flaskCookie()` of `fastify-typed-session/flask` returns. It has the keys, so that there
   * is no `secret`. The data are in the cookie, for everyone to read, so that there is no `store`, no `encrypt` and no `revocations`:
   * with one of them the plugin refuses to start with `ERR_SESSION_OPTION_INVALID`. The defaults of `idleTimeout` and
   * `absoluteTimeout` are those of the framework. Default: none, and the cookie is one of ours.
   *
   * @example
   * ```ts
   * await app.register(session, { format: flaskCookie({ secretKey: process.env.FLASK_SECRET_KEY }) })
   * ```
   */
  format: SessionFormat
  /** The format has the keys: for Flask, the option `secretKey` of `flaskCookie()`. */
  secret?: undefined
  /** The other framework could not read the cookie. */
  encrypt?: undefined
  /** The other framework has the same timeouts for all sessions. */
  maxIdleTimeout?: undefined
  /** The other framework has the same timeouts for all sessions. */
  maxAbsoluteTimeout?: undefined
}

/** The options of sessions whose data is in the cookie, and that can end before the cookie expires. */
export interface RevocableSessionOptions
  extends Omit<CookieSessionOptions, 'revocations' | 'maxStaleness' | 'onStale' | 'renameGrace'> {
  /**
   * The list of the sessions that have ended early, which all processes share. A cookie that is on it opens nothing, also as a copy:
   * after `destroy()`, `logout()`, `renew()`, `regenerate()`, and `revoke()`, `revokeAll()` and `revokeEverything()` of
   * `app.sessions`. Each process holds the list in memory, so that a request asks nobody. Default: none, and a copy of a cookie opens
   * its session until it expires. Anything but a list is refused with `ERR_SESSION_OPTION_INVALID` at start.
   *
   * Until the list has answered for the first time, requests with a session fail with `ERR_SESSION_STORE_UNAVAILABLE` (503).
   *
   * @example
   * ```ts
   * await app.register(session, { secret, revocations: new MemoryRevocations() })
   * ```
   */
  revocations: RevocationList | undefined
  /**
   * Seconds after which what a process knows of the list is too old, if the list has not answered since: a whole number from 1 to
   * 3600; otherwise `ERR_SESSION_OPTION_INVALID` at start. A process asks three times as often. Default 5.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, revocations: new MemoryRevocations(), maxStaleness: 2 })
   * ```
   */
  maxStaleness?: number | undefined
  /**
   * What happens when that is too old. `'accept'`: sessions open as far as is known, a warning says so, and activity is not noted.
   * `'refuse'`: requests with a session fail with `ERR_SESSION_STORE_UNAVAILABLE` (503, with `Retry-After`). Default `'accept'`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, revocations: new MemoryRevocations(), onStale: 'refuse' })
   * ```
   */
  onStale?: 'accept' | 'refuse' | undefined
  /**
   * Seconds for which the plugin recognises the id that a session had before it got a new one: as with a store, see
   * `StoredSessionOptions`. Default 60.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, revocations: new MemoryRevocations(), renameGrace: 120 })
   * ```
   */
  renameGrace?: number | undefined
}

/** The options of sessions whose data a store keeps on the server. */
export interface StoredSessionOptions {
  /**
   * The store that keeps the data on the server. The cookie then holds a signed id and nothing else. Default: none, and the
   * data is in the cookie. Set it when you must be able to end sessions, when their data is larger than a cookie, or when
   * requests write at the same time. Anything but a store is refused with `ERR_SESSION_OPTION_INVALID` at start.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore() })
   * ```
   */
  store: SessionStore | undefined
  /**
   * Whether the store gets the values of the members of a session, and those of `describe`, encrypted. Who reads the store, or a copy
   * of it, then reads neither; times, owners and the names of members stay readable. Default `false`. Set it where others can read
   * the database or its backups.
   *
   * A change ends every session when its visitor comes back, because a session of one way is unreadable in the other: see
   * `docs/stores.md`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore(), encrypt: true })
   * ```
   */
  encrypt?: boolean | undefined
  /** A store knows which sessions have ended. */
  revocations?: undefined
  /** Only with `revocations`. */
  maxStaleness?: undefined
  /** Only with `revocations`. */
  onStale?: undefined
  /**
   * Seconds, or a fraction of one, that the store has to load a session, to save it, or for an `update()`: more than 0 and at most
   * 600; otherwise `ERR_SESSION_OPTION_INVALID` at start. After that the request fails with `ERR_SESSION_STORE_UNAVAILABLE` (503),
   * an answer that comes later is ignored, and the store does not write any more. Waiting for other requests counts. Default 2.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore(), storeTimeout: 0.5 })
   * ```
   */
  storeTimeout?: number | undefined
  /**
   * The most bytes that the data of one session can have in the store, as JSON in UTF-8. A whole number from 1 to 2 147 483 647; otherwise
   * `ERR_SESSION_OPTION_INVALID` at start. A request that would save more fails with `ERR_SESSION_TOO_LARGE` before anything is
   * written, so that no visitor can grow a session without end. Default 1 048 576, which is 1 MiB.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore(), maxBytes: 64 * 1024 })
   * ```
   */
  maxBytes?: number | undefined
  /**
   * How many sessions one owner (see `session.setOwner()`) can have at a time (OWASP ASVS 7.1.2). A whole number from 1;
   * otherwise `ERR_SESSION_OPTION_INVALID` at start. Logins at the same time cannot exceed it. Default: no limit.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore(), maxPerOwner: 5 })
   * ```
   */
  maxPerOwner?: number | undefined
  /** It needs `maxPerOwner`: see `LimitedSessionOptions`. */
  maxPerOwnerPolicy?: undefined
  /**
   * Returns what the list of an owner's sessions says about a new session, such as the browser: an object that JSON can hold.
   * The plugin calls it when a session is created or gets a new id. The request fails with `ERR_SESSION_OPTION_INVALID` when
   * the result is not an object, with `ERR_SESSION_VALUE` when JSON cannot hold it, and with what the function throws. Default:
   * `{}`.
   *
   * @example
   * ```ts
   * await app.register(session, {
   *   secret,
   *   store: new MemoryStore(),
   *   describe: (request) => ({ browser: request.headers['user-agent'] ?? 'unknown' })
   * })
   * ```
   */
  describe?: ((request: FastifyRequest) => object) | undefined
  /**
   * Seconds for which the plugin recognises the id that a session had before it got a new one: a whole number from 0 to 3600;
   * otherwise `ERR_SESSION_OPTION_INVALID` at start. A request that left the browser before the new cookie came, such as a poll
   * during a login, then begins no session of its own, whose cookie would replace the new one. The old id opens nothing. Default
   * 60. With 0 the plugin recognises none.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore(), renameGrace: 120 })
   * ```
   */
  renameGrace?: number | undefined
  /**
   * Seconds after which a guard asks the store again: a whole number from 0 to 3600; otherwise `ERR_SESSION_OPTION_INVALID` at
   * start. The session is loaded when a request starts, and a guard runs when its body has come, which can be much later. If the
   * session has ended in the meantime, the guard refuses the request. Default 1. With 0 a guard always asks again.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore(), freshness: 0 })
   * ```
   */
  freshness?: number | undefined
  /**
   * Seconds between two looks at each session with an open `session.signal` in a store whose processes do not tell each other what has
   * ended: file, SQLite, MySQL, or one of your own. Redis and PostgreSQL tell, and then it is twelve times as long, for messages that got lost.
   * Default 5, at least 1 and at most 3600; otherwise `ERR_SESSION_OPTION_INVALID` at start. Nothing is looked at while no signal is open.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore(), signalInterval: 30 })
   * ```
   */
  signalInterval?: number | undefined
}

/** The options of sessions in a store that limits how many of them one owner can have. */
export interface LimitedSessionOptions extends Omit<StoredSessionOptions, 'maxPerOwner' | 'maxPerOwnerPolicy'> {
  /**
   * How many sessions one owner (see `session.setOwner()`) can have at a time (OWASP ASVS 7.1.2). A whole number from 1;
   * otherwise `ERR_SESSION_OPTION_INVALID` at start. Logins at the same time cannot exceed it.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore(), maxPerOwner: 5 })
   * ```
   */
  maxPerOwner: number
  /**
   * What happens when an owner would get more sessions than `maxPerOwner`. `'evict-oldest'`: the oldest session of the owner
   * ends. `'refuse'`: the request that would create one more fails with `ERR_SESSION_LIMIT` (409). It needs `maxPerOwner`, or
   * the plugin refuses to start with `ERR_SESSION_OPTION_INVALID`. Default `'evict-oldest'`.
   *
   * @example
   * ```ts
   * await app.register(session, { secret, store: new MemoryStore(), maxPerOwner: 1, maxPerOwnerPolicy: 'refuse' })
   * ```
   */
  maxPerOwnerPolicy?: 'evict-oldest' | 'refuse' | undefined
}

/** What the name and each attribute can be, whatever the other is. The compiler looks here first. */
interface CookieValues {
  cookieName?: string | undefined
  cookie?:
    | {
        [Name in keyof CookieAttributes]:
          | CookieAttributes[Name]
          | (Name extends 'sameSite' | 'secure' | 'priority'
              ? Problem<'any string: write the object where it is used, or end it with `satisfies SessionOptions`'>
              : never)
      }
    | undefined
}

/** Options that tell the rule of prefixes in the error of the compiler. */
type Ruled<Options> = {
  [Name in keyof Options]:
    | Options[Name]
    | (Name extends 'cookieName' | 'secure' | 'httpOnly' | 'path' | 'domain'
        ? Problem<"a cookieName that has a prefix, or may have one, allows only what the prefix demands; `__Host-`: secure: true, path: '/', no domain">
        : never)
}

/**
 * The options of the plugin. An option that is undefined has its default. The plugin checks them at start and refuses an
 * unknown name with `ERR_SESSION_OPTION_UNKNOWN`.
 *
 * A `cookieName` with a prefix goes only with the attributes that the prefix demands. A name that the compiler does not know,
 * such as one from an environment variable, may have any prefix, so that it goes only with the attributes that every name
 * allows. A union of names goes with the attributes that all of them allow.
 *
 * @example
 * ```ts
 * await app.register(session, {
 *   secret: process.env.SESSION_SECRET,
 *   cookieName: '__Host-session',
 *   idleTimeout: 30 * 60
 * })
 * ```
 */
export type SessionOptions = CookieValues &
  (
    | CookieOptions<string, Ruled<HostCookieAttributes>>
    | Ruled<CookieOptions<SecureCookieName | OrdinaryCookieName, Ruled<SecureCookieAttributes>>>
    | Ruled<CookieOptions<OrdinaryCookieName, CookieAttributes>>
  ) &
  (
    | (CommonSessionOptions &
        (CookieSessionOptions | RevocableSessionOptions | StoredSessionOptions | LimitedSessionOptions))
    | FormattedSessionOptions
  )

/** What a route says about sessions. An option that is undefined has its default. */
export interface SessionRouteOptions {
  /**
   * Whether requests to this route count as activity. `false` is for pages that poll, which would keep a session alive for
   * ever. Default `true`.
   *
   * @example
   * ```ts
   * app.get('/unread', { config: { session: { touch: false } } }, async ({ session }) => session.visits ?? 0)
   * ```
   */
  touch?: boolean | undefined
  /**
   * `'anonymous'`: while the store is down, the route is served with an empty session that keeps nothing. Use it for pages that
   * are the same for everybody. It counts for the list of `revocations` and for the readers of `adopt`, too; without any of them it has no effect. Default: the request fails with
   * `ERR_SESSION_STORE_UNAVAILABLE` (503).
   *
   * @example
   * ```ts
   * app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => session.userId ?? 'you')
   * ```
   */
  onStoreError?: 'anonymous' | undefined
  /**
   * `'optional'`: a session that is [bound to a device](https://OWNER.github.io/fastify-typed-session/device-bound) opens on this route
   * without the proof of the device, too; `session.device.lastProofAt` is then undefined. Use it where a copied cookie may do no
   * harm. Default: without a proof the session is anonymous.
   *
   * @example
   * ```ts
   * app.get('/news', { config: { session: { device: 'optional' } } }, async ({ session }) => session.visits ?? 0)
   * ```
   */
  device?: 'optional' | undefined
}

/**
 * The config of a route, as `config: { session: … }`. `false`: the plugin does nothing for requests to this route;
 * `request.session` is an empty object that keeps nothing, and `session.commit()` throws `ERR_SESSION_DISABLED`. An object has
 * at least one of the options.
 *
 * Anything else is refused with `ERR_SESSION_OPTION_INVALID` when the route is added.
 *
 * @example
 * ```ts
 * app.get('/health', { config: { session: false } }, async () => 'ok')
 * app.get('/unread', { config: { session: { touch: false } } }, async ({ session }) => session.visits ?? 0)
 * ```
 */
export type SessionRouteConfig =
  | false
  | (SessionRouteOptions &
      ({ touch: boolean | undefined } | { onStoreError: 'anonymous' | undefined } | { device: 'optional' | undefined }))
