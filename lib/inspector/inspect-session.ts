import type { FastifyInstance } from 'fastify'
import type { SessionInspection } from '../../types/inspector.ts'
import { DuplicateSessionError, NotRegisteredError } from '../errors.ts'
import type { InspectableRequest } from './inspect.ts'

type Inspect = (request: InspectableRequest) => SessionInspection

/** The decorator under which an application has the function that inspects a session. */
function slotOf(decorator: string): symbol {
  return Symbol.for(`fastify-typed-session inspector of ${decorator}`)
}

/** Makes an inspection available to `inspectSession`, in this scope and in inner scopes. */
export function offerInspection(app: FastifyInstance, decorator: string, inspect: Inspect): void {
  const slot = slotOf(decorator)
  if (app.hasDecorator(slot)) {
    throw new DuplicateSessionError(
      `The session inspector for request.${decorator} is registered already. Register it once.`
    )
  }
  app.decorate(slot, inspect)
}

/**
 * Returns what the inspector shows, for your own page or test: the parts of the cookie, the times, the data and the size of the
 * session of a request, and the decisions on the requests before. `decorator`: the session, default `'session'`. Throws
 * `ERR_SESSION_NOT_REGISTERED` if the inspector is not registered.
 *
 * @example
 * ```ts
 * app.get('/why', async (request) => inspectSession(request).decisions)
 * ```
 */
export function inspectSession(request: InspectableRequest, decorator = 'session'): SessionInspection {
  const inspect: unknown = Reflect.get(request.server, slotOf(decorator))
  // Only `offerInspection` uses this decorator.
  if (inspect !== undefined) return (inspect as Inspect)(request)
  throw new NotRegisteredError(
    `There is no session inspector for request.${decorator}. Register fastify-typed-session/inspector in the scope of the route, or in an outer one.`
  )
}
