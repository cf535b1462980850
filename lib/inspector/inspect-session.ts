import type { FastifyInstance } from 'fastify'
import type { SessionInspection } from '../../types/inspector.ts'
import { DuplicateSessionError, NotRegisteredError } from '../errors.ts'
import type { InspectableRequest } from './inspect.ts'

type Inspect = (request: InspectableRequest) => SessionInspection

/** Where an application has what inspects a session of it. */
function slotOf(decorator: string): symbol {
  return Symbol.for(`fastify-typed-session inspector of ${decorator}`)
}

/** Lets `inspectSession` find what inspects a session, in this scope and in those within. */
export function offerInspection(app: FastifyInstance, decorator: string, inspect: Inspect): void {
  const slot = slotOf(decorator)
  if (app.hasDecorator(slot)) {
    throw new DuplicateSessionError(`The session inspector for request.${decorator} is registered already.`)
  }
  app.decorate(slot, inspect)
}

/**
 * What can be told of the session behind a request, for a page or a test of yours: its cookie taken apart, its times, its size
 * and what was decided on the requests before. `decorator` names another session than the default one. Needs the inspector to
 * be registered, or throws `ERR_SESSION_NOT_REGISTERED`.
 *
 * @example
 * ```ts
 * app.get('/why', async (request) => inspectSession(request).decisions)
 * ```
 */
export function inspectSession(request: InspectableRequest, decorator = 'session'): SessionInspection {
  const inspect: unknown = Reflect.get(request.server, slotOf(decorator))
  // Only `offerInspection` puts something there.
  if (inspect !== undefined) return (inspect as Inspect)(request)
  throw new NotRegisteredError(
    `There is no session inspector for request.${decorator} here. Register fastify-typed-session/inspector in the scope of the route or above it.`
  )
}
