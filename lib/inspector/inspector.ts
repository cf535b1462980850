import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { SessionEvent } from '../../types/diagnostics.ts'
import type { InspectorOptions } from '../../types/inspector.ts'
import { NotRegisteredError } from '../errors.ts'
import type { Settings } from '../options.ts'
import { sessionContext } from '../request/session-context.ts'
import { Decisions } from './decisions.ts'
import { inspect } from './inspect.ts'
import { offerInspection } from './inspect-session.ts'
import { resolveInspectorOptions } from './options.ts'
import { renderInspection, renderPage } from './page.ts'
import { STYLESHEET } from './stylesheet.ts'

const CHANNEL = 'fastify-typed-session'

/** Nothing but the stylesheet, whatever else gets into the page. */
const CONTENT_SECURITY_POLICY =
  "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

const register: FastifyPluginAsync<InspectorOptions> = async (app, options) => {
  const { path, decorator, layout } = resolveInspectorOptions(options, process.env.NODE_ENV)
  const settings = settingsOf(app, decorator)
  const decisions = new Decisions()
  offerInspection(app, decorator, (request) => inspect(request, settings, decisions))
  listen(app, settings, decisions)

  const stylesheet = `${path}/style.css`
  app.get(stylesheet, { config: { session: false } }, async (_request, reply) => {
    return reply.type('text/css; charset=utf-8').send(STYLESHEET)
  })
  // Looking at a session is no activity, or nobody could see it grow old.
  app.get(path, { config: { session: { touch: false } } }, async (request, reply) => {
    const content = renderInspection(inspect(request, settings, decisions), app.prefix + stylesheet)
    reply.type('text/html; charset=utf-8').header('cache-control', 'no-store')
    if (layout !== undefined) return layout(content, request, reply)
    reply.header('content-security-policy', CONTENT_SECURITY_POLICY)
    return renderPage(content)
  })
}

function settingsOf(app: FastifyInstance, decorator: string): Settings {
  const settings = sessionContext(app, decorator)?.settings
  if (settings !== undefined) return settings
  throw new NotRegisteredError(
    `The session inspector needs request.${decorator}. Register fastify-typed-session in this scope, or above it, before the inspector.`
  )
}

/** Hears what is decided on the sessions of this application, until it closes. */
function listen(app: FastifyInstance, settings: Settings, decisions: Decisions): void {
  const note = (message: unknown): void => {
    // Nobody else publishes on this channel.
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
 * The session inspector, for development: a page that shows whoever opens it their own session, the cookie as the browser holds
 * it, taken apart, when it ends, and why the last requests sent a cookie or none.
 *
 * It shows a cookie that scripts must not see, so it refuses to start with `NODE_ENV=production`
 * (`ERR_SESSION_NOT_IN_PRODUCTION`) unless `allowInProduction` is set. A look at the page is no activity. A second one for the
 * same session throws `ERR_SESSION_DUPLICATE`, and one without a session `ERR_SESSION_NOT_REGISTERED`.
 *
 * @example
 * ```ts
 * import inspector from 'fastify-typed-session/inspector'
 *
 * await app.register(session, { secret: process.env.SESSION_SECRET })
 * if (process.env.NODE_ENV !== 'production') await app.register(inspector)
 * // Open http://127.0.0.1:3000/session-inspector
 * ```
 */
export const inspector: FastifyPluginAsync<InspectorOptions> = fastifyPlugin(register, {
  fastify: '5.x',
  name: 'fastify-typed-session-inspector'
})
