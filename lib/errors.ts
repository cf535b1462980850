import type { FastifyErrorConstructor } from '@fastify/error'
import createError from '@fastify/error'
import type { SessionErrorCode } from '../types/errors.ts'

type SessionErrorClass = FastifyErrorConstructor<{ code: SessionErrorCode; statusCode: number }, [message: string]>

function define(code: SessionErrorCode, base: ErrorConstructor = Error, statusCode = 500): SessionErrorClass {
  return createError<SessionErrorCode, number, [message: string]>(code, '%s', statusCode, base)
}

// Wrong settings are refused at start: whoever starts the server reads these.
export const UnknownOptionError: SessionErrorClass = define('ERR_SESSION_OPTION_UNKNOWN', TypeError)
export const InvalidOptionError: SessionErrorClass = define('ERR_SESSION_OPTION_INVALID', TypeError)
export const MissingSecretError: SessionErrorClass = define('ERR_SESSION_SECRET_MISSING', TypeError)
export const WeakSecretError: SessionErrorClass = define('ERR_SESSION_SECRET_WEAK', TypeError)
export const CookieRuleError: SessionErrorClass = define('ERR_SESSION_COOKIE_RULE', TypeError)
export const DuplicateSessionError: SessionErrorClass = define('ERR_SESSION_DUPLICATE')
export const NotInProductionError: SessionErrorClass = define('ERR_SESSION_NOT_IN_PRODUCTION')

// Mistakes of a handler reach Fastify's error handler, as a 500.
export const ReservedKeyError: SessionErrorClass = define('ERR_SESSION_RESERVED_KEY', TypeError)
export const InvalidValueError: SessionErrorClass = define('ERR_SESSION_VALUE', TypeError)
export const TooLargeError: SessionErrorClass = define('ERR_SESSION_TOO_LARGE', RangeError)
export const DestroyedError: SessionErrorClass = define('ERR_SESSION_DESTROYED')
export const DisabledError: SessionErrorClass = define('ERR_SESSION_DISABLED')
export const NotRegisteredError: SessionErrorClass = define('ERR_SESSION_NOT_REGISTERED')
export const NotLoadedError: SessionErrorClass = define('ERR_SESSION_NOT_LOADED')
export const StoreRequiredError: SessionErrorClass = define('ERR_SESSION_STORE_REQUIRED')

// What guards refuse with.
export const LoginRequiredError: SessionErrorClass = define('ERR_SESSION_LOGIN_REQUIRED', Error, 401)
export const ForbiddenError: SessionErrorClass = define('ERR_SESSION_FORBIDDEN', Error, 403)
export const NotFreshError: SessionErrorClass = define('ERR_SESSION_NOT_FRESH', Error, 401)

// What other requests, or other machines, have to do with it: nobody's mistake.
export const GoneError: SessionErrorClass = define('ERR_SESSION_GONE', Error, 409)
export const ConflictError: SessionErrorClass = define('ERR_SESSION_CONFLICT', Error, 409)
export const LimitError: SessionErrorClass = define('ERR_SESSION_LIMIT', Error, 409)
export const StoreUnavailableError: SessionErrorClass = define('ERR_SESSION_STORE_UNAVAILABLE', Error, 503)

/** Ended while the request was under way. Whoever waits for a result is told; a reply goes out without one. */
export function goneError(): Error {
  return new GoneError('The session has been ended in the meantime, by a logout for example. Nothing was kept.')
}

const RETRY_AFTER_SECONDS = 5

/** The store failed, or was too slow: nobody knows. Fastify takes `headers` over into its reply. */
export function unavailableError(cause: unknown): Error {
  const error = new StoreUnavailableError('The session store is not available. Try again later.')
  return Object.assign(error, { cause, headers: { 'retry-after': String(RETRY_AFTER_SECONDS) } })
}
