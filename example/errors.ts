import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { html } from './html.ts'
import { errorPage } from './layout.ts'

/** Title and text for errors that a visitor can cause or meet. */
const ADVICE: Readonly<Record<string, { readonly title: string; readonly text: string; readonly status?: number }>> = {
  ERR_SESSION_TOO_LARGE: {
    title: 'The cookie is full',
    text: 'Browsers accept cookies of up to 4096 bytes. Your last change does not fit, so your session is as it was before. Remove something, or try stored sessions.',
    status: 413
  },
  ERR_SESSION_STORE_UNAVAILABLE: {
    title: 'We will be back in a moment',
    text: 'The session store is not available. You are still logged in: try again in a few seconds.'
  },
  ERR_SESSION_CROSS_SITE: {
    title: 'This request came from another site',
    text: 'Only pages of this site may change something here. Go to the start page and try again.'
  },
  FST_CSRF_MISSING_SECRET: {
    title: 'This form is out of date',
    text: 'Your session has ended since you opened it. Go back, reload the page and try again.'
  },
  FST_CSRF_INVALID_TOKEN: {
    title: 'This form is out of date',
    text: 'You have logged in or out since you opened it. Go back, reload the page and try again.'
  }
}

export function showError(
  error: FastifyError & { readonly headers?: Record<string, string> },
  request: FastifyRequest,
  reply: FastifyReply
): void {
  const { title, text, status } = ADVICE[error.code] ?? {}
  const statusCode = status ?? error.statusCode ?? 500
  if (statusCode >= 500) request.log.error(error)
  // The error of a store that is down has a Retry-After header.
  reply.code(statusCode).headers(error.headers ?? {})
  reply.send(
    errorPage(reply, title ?? STATUS_CODES[statusCode] ?? 'Error', html`<p>${text ?? explain(error, statusCode)}</p>`)
  )
}

export function showNotFound(_request: FastifyRequest, reply: FastifyReply): void {
  reply.code(404)
  reply.send(errorPage(reply, 'There is no such page', html`<p>The address may be misspelt.</p>`))
}

/** Shows the message of a visitor's mistake, but no detail of an error of the server. */
function explain(error: Error, statusCode: number): string {
  return statusCode < 500 ? error.message : 'Something went wrong here. It is not your fault.'
}
