import type { EndReason } from './endings.ts'
import type { SchemaIssue } from './schema.ts'

/**
 * Every `code` that an error of this package can have. The codes are stable: compare them, and not the messages, which can
 * change. `docs/errors.md` says what to do about each. The status is 500 where none is given.
 *
 * At start, thrown by `register` or when a guard is made:
 *
 * - `ERR_SESSION_OPTION_UNKNOWN`: there is no option, or no cookie attribute, of this name.
 * - `ERR_SESSION_OPTION_INVALID`: an option has a wrong value, or contradicts another one.
 * - `ERR_SESSION_SECRET_MISSING`: there is no secret.
 * - `ERR_SESSION_SECRET_WEAK`: the secret is too short, or can be guessed.
 * - `ERR_SESSION_COOKIE_RULE`: browsers refuse a cookie with this name and these attributes.
 * - `ERR_SESSION_SCHEMA_ASYNC`: a schema answers with a promise. Some schemas show it only when a session is saved.
 * - `ERR_SESSION_DUPLICATE`: the scope has a session, a cookie or a property of this name already, or a session in a scope beside it
 *   opens the same cookies.
 * - `ERR_SESSION_PEER_MISSING`: a reader of `fastify-typed-session/adopt` needs a package that is not installed.
 * - `ERR_SESSION_NOT_IN_DEVELOPMENT`: the inspector was registered, and `NODE_ENV` is not `development`.
 *
 * In a handler, or when the reply is sent:
 *
 * - `ERR_SESSION_RESERVED_KEY`: the key is the name of a member that every session has. The `cause` names it.
 * - `ERR_SESSION_VALUE`: JSON cannot hold the value, whose path is the `cause`; or a method got a wrong argument.
 * - `ERR_SESSION_SCHEMA`: the schema of the session refuses the data. The `cause` says which and why; `issues` does so for programs.
 * - `ERR_SESSION_TOO_LARGE`: the cookie would have more than 4096 bytes, or the stored session more than `maxBytes`. The `cause`
 *   names the largest keys.
 * - `ERR_SESSION_DESTROYED`: the session was destroyed earlier in this request.
 * - `ERR_SESSION_DISABLED`: the route has `config: { session: false }`.
 * - `ERR_SESSION_NOT_REGISTERED`: the plugin is not registered in this scope.
 * - `ERR_SESSION_NOT_LOADED`: the session, or its user, is read before it is loaded.
 * - `ERR_SESSION_NOT_SAVED`: the session changed too late, or where nothing is kept. Only a warning of the process has it, in
 *   development without a logger.
 * - `ERR_SESSION_STORE_REQUIRED`: this needs the option `store`, or one of `store` and `revocations`.
 * - `ERR_SESSION_REVOCATIONS_REQUIRED`: this needs the option `revocations`, or a store.
 *
 * From a guard:
 *
 * - `ERR_SESSION_LOGIN_REQUIRED` (401): nobody is logged in.
 * - `ERR_SESSION_FORBIDDEN` (403): the session does not fit.
 * - `ERR_SESSION_NOT_FRESH` (401): the login is too long ago. A token is never fresh, and gets 403.
 * - `ERR_SESSION_TOKEN` (400): this needs a session, and the `Authorization` header of the request says who sends it.
 * - `ERR_SESSION_IMPERSONATION` (409): the user acts as another user, and this is not for impersonators; or the user cannot act as
 *   that one.
 * - `ERR_SESSION_CROSS_SITE` (403): a page of another site has sent the request.
 * - `ERR_SESSION_REDIRECT_LOOP`: the page to which the guard redirects leads back to the guard.
 *
 * From `session.signal`:
 *
 * - `ERR_SESSION_ENDED` (401): the session has ended while the request, the WebSocket or the stream is open. `reason` says why.
 *
 * With a store, or with the option `revocations`:
 *
 * - `ERR_SESSION_GONE` (409): another request has ended the session; in every mode: it has expired since the request began.
 * - `ERR_SESSION_CONFLICT` (409): other requests changed the session at every attempt.
 * - `ERR_SESSION_LIMIT` (409): the owner has as many sessions as `maxPerOwner` allows.
 * - `ERR_SESSION_STORE_UNAVAILABLE` (503): the store, or the list of revoked sessions, failed or did not answer in time.
 * - `ERR_SESSION_UNREADABLE`: the data of the session were damaged in the store while the request used it. A damaged session that
 *   a request comes with is no error: it is empty. A store may throw it, too.
 *
 * @example
 * ```ts
 * app.setErrorHandler((error, request, reply) => {
 *   if (!isSessionError(error)) throw error
 *   reply.code(error.statusCode).headers(error.headers ?? {})
 *   return reply.send(error.code === 'ERR_SESSION_LIMIT' ? 'You are logged in on too many devices.' : 'Try again later.')
 * })
 * ```
 */
