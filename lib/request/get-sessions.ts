import type { Sessions } from '../../types/sessions.ts'
import { NotRegisteredError } from '../errors.ts'
import { sessionContext } from './session-context.ts'

/**
 * Returns the sessions of owners, to list and to end them: the same object as `app.sessions`, also for a session with another
 * `decorator`. `app`: the scope in which the session is registered, or one inside it.
 *
 * Throws `ERR_SESSION_NOT_REGISTERED` if there is no such session.
 *
 * @example
 * ```ts
 * await app.register(session, { secret: process.env.ADMIN_SECRET, decorator: 'adminSession', cookieName: 'admin' })
 * await getSessions(app, 'adminSession').revokeAll('7')
 * ```
 */
export function getSessions(app: object, decorator = 'session'): Sessions {
  const context = sessionContext(app, decorator)
  if (context !== undefined) return context.sessions
  throw new NotRegisteredError(
    `This application has no session named '${decorator}'. Register fastify-typed-session in this scope or above it${decorator === 'session' ? '' : `, with decorator: '${decorator}'`}.`
  )
}
