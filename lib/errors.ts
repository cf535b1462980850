import type { FastifyErrorConstructor } from '@fastify/error'
import createError from '@fastify/error'
import type { SessionErrorCode } from '../types/errors.ts'

type SessionErrorClass = FastifyErrorConstructor<{ code: SessionErrorCode; statusCode: number }, [message: string]>

function define(code: SessionErrorCode, base: ErrorConstructor = Error): SessionErrorClass {
  return createError<SessionErrorCode, 500, [message: string]>(code, '%s', 500, base)
}

// Wrong settings are refused at start: whoever starts the server reads these.
export const UnknownOptionError: SessionErrorClass = define('ERR_SESSION_OPTION_UNKNOWN', TypeError)
export const InvalidOptionError: SessionErrorClass = define('ERR_SESSION_OPTION_INVALID', TypeError)
export const MissingSecretError: SessionErrorClass = define('ERR_SESSION_SECRET_MISSING', TypeError)
export const WeakSecretError: SessionErrorClass = define('ERR_SESSION_SECRET_WEAK', TypeError)
export const CookieRuleError: SessionErrorClass = define('ERR_SESSION_COOKIE_RULE', TypeError)
export const DuplicateSessionError: SessionErrorClass = define('ERR_SESSION_DUPLICATE')

// Mistakes of a handler reach Fastify's error handler, as a 500.
export const ReservedKeyError: SessionErrorClass = define('ERR_SESSION_RESERVED_KEY', TypeError)
export const InvalidValueError: SessionErrorClass = define('ERR_SESSION_VALUE', TypeError)
export const TooLargeError: SessionErrorClass = define('ERR_SESSION_TOO_LARGE', RangeError)
export const DestroyedError: SessionErrorClass = define('ERR_SESSION_DESTROYED')
export const DisabledError: SessionErrorClass = define('ERR_SESSION_DISABLED')
export const NotRegisteredError: SessionErrorClass = define('ERR_SESSION_NOT_REGISTERED')
