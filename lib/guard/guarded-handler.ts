import type { FastifyReply, FastifyRequest } from 'fastify'
import type { GuardReply, GuardRequest } from '../../types/guard.ts'
import type { MaybePromise } from '../../types/store.ts'
import { InvalidValueError } from '../errors.ts'
import { chain } from '../util/maybe-async.ts'

/** Returns whether a request may continue; false if it is answered. Throws if it fails. */
export type Gate = (request: GuardRequest, reply: GuardReply) => MaybePromise<boolean>

type Handler = (this: unknown, request: FastifyRequest, reply: FastifyReply) => unknown

/** Returns a handler that runs only if the gate lets the request through, wherever a route, a hook or a plugin puts it. */
export function guardedHandler(gate: Gate, handler: Handler): Handler {
  return function guarded(request, reply) {
    assertRequest(request)
    const passes = gate(request, reply)
    if (passes === true) return handler.call(this, request, reply)
    return chain(passes, (isOpen) => {
      const result = isOpen ? handler.call(this, request, reply) : undefined
      // What is not a promise is sent later, by a callback: whoever awaits the reply waits for that.
      return result === undefined ? reply : result
    })
  }
}

/** `@fastify/websocket` calls the handler of a WebSocket route with the socket, which is open by then. */
function assertRequest(request: Partial<FastifyRequest>): void {
  if (request.raw !== undefined) return
  throw new InvalidValueError(
    'The handler that guard.handle(handler) returns answers HTTP requests, and the socket of a WebSocket route is open before its handler runs. Write guard.handle({ websocket: true }, handler), or { websocket: true, preHandler: guard }.'
  )
}
