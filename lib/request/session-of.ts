import type { FastifyRequest } from 'fastify'
import type { Session, SessionData } from '../../types/session.ts'
import { anyContext } from './session-context.ts'

/**
 * The session of a request, for code that only looks at it and may come at any time: the serializers of a log, the key of a rate
 * limit, an error handler. Never throws.
 *
 * It is undefined where no session is loaded: before the `onRequest` hook of the plugin has loaded it from a store, on a route with
 * `config: { session: false }`, while the store is not available, and where the request has no such session. Without a store the
 * session is loaded at once. `decorator` names another session than the default one.
 *
 * @example
 * ```ts
 * import type { FastifyRequest } from 'fastify'
 *
 * const keyGenerator = (request: FastifyRequest) => sessionOf(request)?.ownerId ?? request.ip
 * ```
 */
export function sessionOf<Data = SessionData>(
  request: Pick<FastifyRequest, 'id' | 'log'> | undefined,
  decorator = 'session'
): Session<Data> | undefined {
  const { server } = Object(request) as Partial<FastifyRequest>
  return anyContext(server, decorator)?.loadedOf(request as FastifyRequest) as Session<Data> | undefined
}
