/**
 * Every `code` that an error of this package can have. The codes are stable: compare them, never the messages.
 *
 * @example
 * ```ts
 * import type { FastifyError } from 'fastify'
 *
 * app.setErrorHandler((error: FastifyError, request, reply) => {
 *   if (error.code === 'ERR_SESSION_TOO_LARGE') return reply.code(413).send('Your cart is full.')
 *   throw error
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
  | 'ERR_SESSION_NOT_IN_PRODUCTION'
  | 'ERR_SESSION_RESERVED_KEY'
  | 'ERR_SESSION_VALUE'
  | 'ERR_SESSION_TOO_LARGE'
  | 'ERR_SESSION_DESTROYED'
  | 'ERR_SESSION_DISABLED'
  | 'ERR_SESSION_NOT_REGISTERED'
  | 'ERR_SESSION_NOT_LOADED'
  | 'ERR_SESSION_GONE'
  | 'ERR_SESSION_CONFLICT'
  | 'ERR_SESSION_LIMIT'
  | 'ERR_SESSION_STORE_REQUIRED'
  | 'ERR_SESSION_LOGIN_REQUIRED'
  | 'ERR_SESSION_FORBIDDEN'
  | 'ERR_SESSION_NOT_FRESH'
  | 'ERR_SESSION_STORE_UNAVAILABLE'
