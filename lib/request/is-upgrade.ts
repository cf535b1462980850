import type { FastifyRequest } from 'fastify'

/** Whether a request turns into a WebSocket: Node.js has handed it to a listener of 'upgrade', or `injectWS` pretends that it has. */
export function isUpgrade(request: FastifyRequest): boolean {
  const { raw } = request
  return ('upgrade' in raw && raw.upgrade === true) || ('ws' in request && request.ws === true)
}
