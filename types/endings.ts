/** Why a session has ended. */
export type EndReason =
  /** By `session.destroy()`, `request.session = null`, a logout, or a cookie that the application has cleared. */
  | 'destroyed'
  /** Its last data was removed, and it had no owner. */
  | 'emptied'
  /** Another session has begun in its place: by a login, `regenerate()`, or another owner. */
  | 'replaced'
  /** It has a new id, and the same owner goes on in it. Only events have this reason: nothing ends for the user. */
  | 'renewed'
  /** By `app.sessions`, or the command line. */
  | 'revoked'
  /** It had to make room: for another session of its owner (`maxPerOwner`), or in a `MemoryStore` that is full. */
  | 'over-limit'
  /** `idleTimeout` or `absoluteTimeout` is over. */
  | 'expired'
  /** The login kit has ended it: the password has changed, the user is gone, or the remembered login has ended. */
  | 'login-ended'
  /** It is not there any more, and nobody has told why. */
  | 'gone'

/**
 * An ending that this process has caused or heard of: what `app.sessions.onEnded()` passes to its listener, and the message on the
 * `diagnostics_channel` named `fastify-typed-session/endings`. It contains no data of the session.
 *
 * @example
 * ```ts
 * import { subscribe } from 'node:diagnostics_channel'
 * import type { SessionEndedEvent } from 'fastify-typed-session'
 *
 * subscribe('fastify-typed-session/endings', (message) => {
 *   const { handle, reason } = message as SessionEndedEvent
 *   console.log(handle === undefined ? 'several sessions have ended' : 'a session has ended', reason)
 * })
 * ```
 */
export interface SessionEndedEvent {
  /** The option `cookieName` of the session. */
  readonly cookieName: string
  /** The handle of the session: its `session.id`. Undefined: all sessions of the owner, or of everybody, that began before. */
  readonly handle: string | undefined
  /** The owner of the session. Undefined if it has none, if it is not known, or if everybody is meant. */
  readonly ownerId: string | undefined
  /** Why it has ended. */
  readonly reason: EndReason
  /** The handles of the sessions of the owner that stay. Empty unless all sessions of an owner have ended. */
  readonly except: readonly string[]
  /** The handle that the session has now, with the reason `renewed`. */
  readonly successor: string | undefined
}

/** What processes tell each other of sessions that have ended. JSON can hold it. */
export interface SessionEnding extends Omit<SessionEndedEvent, 'cookieName'> {}
