import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { SessionOptions } from '../types/options.ts'
import { reserveCookieName } from './cookie/reserve-name.ts'
import { cookieSerializer } from './cookie/serializer.ts'
import { keyIdOf } from './crypto/keys.ts'
import { RandomPool } from './crypto/random.ts'
import { loadXChaCha } from './crypto/xchacha.ts'
import { checkCsrfProtection } from './diagnostics/csrf-protection.ts'
import { Trace } from './diagnostics/trace.ts'
import { Endings } from './endings/endings.ts'
import { Signals } from './endings/signals.ts'
import { DuplicateSessionError, InvalidValueError } from './errors.ts'
import type { Settings } from './options.ts'
import { resolveOptions } from './options.ts'
import { HandleAliases } from './owners/handle-aliases.ts'
import { OwnerSessions } from './owners/sessions.ts'
import { Adopter } from './request/adopt.ts'
import { DeviceGate } from './request/device-gate.ts'
import { SessionFactory } from './request/factory.ts'
import { requestSession } from './request/get-session.ts'
import { addFinishHooks, addStartHook } from './request/hooks.ts'
import { SessionManager } from './request/manager.ts'
import { RawSessions } from './request/raw-sessions.ts'
import { RoutePolicies } from './request/route-config.ts'
import type { RequestSession } from './request/session.ts'
import { provideSessionContext } from './request/session-context.ts'
import { RequestSlots } from './request/slots.ts'
import { WebSocketHandshake } from './request/websocket.ts'
import { Revocations } from './revocations/revocations.ts'
import { secondsOf } from './transport/clock.ts'
import { expiresAt } from './transport/expiry.ts'
import { createMarks, createStore, createTransport } from './transport/modes.ts'

/** Wiring only: the options become a manager, and the manager three hooks and a property of the request. */
const register: FastifyPluginAsync<SessionOptions> = async (app, options) => {
  const settings = resolveOptions(options)
  const { decorator, cookieName } = settings
  assertFree(app, decorator)
  reserveCookieName(app, cookieName, settings.secrets.map(keyIdOf))
  const aliases = new HandleAliases()
  const endings = new Endings(cookieName, settings.store, app.log)
  const cipher = settings.encrypt ? await loadXChaCha() : undefined
  const random = new RandomPool()
  const store = createStore(settings, random, cipher)
  const revocations = await followRevocations(settings, app, endings)
  const transport = createTransport(settings, store, random, cipher, revocations, (ending) => endings.announce(ending))
  const signals = new Signals(endings, transport, {
    signalInterval: settings.store && settings.signalInterval,
    clock: settings.clock,
    expiresAt: (session) => expiresAt(session, settings)
  })
  const factory = new SessionFactory(settings, transport, secondsOf(settings.clock))
  const device = new DeviceGate()
  const raw = new RawSessions(cookieName, factory, device, signals, app.log)
  const sessions = new OwnerSessions(
    store,
    aliases,
    endings,
    (key) => transport.successorsOf(key),
    revocations,
    (request) => raw.read(request)
  )
  const serialize = await cookieSerializer(app)
  const trace = new Trace(settings, app.log)
  const marks = createMarks(settings, store, revocations)
  const adopter = settings.adopt.length > 0 ? new Adopter(settings, transport, marks, serialize, trace) : undefined
  await adopter?.start()
  const slots = new RequestSlots(app, decorator)
  const manager = new SessionManager(
    settings,
    slots,
    new RoutePolicies(app),
    transport,
    serialize,
    trace,
    aliases,
    sessions,
    signals,
    device,
    adopter
  )

  app.decorateRequest(decorator, {
    getter(this: FastifyRequest) {
      return manager.sessionOf(this)
    },
    setter(this: FastifyRequest, value: unknown) {
      if (value !== null) {
        throw new InvalidValueError(
          `request.${decorator} can only be set to null, which destroys the session. To set data, assign to its properties.`
        )
      }
      const session = requestSession(this, decorator)
      // Not an own property that may be in the way. One that is not loaded refuses.
      const { destroy }: RequestSession = Object.getPrototypeOf(session)
      // The assignment cannot wait: if it fails, the reply fails.
      destroy.call(session).catch(() => manager.failLater(this))
    }
  })
  if (decorator === 'session') app.decorate('sessions', sessions)
  provideSessionContext(app, {
    settings,
    sessions,
    factory,
    device,
    loadedOf: (request) => manager.loadedOf(request),
    setAside: (request) => manager.setAside(request),
    stateOf: (request) => slots.stateOf(request)
  })

  checkCsrfProtection(app, decorator)
  const handshake = new WebSocketHandshake(manager)
  app.addHook('onRoute', (route) => handshake.prepare(route))
  addStartHook(app, manager, handshake)
  addFinishHooks(app, manager)
  app.addHook('onError', function failSession(request, _reply, _error, done) {
    manager.fail(request)
    done()
  })
  app.addHook('onClose', async () => {
    signals.close()
    await endings.close()
    await transport.close()
    await settings.store?.close?.()
  })
}

/** Nothing opens until the list has answered, but an application can start without it. */
async function followRevocations(
  settings: Settings,
  app: FastifyInstance,
  endings: Endings
): Promise<Revocations | undefined> {
  if (settings.revocations === undefined) return undefined
  const revocations = new Revocations(settings.revocations, settings, app.log, (ending) => endings.note(ending))
  await revocations.start()
  return revocations
}

/** Two sessions of one decorator would overwrite each other's property. */
function assertFree(app: FastifyInstance, decorator: string): void {
  if (app.hasRequestDecorator(decorator)) {
    throw new DuplicateSessionError(
      `request.${decorator} exists already: another session, or another plugin, has put it there. Give this session a decorator of its own.`
    )
  }
  if (decorator === 'session' && app.hasDecorator('sessions')) {
    throw new DuplicateSessionError(
      'app.sessions exists already: another plugin has decorated it. Give this session another decorator, and find its sessions by getSessions().'
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
