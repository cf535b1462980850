import type { FastifyRequest } from 'fastify'
import type { Session, SessionData } from '../../types/session.ts'
import { NotRegisteredError } from '../errors.ts'
import { RequestSession } from './session.ts'
import { otherCopy } from './session-context.ts'
import { kCopy } from './session-members.ts'

/** A request of any server (HTTP/1 or HTTP/2), route and type provider. */
type AnyRequest = Pick<FastifyRequest, 'id' | 'log'>

/**
 * The session of a request: the same object as `request.session`, with a type that no other plugin can capture
 * (`@fastify/session`, `@fastify/secure-session` and what imports them declare `request.session` as theirs).
 *
 * `decorator` names another session than the default one; its data can have a type of their own. Throws
 * `ERR_SESSION_NOT_REGISTERED`, with what to do, where the request has no such session: outside the scope of the plugin
 * `request.session` is undefined, and JavaScript says only that it cannot read or set properties of undefined.
 *
 * @example
 * ```ts
 * const visits = getSession(request).visits ?? 0
 * const level = getSession<{ level: number }>(request, 'adminSession').level ?? 0
 * ```
 */
export function getSession<Data = SessionData>(request: AnyRequest, decorator = 'session'): Session<Data> {
  return requestSession(request, decorator) as unknown as Session<Data>
}

export function requestSession(request: object, decorator: string): RequestSession {
  const session = (request as Record<string, unknown>)[decorator]
  if (RequestSession.isSession(session)) return session
  const version = (session as { readonly [kCopy]?: string } | null | undefined)?.[kCopy]
  if (version !== undefined) throw otherCopy(version)
  throw new NotRegisteredError(
    `This request has no session named '${decorator}'. Register fastify-typed-session in the scope of the route or above it${decorator === 'session' ? '' : `, with decorator: '${decorator}'`}.`
  )
}
