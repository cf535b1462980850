import type { FastifyRequest } from 'fastify'

/** Why a cookie did not open. */
export type OpenRefusal =
  /** Not a cookie of this format and mode, or not spelled as this library spells it. */
  | 'malformed'
  /** Sealed with a secret that is not, or no longer, among the configured ones. */
  | 'unknown-key'
  /** Changed, forged, or made for a cookie of another name. */
  | 'bad-signature'
  /** Stamped more than a minute in the future: a clock is wrong. */
  | 'not-yet-valid'
  /** No activity for `idleTimeout` seconds. With a store it is mostly `not-found`, because stores forget what has expired. */
  | 'expired-idle'
  /** Older than `absoluteTimeout` seconds. */
  | 'expired-absolute'
  /** The store has no such session: it was destroyed, replaced by a new id, or has expired. */
  | 'not-found'

/** What came of looking at the request's cookies. */
export type OpenReason =
  /** A cookie opened. */
  | 'opened'
  /** The request has no cookie of our name. */
  | 'no-cookie'
  /** The route has `config: { session: false }`, so no cookie was looked for. */
  | 'disabled'
  /** The store failed or did not answer in time: nobody knows. The request fails, unless the route says `onStoreError`. */
  | 'store-unavailable'
  /** The stored data had keys that are names of session members. They were left out. */
  | 'reserved-key'
  | OpenRefusal

/** What came of the session at the end of the request. */
export type CommitReason =
  /** Nobody looked at the session, and its stamp was fresh. No cookie is sent. */
  | 'untouched'
  /** It was read, or written with what it already held. No cookie is sent. */
  | 'unchanged'
  /** A new session with nothing in it. No cookie is sent. */
  | 'empty'
  /** A new session: a cookie is sent. */
  | 'created'
  /** Data or permanence changed: a cookie is sent. With a store, only if permanence changed or a new stamp was due. */
  | 'changed'
  /** It got a new id: a cookie is sent. */
  | 'renewed'
  /** Only the time of the last activity moved on: a cookie is sent. */
  | 'restamped'
  /** It was sealed with an older secret: a cookie is sent. */
  | 'rekeyed'
  /** Its last data were removed: the cookie is cleared. */
  | 'emptied'
  /** It was destroyed: the cookie is cleared. */
  | 'destroyed'
  /** A cookie with `Secure` was sent over plain HTTP, where most browsers drop it. */
  | 'insecure-transport'
  /** The cookie would have been larger than browsers keep: it was not sent, and the request failed. */
  | 'too-large'
  /** It holds a value that JSON cannot hold: no cookie was sent, and the request failed. */
  | 'not-storable'
  /** The route has `config: { session: false }`. No cookie is sent. */
  | 'disabled'
  /** It was changed when the headers were on their way already: the change is lost. */
  | 'headers-sent'
  /** It was to get a new id, and others changed it each time: no cookie was sent, and the request failed. */
  | 'conflict'
  /** Somebody ended the session in the meantime, so nothing of this request was kept. No cookie is sent. */
  | 'gone'
  /** The owner has as many sessions as `maxPerOwner` allows: no cookie was sent, and the request failed. */
  | 'over-limit'
  /** The store failed or did not answer in time: no cookie was sent. The request failed, unless the route says `onStoreError`. */
  | 'store-unavailable'

/** Every reason that a decision about a session can have. */
export type SessionReason = OpenReason | CommitReason

/**
 * The message on the `diagnostics_channel` named `fastify-typed-session`: one for each decision. It never contains a
 * cookie, a secret or data of the session.
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
  readonly request: FastifyRequest
  readonly decorator: string
  readonly cookieName: string
  /** `open`: the request's cookies were looked at. `commit`: it was decided what to send. */
  readonly phase: 'open' | 'commit'
  readonly reason: SessionReason
  /** The handle of the session; undefined for a session that nobody looked at, or that has no id yet. */
  readonly id: string | undefined
}
