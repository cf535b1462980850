import type { FastifyErrorConstructor } from '@fastify/error'
import createError from '@fastify/error'
import type { EndReason } from '../types/endings.ts'
import type { SessionError, SessionErrorCode } from '../types/errors.ts'

/**
 * Fastify sends the message to clients, and not the cause, which the log shows. So what names keys of a session is the cause: they
 * may be made of data.
 */
type Values = [message: string, options?: { readonly cause: unknown }]

type SessionErrorClass = FastifyErrorConstructor<{ code: SessionErrorCode; statusCode: number }, Values>

const CODES: Set<unknown> = new Set()

function define(code: SessionErrorCode, base: ErrorConstructor = Error, statusCode = 500): SessionErrorClass {
  CODES.add(code)
  return createError<SessionErrorCode, number, Values>(code, '%s', statusCode, base)
}

// Wrong settings are refused at start. Who starts the server reads these.
export const UnknownOptionError: SessionErrorClass = define('ERR_SESSION_OPTION_UNKNOWN', TypeError)
export const InvalidOptionError: SessionErrorClass = define('ERR_SESSION_OPTION_INVALID', TypeError)
export const MissingSecretError: SessionErrorClass = define('ERR_SESSION_SECRET_MISSING', TypeError)
export const WeakSecretError: SessionErrorClass = define('ERR_SESSION_SECRET_WEAK', TypeError)
export const CookieRuleError: SessionErrorClass = define('ERR_SESSION_COOKIE_RULE', TypeError)
export const PeerMissingError: SessionErrorClass = define('ERR_SESSION_PEER_MISSING')
export const DuplicateSessionError: SessionErrorClass = define('ERR_SESSION_DUPLICATE')
export const NotInDevelopmentError: SessionErrorClass = define('ERR_SESSION_NOT_IN_DEVELOPMENT')

// Mistakes of a handler reach Fastify's error handler, as a 500.
export const ReservedKeyError: SessionErrorClass = define('ERR_SESSION_RESERVED_KEY', TypeError)
export const InvalidValueError: SessionErrorClass = define('ERR_SESSION_VALUE', TypeError)
export const SchemaError: SessionErrorClass = define('ERR_SESSION_SCHEMA', TypeError)
export const SchemaAsyncError: SessionErrorClass = define('ERR_SESSION_SCHEMA_ASYNC', TypeError)
export const TooLargeError: SessionErrorClass = define('ERR_SESSION_TOO_LARGE', RangeError)
export const DestroyedError: SessionErrorClass = define('ERR_SESSION_DESTROYED')
export const DisabledError: SessionErrorClass = define('ERR_SESSION_DISABLED')
export const NotRegisteredError: SessionErrorClass = define('ERR_SESSION_NOT_REGISTERED')
export const NotSavedError: SessionErrorClass = define('ERR_SESSION_NOT_SAVED')
export const NotLoadedError: SessionErrorClass = define('ERR_SESSION_NOT_LOADED')
export const StoreRequiredError: SessionErrorClass = define('ERR_SESSION_STORE_REQUIRED')
export const RevocationsRequiredError: SessionErrorClass = define('ERR_SESSION_REVOCATIONS_REQUIRED')

// What guards and the login kit refuse requests with.
export const LoginRequiredError: SessionErrorClass = define('ERR_SESSION_LOGIN_REQUIRED', Error, 401)
export const ForbiddenError: SessionErrorClass = define('ERR_SESSION_FORBIDDEN', Error, 403)
export const CrossSiteError: SessionErrorClass = define('ERR_SESSION_CROSS_SITE', Error, 403)
export const RedirectLoopError: SessionErrorClass = define('ERR_SESSION_REDIRECT_LOOP')
export const NotFreshError: SessionErrorClass = define('ERR_SESSION_NOT_FRESH', Error, 401)
export const ImpersonationError: SessionErrorClass = define('ERR_SESSION_IMPERSONATION', Error, 409)
export const TokenError: SessionErrorClass = define('ERR_SESSION_TOKEN', Error, 400)

// What the signal of a session aborts with.
export const EndedError: SessionErrorClass = define('ERR_SESSION_ENDED', Error, 401)

