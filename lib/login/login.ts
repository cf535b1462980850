import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { LoginCallOptions, LoginOptions, User } from '../../types/login.ts'
import { reserveCookieName } from '../cookie/reserve-name.ts'
import { cookieSerializer } from '../cookie/serializer.ts'
import { deriveKeys } from '../crypto/keys.ts'
import { DuplicateSessionError, NotLoadedError, NotRegisteredError, StoreRequiredError } from '../errors.ts'
import { ReferenceFormat } from '../format/reference.ts'
import type { Settings } from '../options.ts'
import { sessionContext } from '../request/session-context.ts'
import type { Kit } from './account.ts'
import { Account } from './account.ts'
import { provideLoginSettings } from './login-context.ts'
import { createLoginGuards } from './login-guards.ts'
import { resolveLoginOptions } from './options.ts'
import { RememberCookie } from './remember-cookie.ts'
import { RememberTokens } from './remember-tokens.ts'

const NAMES = ['user', 'authenticatedAt', 'loadUser', 'login', 'logout', 'confirmLogin', 'logoutOthers']

const kKits = Symbol.for('fastify-typed-session login kits')
const kReply = Symbol('fastify-typed-session reply')
const kAccount = Symbol('fastify-typed-session account')

interface Slots {
  [kReply]: FastifyReply | null
  [kAccount]: Account | null
}

/** Wiring only: what happens to logins is in `account.ts`. */
const register: FastifyPluginAsync<LoginOptions> = async (app, options) => {
  const kit = await createKit(app, options)
  const accountOf = (request: object): Account => {
    const slots = request as Slots
    slots[kAccount] ??= createAccount(kit, request as FastifyRequest, slots[kReply])
    return slots[kAccount]
  }
  app.decorateRequest(kReply, null)
  app.decorateRequest(kAccount, null)
  decorateRequests(app, accountOf)
  for (const [name, guard] of Object.entries(createLoginGuards(kit.settings, accountOf))) app.decorate(name, guard)
  app.addHook('onRequest', function noteReply(request, reply, done) {
    ;(request as unknown as Slots)[kReply] = reply
    done()
  })
}

async function createKit(app: FastifyInstance, options: LoginOptions): Promise<Kit> {
  const { decorator = 'session' } = options
  const context = sessionContext(app, decorator)
  if (context === undefined) {
    throw new NotRegisteredError(
      `The login kit needs request.${decorator}. Register fastify-typed-session in this scope, or above it, before the login kit.`
    )
  }
  const { settings: session, sessions } = context
  const settings = resolveLoginOptions(options, session.clock)
  assertFree(app)
  assertAlone(app, codecFor(session, 'login'))
  provideLoginSettings(app, settings)
  if (settings.remember === undefined) return { settings, sessions, remember: undefined }
  if (sessions.store === undefined) {
    throw new StoreRequiredError(
      'The option remember of the login kit needs a store: a token that is good once, and that can be revoked, has to be known on the server. Give the session the option store, or leave remember out and set permanent: true for sessions that outlive the browser.'
    )
  }
  const { cookieName } = settings.remember
  reserveCookieName(app, cookieName)
  const tokens = new RememberTokens(sessions.store, settings.remember)
  sessions.join(tokens)
  const cookie = new RememberCookie(settings.remember, codecFor(session, cookieName), await cookieSerializer(app))
  return { settings, sessions, remember: { tokens, cookie } }
}

/**
 * Signs what another cookie of a session refers to. No cookie can have a space in its name, so nothing that was signed for one of
 * them opens as another.
 */
function codecFor({ secrets, cookieName }: Settings, otherName: string): ReferenceFormat {
  return new ReferenceFormat(deriveKeys(secrets, 'reference'), `${cookieName} ${otherName}`)
}

/** Kits in scopes side by side whose sessions open each other's cookies would take each other's users for their own. */
function assertAlone(app: FastifyInstance, codec: ReferenceFormat): void {
  const kits = app.server as unknown as Record<symbol, ReferenceFormat[] | undefined>
  const others = kits[kKits] ?? []
  const opens = (one: ReferenceFormat, other: ReferenceFormat): boolean => one.verify(other.encode('', 0)) === undefined
  if (others.some((other) => opens(codec, other) || opens(other, codec))) {
    throw new DuplicateSessionError(
      'A login kit in another scope has a session that opens the same cookies, so each would take the users of the other for its own. Register the kit once, above both scopes, or give each a session with a cookieName of its own.'
    )
  }
  kits[kKits] = [...others, codec]
}

function createAccount(kit: Kit, request: FastifyRequest, reply: FastifyReply | null): Account {
  if (reply !== null) return new Account(kit, request, reply)
  throw new NotLoadedError(
    'Who is logged in is known from the onRequest hook of the login kit on. Ask in a later hook, or register the login kit first.'
  )
}

/** `@fastify/passport` decorates the same names; which of both a handler gets must not be chance. */
function assertFree(app: FastifyInstance): void {
  const taken = NAMES.find((name) => app.hasRequestDecorator(name))
  if (taken === undefined) return
  throw new DuplicateSessionError(
    `request.${taken} exists already: the login kit, @fastify/passport or another plugin has put it there. Use one of them in a scope. With passport, the session alone is enough: see docs/passport.md.`
  )
}

function decorateRequests(app: FastifyInstance, accountOf: (request: object) => Account): void {
  app.decorateRequest('user', {
    getter(this: FastifyRequest) {
      return accountOf(this).user
    }
  })
  app.decorateRequest('authenticatedAt', {
    getter(this: FastifyRequest) {
      return accountOf(this).authenticatedAt
    }
  })
  app.decorateRequest('loadUser', function (this: FastifyRequest) {
    return accountOf(this).loadIfPossible()
  })
  app.decorateRequest('login', function (this: FastifyRequest, user: User, options?: LoginCallOptions) {
    return accountOf(this).login(user, options)
  })
  app.decorateRequest('logout', function (this: FastifyRequest) {
    return accountOf(this).logout()
  })
  app.decorateRequest('confirmLogin', function (this: FastifyRequest) {
    return accountOf(this).confirmLogin()
  })
  app.decorateRequest('logoutOthers', function (this: FastifyRequest) {
    return accountOf(this).logoutOthers()
  })
}

/**
 * The login kit: who is behind a request, on top of the session.
 *
 * @example
 * ```ts
 * import fastify from 'fastify'
 * import session from 'fastify-typed-session'
 * import login from 'fastify-typed-session/login'
 *
 * declare module 'fastify-typed-session/login' {
 *   interface User {
 *     id: number
 *     name: string
 *   }
 * }
 *
 * const users = new Map([['7', { id: 7, name: 'Ada' }]])
 *
 * const app = fastify()
 * await app.register(session, { secret: process.env.SESSION_SECRET })
 * await app.register(login, { loadUser: (id) => users.get(id), loginPath: '/login' })
 * app.get('/me', app.loginRequired().handle(async (request) => request.user.name))
 * ```
 */
export const login: FastifyPluginAsync<LoginOptions> = fastifyPlugin(register, {
  fastify: '5.x',
  name: 'fastify-typed-session-login'
})
