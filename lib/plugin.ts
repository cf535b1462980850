import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { SessionOptions } from '../types/options.ts'
import { reserveCookieName } from './cookie/reserve-name.ts'
import { cookieSerializer } from './cookie/serializer.ts'
import { RandomPool } from './crypto/random.ts'
import { Trace } from './diagnostics/trace.ts'
import { DuplicateSessionError, InvalidValueError } from './errors.ts'
import { hiddenSettings, resolveOptions } from './options.ts'
import { HandleAliases } from './owners/handle-aliases.ts'
import { OwnerSessions } from './owners/sessions.ts'
import { hiddenFactory, SessionFactory } from './request/factory.ts'
import { SessionManager } from './request/manager.ts'
import { RoutePolicies } from './request/route-config.ts'
import { RequestSession } from './request/session.ts'
import { WebSocketHandshake } from './request/websocket.ts'
import { GuardedStore } from './stores/guarded.ts'
import { createTransport } from './transport/modes.ts'

/** Wiring only: options become a lifecycle, and the lifecycle three hooks and a property of the request. */
const register: FastifyPluginAsync<SessionOptions> = async (app, options) => {
  const settings = resolveOptions(options)
  assertFree(app, settings.decorator)
  reserveCookieName(app, settings.cookieName)
  const random = new RandomPool()
  const renamed = new HandleAliases()
  const store = settings.store && new GuardedStore(settings.store, settings.storeTimeout)
  const slots = { visit: Symbol(`${settings.decorator} visit`), reply: Symbol(`${settings.decorator} reply`) }
  const transport = createTransport(settings, store, random)
  const lifecycle = new SessionManager(
    settings,
    slots,
    new RoutePolicies(app),
    transport,
    await cookieSerializer(app),
    new Trace(settings, app.log),
    renamed
  )

  app.decorateRequest(slots.visit, null)
  app.decorateRequest(slots.reply, null)
  app.decorateRequest(settings.decorator, {
    getter(this: FastifyRequest) {
      return lifecycle.look(this)
    },
    setter(this: FastifyRequest, value: unknown) {
      if (value !== null) {
        throw new InvalidValueError(
          `request.${settings.decorator} can only be set to null, which destroys the session. To set data, assign to its properties.`
        )
      }
      // Not through the object, where an own property may stand in front of the method.
      RequestSession.prototype.destroy.call(lifecycle.look(this)).catch(() => {
        // Nobody waits for this. The reply tries it again, and fails if that fails.
      })
    }
  })

  const registry = new OwnerSessions(store, renamed)
  hiddenSettings.put(registry, settings)
  hiddenFactory.put(registry, new SessionFactory(settings, transport, () => lifecycle.now()))
  app.decorate(`${settings.decorator}s`, registry)
  const upgrades = new WebSocketHandshake(lifecycle)
  app.addHook('onRoute', (route) => upgrades.prepare(route))
  // No async hooks: those cost a promise on every request, and by value there is nothing to wait for.
  app.addHook('onRequest', function startSession(request, reply, done) {
    upgrades.expect(request, reply)
    let pending: undefined | Promise<unknown>
    try {
      pending = lifecycle.start(request, reply)
    } catch (error) {
      done(error as Error)
      return
    }
    if (pending === undefined) done()
    else settle(pending, done)
  })
  addFinishHook(app, lifecycle)
  if (settings.store?.close !== undefined) app.addHook('onClose', async () => settings.store?.close?.())
}

export function addFinishHook(app: FastifyInstance, lifecycle: Pick<SessionManager, 'finish'>): void {
  app.addHook('onSend', function finishSession(request, reply, payload, done) {
    let pending: void | Promise<void>
    try {
      pending = lifecycle.finish(request, reply)
    } catch (error) {
      done(error as Error)
      return
    }
    if (!(pending instanceof Promise)) {
      done(null, payload)
      return
    }
    const release = countAsSent(reply)
    settle(pending, (error) => {
      release()
      if (error === undefined) done(null, payload)
      else done(error)
    })
  })
}

/** Caught last: `done` runs the rest of the request, which may throw. In a callback nobody would catch that. */
function settle(pending: Promise<unknown>, done: (error?: Error) => void): void {
  pending.then(() => done()).catch(done)
}

/**
 * Fastify takes a reply for sent once it has ended. While a store is asked it has not, so a handler would run after a hook that
 * replies and returns nothing, as passport's do, and a second reply would get into the first. Counted as sent, it is as by value,
 * where it has ended by then. Gives what undoes it.
 */
function countAsSent(reply: FastifyReply): () => void {
  Object.defineProperty(reply, 'sent', { value: true, configurable: true })
  return () => Reflect.deleteProperty(reply, 'sent')
}

/** Two sessions of one decorator would overwrite each other's property. */
function assertFree(app: FastifyInstance, decorator: string): void {
  if (app.hasRequestDecorator(decorator)) {
    throw new DuplicateSessionError(
      `request.${decorator} exists already: another session, or another plugin, has put it there. Give this session a decorator of its own.`
    )
  }
  if (app.hasDecorator(`${decorator}s`)) {
    throw new DuplicateSessionError(
      `app.${decorator}s exists already, and is where the sessions of owners go. Give this session another decorator.`
    )
  }
}

/**
 * The plugin: gives every request a typed session.
 *
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import session from 'fastify-typed-session'
 *
 * declare module 'fastify-typed-session' {
 *   interface SessionData {
 *     visits: number
 *   }
 * }
 *
 * const app = fastify()
 * await app.register(session, { secret: process.env.SESSION_SECRET })
 * app.get('/', async (request) => {
 *   request.session.visits = (request.session.visits ?? 0) + 1
 *   return `visit ${request.session.visits}`
 * })
 * ```
 */
export const session: FastifyPluginAsync<SessionOptions> = fastifyPlugin(register, {
  fastify: '5.x',
  name: 'fastify-typed-session'
})
