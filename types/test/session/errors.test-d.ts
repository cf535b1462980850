import fastify from 'fastify'
import { isSessionError, type SessionError, type SessionErrorCode } from 'fastify-typed-session'
import { same, typed } from '../expect.ts'

declare const caught: unknown
declare const failure: Error | undefined

if (isSessionError(caught)) {
  same<typeof caught, SessionError>(true)
  same<typeof caught.code, SessionErrorCode>(true)
  same<typeof caught.statusCode, number>(true)
  typed<Error>(caught)
} else {
  same<typeof caught, unknown>(true)
}

/** Every code has its case, and the compiler says so. */
export function statusOf(error: unknown): number {
  if (!isSessionError(error)) return 500
  switch (error.code) {
    case 'ERR_SESSION_TOO_LARGE':
      same<typeof error.code, 'ERR_SESSION_TOO_LARGE'>(true)
      return 413
    case 'ERR_SESSION_GONE':
    case 'ERR_SESSION_CONFLICT':
    case 'ERR_SESSION_LIMIT':
    case 'ERR_SESSION_LOGIN_REQUIRED':
    case 'ERR_SESSION_FORBIDDEN':
    case 'ERR_SESSION_NOT_FRESH':
    case 'ERR_SESSION_CROSS_SITE':
    case 'ERR_SESSION_STORE_UNAVAILABLE':
    case 'ERR_SESSION_UNREADABLE':
      return error.statusCode
    case 'ERR_SESSION_OPTION_UNKNOWN':
    case 'ERR_SESSION_OPTION_INVALID':
    case 'ERR_SESSION_SECRET_MISSING':
    case 'ERR_SESSION_SECRET_WEAK':
    case 'ERR_SESSION_COOKIE_RULE':
    case 'ERR_SESSION_DUPLICATE':
    case 'ERR_SESSION_ENDED':
    case 'ERR_SESSION_PEER_MISSING':
    case 'ERR_SESSION_NOT_IN_DEVELOPMENT':
    case 'ERR_SESSION_RESERVED_KEY':
    case 'ERR_SESSION_SCHEMA':
    case 'ERR_SESSION_SCHEMA_ASYNC':
    case 'ERR_SESSION_VALUE':
    case 'ERR_SESSION_DESTROYED':
    case 'ERR_SESSION_DISABLED':
    case 'ERR_SESSION_NOT_REGISTERED':
    case 'ERR_SESSION_NOT_LOADED':
    case 'ERR_SESSION_NOT_SAVED':
    case 'ERR_SESSION_STORE_REQUIRED':
    case 'ERR_SESSION_REVOCATIONS_REQUIRED':
    case 'ERR_SESSION_TOKEN':
    case 'ERR_SESSION_IMPERSONATION':
    case 'ERR_SESSION_REDIRECT_LOOP':
      return 500
    default:
      same<typeof error.code, never>(true)
      throw error
  }
}

if (isSessionError(failure)) typed<SessionErrorCode>(failure.code)
const app = fastify()
app.setErrorHandler((error, _request, reply) => {
  if (isSessionError(error) && error.code === 'ERR_SESSION_TOO_LARGE') return reply.code(413).send(error.message)
  throw error
})
