import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { SessionEvent } from '../../types/diagnostics.ts'
import type { InspectorOptions, SessionInspection } from '../../types/inspector.ts'
import { loadXChaCha } from '../crypto/xchacha.ts'
import { InvalidOptionError, NotRegisteredError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { sessionContext } from '../request/session-context.ts'
import { Decisions } from './decisions.ts'
import type { InspectableRequest } from './inspect.ts'
import { inspect } from './inspect.ts'
import { offerInspection } from './inspect-session.ts'
import { resolveInspectorOptions } from './options.ts'
import { renderInspection, renderPage } from './page.ts'
import { STYLESHEET } from './stylesheet.ts'

const CHANNEL = 'fastify-typed-session'

/** Allows the stylesheet only, even if other HTML gets into the page. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const register: FastifyPluginAsync<InspectorOptions> = async (app, options) => {
  const { path, decorator, layout } = resolveInspectorOptions(options, process.env.NODE_ENV)
  const settings = settingsOf(app, decorator)
  const decisions = new Decisions()
  const cipher = settings.encrypt ? await loadXChaCha() : undefined
  const inspectNow = (request: InspectableRequest): SessionInspection => inspect(request, settings, decisions, cipher)
  offerInspection(app, decorator, inspectNow)
  listen(app, settings, decisions)

  const stylesheet = `${path}/style.css`
  app.get(stylesheet, { config: { session: false } }, async (_request, reply) => {
    return reply.type('text/css; charset=utf-8').send(STYLESHEET)
  })
  // A view of the page is not activity: it must be able to show that a session expires.
  app.get(path, { config: { session: { touch: false } } }, async (request, reply) => {
    const content = renderInspection(inspectNow(request), app.prefix + stylesheet)
    reply.type('text/html; charset=utf-8').header('cache-control', 'no-store')
    if (layout !== undefined) return layout(content, request, reply)
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY)
    return renderPage(content)
  })
}

function settingsOf(app: FastifyInstance, decorator: string): Settings {
  const settings = sessionContext(app, decorator)?.settings
  if (settings?.format !== undefined) {
    throw new InvalidOptionError(
      'The session inspector explains cookies of our own formats. It cannot be registered for a session with the option format.'
    )
  }
  if (settings !== undefined) return settings
  throw new NotRegisteredError(
    `The session inspector needs request.${decorator}. Register fastify-typed-session in this scope, or in an outer one, before the inspector.`
  )
}

/** Records the decisions on the sessions of this application, until it closes. */
function listen(app: FastifyInstance, settings: Settings, decisions: Decisions): void {
  const note = (message: unknown): void => {
    // Only this package publishes on this channel.
    const event = message as SessionEvent
    const isOurs = sessionContext(event.request.server, event.decorator)?.settings === settings
    if (isOurs) decisions.note(event, new Date(settings.clock()))
  }
  subscribe(CHANNEL, note)
  app.addHook('onClose', async () => {
    unsubscribe(CHANNEL, note)
  })
}

/**
 * The session inspector, for development: a Fastify plugin with a page that shows visitors their own session. The page explains
 * each part of the cookie, shows when the session ends, and says why the last requests sent a cookie or did not. A view of the
 * page is not activity. Register it after the session.
 *
 * The page shows a cookie that scripts must not see. Registration therefore fails with `ERR_SESSION_NOT_IN_DEVELOPMENT`
 * unless `NODE_ENV` is `development` or the option `allowOutsideDevelopment` is set. It fails with `ERR_SESSION_NOT_REGISTERED` without
 * a session, with `ERR_SESSION_DUPLICATE` for a second inspector of the same session, and with `ERR_SESSION_OPTION_INVALID` or
 * `ERR_SESSION_OPTION_UNKNOWN` for a wrong option.
 *
 * @example
 * ```ts
 * import inspector from 'fastify-typed-session/inspector'
 *
 * await app.register(session, { secret: process.env.SESSION_SECRET })
 * if (process.env.NODE_ENV === 'development') await app.register(inspector)
 * // Open http://127.0.0.1:3000/session-inspector
 * ```
 */
export const inspector: FastifyPluginAsync<InspectorOptions> = fastifyPlugin(register, {
  fastify: '5.x',
  name: 'fastify-typed-session-inspector'
})