// Other requests or other machines cause these. They are not a mistake in the application.
export const GoneError: SessionErrorClass = define('ERR_SESSION_GONE', Error, 409)
export const ConflictError: SessionErrorClass = define('ERR_SESSION_CONFLICT', Error, 409)
export const LimitError: SessionErrorClass = define('ERR_SESSION_LIMIT', Error, 409)
export const StoreUnavailableError: SessionErrorClass = define('ERR_SESSION_STORE_UNAVAILABLE', Error, 503)
export const UnreadableError: SessionErrorClass = define('ERR_SESSION_UNREADABLE')

/** For what depends on a session, or would change one, that the store is still to be asked for. */
export function notLoadedError(): Error {
  return new NotLoadedError(
    'The session is not loaded from the store yet. Until the onRequest hook of the session plugin has run, it is empty and cannot be changed. Use it in a later hook, or register the session plugin first.'
  )
}

/** For a caller that waits for a result after another request has ended the session. A reply goes out without this error. */
export function goneError(): Error {
  return new GoneError(
    'Another request has ended this session or given it a new id, or it has expired. Nothing of the change was saved.'
  )
}

/** For whoever is still busy with a session that has ended. */
export function endedError(reason: EndReason): Error {
  return Object.assign(new EndedError('The session has ended.'), { reason })
}

/** For a cursor that leads nowhere. It comes from a URL, as a rule: the client is wrong, and not the server. */
export function cursorError(): Error {
  const message = 'The cursor leads nowhere: entries() takes that of the page before, and for the first page none.'
  return Object.assign(new InvalidValueError(message), { statusCode: 400 })
}

/** For what only a user may do who acts as nobody else. */
export function impersonatingError(method: string): Error {
  return new ImpersonationError(
    `${method} is for users themselves, and this user acts as another one. Call stopImpersonating() first, or logout(), which ends both.`
  )
}

/** For what needs a session, in a request that has none because of its Authorization header. */
export function tokenError(method: string): Error {
  return new TokenError(
    `${method} needs a session, and this request has none: its Authorization header says who sends it. Send the request without that header.`
  )
}

/** For stored data that are damaged. What `JSON.parse` throws is not the cause: its message quotes them. */
export function unreadableError(): Error {
  return new UnreadableError('The store has this session, but its record is damaged and cannot be read.')
}

/** Also an error of a store that does not use the class. */
export function isUnreadable(error: unknown): boolean {
  return isSessionError(error) && error.code === 'ERR_SESSION_UNREADABLE'
}

/** For the `catch` of a promise: a session that cannot be read counts as one that is not there. */
export function unlessUnreadable(error: unknown): undefined {
  if (!isUnreadable(error)) throw error
}

const RETRY_AFTER_SECONDS = 5

/** For a store that failed or was too slow. Fastify copies `headers` into its reply. */
export function unavailableError(cause: unknown): Error {
  return withCause('The session store is not available. Try again later.', cause)
}

/** The same for the list of what has ended early. */
export function revocationsUnavailableError(cause: unknown): Error {
  return withCause('The list of revoked sessions is not available. Try again later.', cause)
}

function withCause(message: string, cause: unknown): Error {
  const error = new StoreUnavailableError(message)
  return Object.assign(error, { cause, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } })
}

/**
 * Whether an error comes from this package. It then has one of the known codes, and a `switch` over `error.code` is checked by
 * the compiler. Call it in an error handler, or where you catch what a method of the session throws.
 *
 * Only the code counts, and not the class: errors of a second installed copy of the package are recognised as well.
 *
 * @example
 * ```ts
 * app.setErrorHandler((error, request, reply) => {
 *   if (!isSessionError(error)) throw error
 *   switch (error.code) {
 *     case 'ERR_SESSION_LIMIT':
 *       return reply.code(409).send('You are logged in on too many devices.')
 *     case 'ERR_SESSION_TOO_LARGE':
 *       return reply.code(413).send('Your cart is full.')
 *     default:
 *       throw error
 *   }
 * })
 * ```
 */
export function isSessionError(error: unknown): error is SessionError {
  const { code, statusCode } = Object(error) as { readonly code?: unknown; readonly statusCode?: unknown }
  return error instanceof Error && CODES.has(code) && typeof statusCode === 'number'
}
