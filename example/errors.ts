import { STATUS_CODES } from 'node:http'
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { html } from './html.ts'
import { barePage } from './layout.ts'

/** What can be said of errors that visitors will meet. */
const ADVICE: Readonly<Record<string, { readonly title: string; readonly text: string; readonly status?: number }>> = {
  ERR_SESSION_TOO_LARGE: {
    title: 'The cookie is full',
    text: 'Browsers keep 4096 bytes in a cookie, so this one was not sent, and you still have the one from before. Take something out, or try it with stored sessions.',
    status: 413
  },
  ERR_SESSION_STORE_UNAVAILABLE: {
    title: 'We are back in a moment',
    text: 'The session store is not available. You are still logged in: try again in a few seconds.'
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
  // A store that is down says when to come back.
  reply.code(statusCode).headers(error.headers ?? {})
  reply.send(
    barePage(reply, title ?? STATUS_CODES[statusCode] ?? 'Error', html`<p>${text ?? explain(error, statusCode)}</p>`)
  )
}

export function showNotFound(_request: FastifyRequest, reply: FastifyReply): void {
  reply.code(404)
  reply.send(barePage(reply, 'There is no such page', html`<p>The address may be misspelt.</p>`))
}

/** Visitors are told what they did wrong, and nothing of what went wrong here. */
function explain(error: Error, statusCode: number): string {
  return statusCode < 500 ? error.message : 'Something went wrong here. It is not your fault.'
}
