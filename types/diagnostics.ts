import type { FastifyRequest } from 'fastify'

/** Why a cookie did not open. */
export type OpenRefusal =
  /** The cookie does not have the format of this mode, or is not spelled as this library spells it. */
  | 'malformed'
  /** The cookie was signed or encrypted with a secret that is not among the configured ones, or no longer. */
  | 'unknown-key'
  /** The cookie was changed or forged, or was made for a cookie of another name. */
  | 'bad-signature'
  /**
   * The session has a property that this version of the package does not know, and without which it would be misjudged: a newer
   * version has written it.
   */
  | 'unsupported'
  /** The time stamp is more than a minute in the future: the clock of a server is wrong. */
  | 'not-yet-valid'
  /**
   * There was no activity for `idleTimeout` seconds. With a store the reason is mostly `not-found`, because stores remove
   * expired sessions.
   */
  | 'expired-idle'
  /** The session is older than `absoluteTimeout` seconds. With a store the reason is mostly `not-found`. */
  | 'expired-absolute'
  /** The store has no such session: it was destroyed or revoked, has got a new id, or has expired. */
  | 'not-found'
  /**
   * The session has got a new id within the last `renameGrace` seconds, by a login for example, and the browser did not have the
   * new cookie yet. The old id opens nothing.
   */
  | 'renamed'
  /**
   * The session is bound to a device, and the request has no proof that it comes from there: its short-lived cookie is missing, has
   * ended, or belongs to another session. The browser keeps the cookie of the session.
   */
  | 'device-unproven'
  /** The session has ended before its cookie expires, as the list of the option `revocations` says. */
  | 'revoked'
  /** The store has the session, and its data cannot be read. The session is empty; a login or logout ends the stored one. */
  | 'unreadable'
  /**
   * The data were written under another version of the schema, and do not fit this one. The session is empty. Its cookie and its
   * record stay as they are, until the request writes to the session or ends it.
   */
  | 'invalid-data'

/** What the plugin found when it looked at the cookies of a request. */
export type OpenReason =
  /** A cookie opened. */
  | 'opened'
  /** The stored data had keys that are names of session members. They were left out. */
  | 'reserved-key'
  /** The request has no cookie of this name. */
  | 'no-cookie'
  /** The request has no cookie of this name, and a reader of the option `adopt` has opened that of another library. */
  | 'adopted'
  /**
   * The request has no cookie of this name, and a cookie of another library that its reader refuses: it was changed, has another key
   * or has expired, or its session was adopted before and has ended.
   */
  | 'adopt-refused'
  /**
   * The request has more than eight cookies of this name, and none of the first eight opened. The others were not tried. Somebody
   * may have planted cookies, from another host of your domain for example.
   */
  | 'too-many-cookies'
  /** The route has `config: { session: false }`, so the plugin did not look for a cookie. */
  | 'disabled'
  /**
   * The `Authorization` header of the request says who sends it, as the option `authenticate` of the login kit decides: the session
   * is empty and keeps nothing, and its cookie stays good.
   */
  | 'token'
  /**
   * The session was read before the plugin had loaded it from the store: by a log, or after an earlier hook had answered the
   * request. It is empty, and keeps nothing.
   */
  | 'not-loaded'
  /**
   * The store failed or did not answer in time, or what is known of the revoked sessions is too old. The request fails, unless the
   * route has `onStoreError: 'anonymous'`.
   */
  | 'store-unavailable'
  | OpenRefusal

