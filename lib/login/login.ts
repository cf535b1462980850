import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { Guard, GuardOptions, RefusalReason } from '../../types/guard.ts'
import type { FreshLoginOptions, LoginCallOptions, LoginOptions, User } from '../../types/login.ts'
import { isString, takeWhole } from '../check.ts'
import { cookieSerializer } from '../cookie-serializer.ts'
import { DuplicateSessionError, InvalidOptionError, NotRegisteredError, StoreRequiredError } from '../errors.ts'
import type { Check } from '../guard.ts'
import { and, createGuard } from '../guard.ts'
import { Registry } from '../registry.ts'
import type { Kit } from './account.ts'
import { Account } from './account.ts'
import { publish } from './login-events.ts'
import type { LoginSettings } from './options.ts'
import { resolveLoginOptions } from './options.ts'
import { RememberCookie } from './remember-cookie.ts'
import { RememberTokens } from './remember-tokens.ts'

/** What a guard of the kit found. */
type LoggedIn = { readonly user: User }

const NAMES = ['user', 'authenticatedAt', 'loadUser', 'login', 'logout', 'confirmLogin', 'logoutOthers']
const MAX_SECONDS = 2_147_483_647
const kAccount = Symbol('fastify-typed-session account')

/** Wiring only: what happens to logins is in `account.ts`. */
const register: FastifyPluginAsync<LoginOptions> = async (app, options) => {
  const settings = resolveLoginOptions(options)
  const kit = await createKit(app, settings)
  assertFree(app)
  const accountOf = (request: object): Account => {
    const slots = request as Record<symbol, Account | null>
    slots[kAccount] ??= new Account(kit, request as FastifyRequest)
    return slots[kAccount]
  }
  decorateRequests(app, accountOf)
  decorateGuards(app, kit, accountOf)
  app.addHook('onSend', function finishLogin(request, reply, payload, done) {
    const account = (request as unknown as Record<symbol, Account | null>)[kAccount]
    account?.finish(reply)
    done(null, payload)
  })
}

async function createKit(app: FastifyInstance, settings: LoginSettings): Promise<Kit> {
  const { decorator, remember, now } = settings
  const sessions = (app as unknown as Record<string, unknown>)[`${decorator}s`]
  if (!(sessions instanceof Registry)) {
    throw new NotRegisteredError(
      `The login kit needs request.${decorator}. Register fastify-typed-session in this scope, or above it, before the login kit.`
    )
  }
  if (remember === undefined) return { settings, sessions, remember: undefined }
  if (sessions.store === undefined) {
    throw new StoreRequiredError(
      'The option remember of the login kit needs a store: a token that is good once, and that can be revoked, has to be known on the server. Give the session the option store, or leave remember out and set permanent: true for sessions that outlive the browser.'
    )
  }
  const tokens = new RememberTokens(sessions.store, { ...remember, now })
  sessions.join(tokens)
  const { cookieName, attributes, maxAge } = remember
  const cookie = new RememberCookie(cookieName, attributes, maxAge, await cookieSerializer(app))
  return { settings, sessions, remember: { tokens, cookie } }
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
  app.decorateRequest(kAccount, null)
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
    return accountOf(this).load()
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

function decorateGuards(app: FastifyInstance, kit: Kit, accountOf: (request: object) => Account): void {
  const { decorator, loginPath, confirmPath, roles, now } = kit.settings
  const guard = (check: Check, path: string | undefined, options: GuardOptions): Guard<LoggedIn> => {
    const onRefused = (request: FastifyRequest, reply: FastifyReply, reason: RefusalReason): unknown => {
      publish({ type: 'refused', request, userId: accountOf(request).userId, reason })
      return options.onRefused?.(request, reply, reason)
    }
    return createGuard(decorator, check, { ...(path === undefined ? {} : { redirectTo: path }), ...options, onRefused })
  }

  const loginRequired = (options: GuardOptions = {}): Guard<LoggedIn> =>
    guard(
      async (request) => ((await accountOf(request).load()) === null ? 'not-logged-in' : undefined),
      loginPath,
      options
    )

  app.decorate('loginRequired', loginRequired)

  app.decorate('freshLoginRequired', ({ within, ...options }: FreshLoginOptions = {}) => {
    const seconds = takeWhole(within, MAX_SECONDS, 'within', 'seconds', 1, MAX_SECONDS)
    const isFresh = (at: Date | null): boolean => at !== null && now() - at.getTime() / 1000 <= seconds
    const fresh = guard(
      (request) => (isFresh(accountOf(request).authenticatedAt) ? undefined : 'not-fresh'),
      confirmPath,
      options
    )
    return and(loginRequired(options), fresh)
  })

  app.decorate('requireRole', (...given: readonly (string | GuardOptions)[]) => {
    if (roles === undefined) {
      throw new InvalidOptionError('app.requireRole() needs the option roles of the login kit: a function of the user.')
    }
    const wanted = given.filter(isString) as string[]
    const options = given.find((value): value is GuardOptions => !isString(value)) ?? {}
    if (wanted.length === 0)
      throw new InvalidOptionError('app.requireRole() takes the roles of which a user needs one.')
    const allowed = guard(
      (request) => {
        const own = roles(accountOf(request).user as User)
        return wanted.some((role) => own.includes(role)) ? undefined : 'not-allowed'
      },
      undefined,
      options
    )
    return and(loginRequired(), allowed)
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
