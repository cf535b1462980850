import type { FastifyRequest } from 'fastify'

/** Warns that a reply was made private because of a cookie. It is a mistake in the application, so it is always said. */
export function warnOfSharing(request: FastifyRequest, cookieName: string): void {
  request.log.warn(
    { reason: 'shared-cache', cookieName },
    'The reply sets a cookie of its user, and its headers let shared caches give it to other people, so it was made private. Do not begin or change a session on a page that is shared, or send `Cache-Control: private` with it.'
  )
}
