import type { FastifyRequest } from 'fastify'

/** What a browser is told of a session that is bound. */
export interface Instructions {
  readonly identifier: string
  /** As the browser sees it. */
  readonly refreshPath: string
  readonly cookieName: string
  readonly cookieAttributes: string
}

/** Returns the JSON of a session in the browser: "session instructions" of the draft of Device Bound Session Credentials. */
export function writeInstructions(
  { protocol, host }: Pick<FastifyRequest, 'protocol' | 'host'>,
  told: Instructions
): string {
  return JSON.stringify({
    session_identifier: told.identifier,
    refresh_url: told.refreshPath,
    scope: { origin: `${protocol}://${host}`, include_site: false, scope_specification: [] },
    credentials: [{ type: 'cookie', name: told.cookieName, attributes: told.cookieAttributes }]
  })
}