/** What the plugin decided about the session at the end of a request. */
export type CommitReason =
  /** Nothing read the session, and its time stamp was recent. The reply has no cookie. */
  | 'untouched'
  /** The session was read only, or written with the values that it had. The reply has no cookie. */
  | 'unchanged'
  /** The session is new and empty. The reply has no cookie. */
  | 'empty'
  /** The session is new. The reply sets a cookie. */
  | 'created'
  /**
   * Data, owner, `permanent` or a timeout changed. The reply sets a cookie; with a store only if `permanent` or a timeout changed or the time stamp was
   * due.
   */
  | 'changed'
  /** The session has a new id. The reply sets a cookie. */
  | 'renewed'
  /** Only the time of the last activity changed. The reply sets a cookie. */
  | 'restamped'
  /** The cookie was under an older secret. The reply sets it again under the newest one. */
  | 'rekeyed'
  /** The session was that of another library. The reply sets its first cookie of ours. */
  | 'adopted'
  /** The data were of an older version of the schema. They are saved as data of the present one. */
  | 'migrated'
  /**
   * Follows another reason: the reply has no cookie after all, because only the time stamp or the key was due, or a stale cookie was to be cleared. Shared caches may keep
   * the reply (RFC 9111), or the application has written a cookie of this name itself. A store has the activity all the same.
   */
  | 'withheld'
  /** The last data was removed, and the session has no owner. The reply clears the cookie. */
  | 'emptied'
  /** The session was destroyed. The reply clears the cookie. */
  | 'destroyed'
  /** The cookie leads to a session that is gone, and nothing began another one. The reply clears the cookie, or see `withheld`. */
  | 'stale'
  /** The reply sets a `Secure` cookie over plain HTTP, where most browsers drop it. */
  | 'insecure-transport'
  /** The cookie would be larger than browsers accept, or the stored session larger than `maxBytes`. The reply has no cookie, and the request failed. */
  | 'too-large'
  /** The session has a value that JSON cannot hold. The reply has no cookie, and the request failed. */
  | 'not-storable'
  /** The schema of the session refuses its data. The reply has no cookie, and the request failed. */
  | 'invalid-data'
  /** The route has `config: { session: false }`. The reply has no cookie. */
  | 'disabled'
  /** The `Authorization` header of the request says who sends it. Nothing of the session was saved, and the reply has no cookie. */
  | 'token'
  /** The request was answered before its session was loaded from the store. The reply has no cookie. */
  | 'not-loaded'
  /** The session changed after the headers were sent. The change is lost. */
  | 'headers-sent'
  /**
   * The session was to get a new id, and other requests changed it at every attempt. The reply has no cookie, and the request
   * failed.
   */
  | 'conflict'
  /**
   * The request came with the id that the session had before it got a new one. Nothing of it was saved, and the reply has no
   * cookie: that cookie would replace the new one. A request that asks for a new id or ends the session, such as a login or a logout, is served as usual.
   */
  | 'renamed'
  /**
   * The session is bound to a device that this request has not proved to come from. Nothing of it was saved, and the reply has no
   * cookie. A request that asks for a new id or ends the session, such as a login or a logout, is served as usual.
   */
  | 'device-unproven'
  /** Another request ended the session, so nothing of this request was saved. The reply has no cookie. */
  | 'gone'
  /** The owner has as many sessions as `maxPerOwner` allows. The reply has no cookie, and the request failed. */
  | 'over-limit'
  /**
   * The store, or the list of revoked sessions, failed or did not answer in time. The reply has no cookie, and the request failed,
   * unless the route has `onStoreError`, or nothing was to be saved but activity.
   */
  | 'store-unavailable'

/** Every reason that a decision about a session can have. `docs/why-no-cookie.md` says more about each. */
export type SessionReason = OpenReason | CommitReason

/**
 * The message on the `diagnostics_channel` named `fastify-typed-session`: one for each decision about a session. It never
 * contains a cookie, a secret or data of the session (OWASP ASVS 16.2.5).
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import type { SessionEvent } from 'fastify-typed-session'
 *
 * subscribe('fastify-typed-session', (message) => {
 *   const { phase, reason, request } = message as SessionEvent
 *   if (reason === 'bad-signature') console.warn('forged cookie from', request.ip, 'at', phase)
 * })
 * ```
 */
export interface SessionEvent {
  /** The request. */
  readonly request: FastifyRequest
  /** The option `decorator` of the session. */
  readonly decorator: string
  /** The option `cookieName` of the session. */
  readonly cookieName: string
  /** `open`: the plugin looked at the cookies of the request. `commit`: it decided what to save and what to send. */
  readonly phase: 'open' | 'commit'
  /** The decision. */
  readonly reason: SessionReason
  /** The handle of the session: its `session.id`. Undefined when nothing read the session, or when it has no id yet. */
  readonly id: string | undefined
}

/**
 * The message on the `diagnostics_channel` named `fastify-typed-session/revocations`: one whenever what a process knows of the
 * revoked sessions becomes current, or too old.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import type { RevocationEvent } from 'fastify-typed-session'
 *
 * subscribe('fastify-typed-session/revocations', (message) => {
 *   const { state, entries } = message as RevocationEvent
 *   console.log(`the list is ${state}, with ${entries} entries in memory`)
 * })
 * ```
 */
export interface RevocationEvent {
  /** `stale`: the list has not answered for `maxStaleness` seconds. `current`: it has answered, for the first time or again. */
  readonly state: 'current' | 'stale'
  /** The option `cookieName` of the session. */
  readonly cookieName: string
  /** How many entries the process has in memory. */
  readonly entries: number
}