export type SessionErrorCode =
  | 'ERR_SESSION_OPTION_UNKNOWN'
  | 'ERR_SESSION_OPTION_INVALID'
  | 'ERR_SESSION_SECRET_MISSING'
  | 'ERR_SESSION_SECRET_WEAK'
  | 'ERR_SESSION_COOKIE_RULE'
  | 'ERR_SESSION_DUPLICATE'
  | 'ERR_SESSION_PEER_MISSING'
  | 'ERR_SESSION_NOT_IN_DEVELOPMENT'
  | 'ERR_SESSION_RESERVED_KEY'
  | 'ERR_SESSION_VALUE'
  | 'ERR_SESSION_SCHEMA'
  | 'ERR_SESSION_SCHEMA_ASYNC'
  | 'ERR_SESSION_TOO_LARGE'
  | 'ERR_SESSION_DESTROYED'
  | 'ERR_SESSION_DISABLED'
  | 'ERR_SESSION_NOT_REGISTERED'
  | 'ERR_SESSION_NOT_LOADED'
  | 'ERR_SESSION_NOT_SAVED'
  | 'ERR_SESSION_ENDED'
  | 'ERR_SESSION_GONE'
  | 'ERR_SESSION_CONFLICT'
  | 'ERR_SESSION_LIMIT'
  | 'ERR_SESSION_STORE_REQUIRED'
  | 'ERR_SESSION_REVOCATIONS_REQUIRED'
  | 'ERR_SESSION_LOGIN_REQUIRED'
  | 'ERR_SESSION_FORBIDDEN'
  | 'ERR_SESSION_NOT_FRESH'
  | 'ERR_SESSION_TOKEN'
  | 'ERR_SESSION_IMPERSONATION'
  | 'ERR_SESSION_REDIRECT_LOOP'
  | 'ERR_SESSION_CROSS_SITE'
  | 'ERR_SESSION_STORE_UNAVAILABLE'
  | 'ERR_SESSION_UNREADABLE'

/** An error of this package, as `isSessionError` recognises it. */
export interface SessionError extends Error {
  /** What went wrong. */
  readonly code: SessionErrorCode
  /** The HTTP status with which Fastify answers when nothing catches the error. */
  readonly statusCode: number
  /** Headers that the reply should carry: `retry-after` for `ERR_SESSION_STORE_UNAVAILABLE`. */
  readonly headers?: Readonly<Record<string, string>> | undefined
  /** Why the session has ended, for `ERR_SESSION_ENDED`. */
  readonly reason?: EndReason | undefined
  /** What is wrong with the data, for `ERR_SESSION_SCHEMA`. Keys may be made of data, so do not show them to strangers. */
  readonly issues?: readonly SchemaIssue[] | undefined
  /**
   * What only the log may show: the path of a value, the largest keys, the error of a store. Fastify sends the message to the
   * client, and not the cause.
   */
  readonly cause?: unknown
}
