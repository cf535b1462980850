import type { SessionData } from '../../types/session.ts'
import type { Sessions } from '../../types/sessions.ts'
import { NotRegisteredError } from '../errors.ts'
import { sessionContext } from './session-context.ts'

/**
 * Returns what lists, ends and reads sessions: the same object as `app.sessions`, also for a session with another `decorator`, whose
 * data can have a type of their own. `app`: the scope in which the session is registered, or one inside it.
 *
 * Throws `ERR_SESSION_NOT_REGISTERED` if there is no such session.
 *
 * @example
 * ```ts
 * await app.register(session, { secret: process.env.ADMIN_SECRET, decorator: 'adminSession', cookieName: 'admin' })
 * await getSessions(app, 'adminSession').revokeAll('7')
 * ```
 */
export function getSessions<Data = SessionData>(app: object, decorator = 'session'): Sessions<Data> {
  const context = sessionContext(app, decorator)
  // The application says which data its session has.
  if (context !== undefined) return context.sessions as Sessions<unknown> as Sessions<Data>
  throw new NotRegisteredError(
    `This application has no session named '${decorator}'. Register fastify-typed-session in this scope or above it${decorator === 'session' ? '' : `, with decorator: '${decorator}'`}.`
  )
}
