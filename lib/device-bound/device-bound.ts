import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { DeviceBoundOptions } from '../../types/device-bound.ts'
import { reserveCookieName } from '../cookie/reserve-name.ts'
import { cookieSerializer } from '../cookie/serializer.ts'
import { deriveKeys } from '../crypto/keys.ts'
import { RandomPool } from '../crypto/random.ts'
import { CookieRuleError, InvalidOptionError, NotRegisteredError } from '../errors.ts'
import { ChallengeFormat } from '../format/challenge.ts'
import { ProofFormat } from '../format/proof.ts'
import { basePathOf } from '../guard/base-path.ts'
import { quietHook } from '../request/send-hooks.ts'
import type { SessionContext } from '../request/session-context.ts'
import { sessionContext } from '../request/session-context.ts'
import { secondsOf } from '../transport/clock.ts'
import { Challenges } from './challenges.ts'
import { createKeeper } from './keeper.ts'
import type { DeviceKit } from './kit.ts'
import { resolveDeviceBoundOptions } from './options.ts'
import { refresh } from './refresh.ts'
import { register } from './registration.ts'
import { ShortCookie } from './short-cookie.ts'
import { tellBrowser } from './tell-browser.ts'

type Answer = (request: FastifyRequest, reply: FastifyReply) => Promise<void>

const SUFFIX = '-device'

const kAnswer = Symbol('fastify-typed-session answer to a device')

/** The config of the routes that browsers call. */
interface Slot {
  readonly [kAnswer]?: Answer
}

/** Wiring only: the answers are in `registration.ts` and `refresh.ts`. */
const plugin: FastifyPluginAsync<DeviceBoundOptions> = async (app, options) => {
  const kit = await createKit(app, options)
  kit.context.device.join(createKeeper(kit))
  addAnswerHook(app)
  app.addHook(
    'onSend',
    quietHook(function tellDevice(request, reply, _payload, done) {
      const state = kit.context.stateOf(request)
      if (state !== null) tellBrowser(kit, state, request, reply)
      done()
    })
  )
  const addRoute = (name: string, answer: Answer): void => {
    const config: object = { [kAnswer]: answer } satisfies Slot
    app.post(`${kit.settings.path}/${name}`, { config }, answer)
  }
  addRoute('register', (request, reply) => register(kit, request, reply))
  addRoute('refresh', (request, reply) => refresh(kit, request, reply))
}

/**
 * Answers in the first hook after that of the session: before guards, tokens against CSRF, and what reads bodies. A browser holds
 * the requests of its user back meanwhile, so nothing of the application must stand in between.
 */
function addAnswerHook(app: FastifyInstance): void {
  app.addHook('onRequest', function answerDevice(request, reply, done) {
    // `routeOptions` costs more than the rest of this hook.
    if (request.raw.method !== 'POST') {
      done()
      return
    }
    const { [kAnswer]: answer } = Object(request.routeOptions.config) as Slot
    if (answer === undefined) done()
    else answer(request, reply).catch(done)
  })
}

async function createKit(app: FastifyInstance, options: DeviceBoundOptions): Promise<DeviceKit> {
  const settings = resolveDeviceBoundOptions(options)
  const context = contextOf(app, settings.decorator)
  const { secrets, cookieName, cookie: attributes, clock } = context.settings
  const name = cookieName + SUFFIX
  reserveCookieName(app, name, [])
  const now = secondsOf(clock)
  const { prefix } = app
  const hasStore = context.sessions.store !== undefined
  const proofs = new ProofFormat(deriveKeys(secrets, 'device-proof'), name)
  const challenges = new ChallengeFormat(deriveKeys(secrets, 'device-challenge'), name, new RandomPool())
  return {
    settings,
    context,
    challenges: new Challenges(challenges, context.sessions.store, now),
    cookie: new ShortCookie(name, attributes, proofs, settings.refreshEvery, !hasStore, await cookieSerializer(app)),
    pathOf: (request, route) => `${basePathOf(request, settings.decorator)}${prefix}${settings.path}/${route}`,
    now
  }
}

function contextOf(app: FastifyInstance, decorator: string): SessionContext {
  const context = sessionContext(app, decorator)
  if (context === undefined) {
    throw new NotRegisteredError(
      `Device-bound sessions need request.${decorator}. Register fastify-typed-session in this scope, or in an outer one, before fastify-typed-session/device-bound.`
    )
  }
  assertBindable(app.prefix, context.settings)
  return context
}

function assertBindable(prefix: string, { cookie, format }: SessionContext['settings']): void {
  if (cookie.secure === false || cookie.partitioned) {
    throw new CookieRuleError(
      'Browsers bind sessions over HTTPS only, and to no partitioned cookie: device-bound sessions need a session cookie without secure: false and without partitioned: true.'
    )
  }
  if (format !== undefined) {
    throw new InvalidOptionError(
      'The option format of the session and device-bound sessions exclude each other: the other framework would open a copied cookie without a proof.'
    )
  }
  if (/[:*]/.test(prefix)) {
    throw new InvalidOptionError(
      'Browsers call the routes of device-bound sessions as they are: the prefix of their scope must have no parameters.'
    )
  }
}

/**
 * Binds sessions to the devices of their users (Device Bound Session Credentials): a browser keeps a key that cannot leave the
 * device, and proves every few minutes that it has it. A copy of its cookies is worth nothing after that. Register it after the
 * session, and before the hooks of the application. Browsers without this ability are served as before.
 *
 * Registration fails with `ERR_SESSION_NOT_REGISTERED` without a session, with `ERR_SESSION_DUPLICATE` if it is registered twice,
 * with `ERR_SESSION_COOKIE_RULE` for a session cookie with `secure: false` or `partitioned: true`, and with
 * `ERR_SESSION_OPTION_INVALID` or `ERR_SESSION_OPTION_UNKNOWN` for a wrong option, a prefix with parameters, or a session with the
 * option `format`.
 *
 * @example
 * ```ts
 * import session from 'fastify-typed-session'
 * import deviceBound from 'fastify-typed-session/device-bound'
 *
 * await app.register(session, { secret })
 * await app.register(deviceBound, { path: '/session/device', refreshEvery: 600 })
 * app.post('/login', async ({ session }) => session.setOwner('7')) // a browser that can binds the session now
 * ```
 */
export const deviceBound: FastifyPluginAsync<DeviceBoundOptions> = fastifyPlugin(plugin, {
  fastify: '5.x',
  name: 'fastify-typed-session-device-bound'
})
