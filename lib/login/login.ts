import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { LoadUserOptions, LoginCallOptions, LoginOptions, User } from '../../types/login.ts'
import { reserveCookieName } from '../cookie/reserve-name.ts'
import { cookieSerializer } from '../cookie/serializer.ts'
import { HmacSha256, MAC_CHARACTERS } from '../crypto/hmac.ts'
import type { SessionKey } from '../crypto/keys.ts'
import { deriveKeys } from '../crypto/keys.ts'
import { DuplicateSessionError, NotLoadedError, NotRegisteredError, StoreRequiredError } from '../errors.ts'
import { ReferenceFormat } from '../format/reference.ts'
import type { Settings } from '../options.ts'
import type { Companion, OwnerSessions } from '../owners/sessions.ts'
import { sessionContext } from '../request/session-context.ts'
import { assertNoCallback } from '../util/check.ts'
import { SITE } from '../util/site.ts'
import { Account } from './account.ts'
import type { Kit } from './kit.ts'
import { provideLoginSettings } from './login-context.ts'
import { createLoginGuards } from './login-guards.ts'
import { LoginSession } from './login-session.ts'
import type { LoginSettings } from './options.ts'
import { resolveLoginOptions } from './options.ts'
import { RememberCookie } from './remember-cookie.ts'
import { RememberTokens } from './remember-tokens.ts'
import type { Remember } from './remembered-browser.ts'

const NAMES = ['user', 'authenticatedAt', 'loadUser', 'login', 'logout', 'confirmLogin', 'logoutOthers', 'rehashed']

const kWithKit = Symbol.for('fastify-typed-session sessions with a login kit')
const kReply = Symbol('fastify-typed-session reply')
const kHandling = Symbol('fastify-typed-session handling')
const kAccount = Symbol('fastify-typed-session account')

interface Slots {
  [kHandling]: boolean
  [kReply]: FastifyReply | null
  [kAccount]: Account | null
}

/** Wiring only: `account.ts` has the logic. */
const register: FastifyPluginAsync<LoginOptions> = async (app, options) => {
  const kit = await createKit(app, options)
  const accountOf = (request: object): Account => {
    const slots = request as Slots
    slots[kAccount] ??= createAccount(kit, request as FastifyRequest, slots[kReply])
    return slots[kAccount]
  }
  if (kit.remember !== undefined) kit.sessions.join(companionOf(kit.settings, kit.remember, accountOf))
  app.decorateRequest(kHandling, false)
  app.decorateRequest(kReply, null)
  app.decorateRequest(kAccount, null)
  decorateRequests(app, accountOf)
  noteHandlers(app)
  for (const [name, guard] of Object.entries(createLoginGuards(kit.settings, accountOf))) app.decorate(name, guard)
  app.addHook('onRequest', function rememberReply(request, reply, done) {
    ;(request as unknown as Slots)[kReply] = reply
    done()
  })
}

async function createKit(app: FastifyInstance, options: LoginOptions): Promise<Kit> {
  const { decorator = 'session' } = options
  const context = sessionContext(app, decorator)
  if (context === undefined) {
    throw new NotRegisteredError(
      `The login kit needs request.${decorator}. Register fastify-typed-session in this scope, or in an outer one, before the login kit.`
    )
  }
  const { settings: session, sessions } = context
  const { freshness } = session
  const settings = resolveLoginOptions(options, session.clock)
  assertFree(app)
  assertAlone(app, sessions)
  provideLoginSettings(app, settings)
  const base = { settings, sessions, freshness, isHandling, warnOfHaste: warningOfHaste() }
  if (settings.remember === undefined) return { ...base, remember: undefined }
  if (sessions.store === undefined) {
    throw new StoreRequiredError(
      'The option remember of the login kit needs a store, because the server must know each token to replace and to revoke it. Set the option store of the session; or leave remember out, and set permanent: true for sessions that outlive the browser.'
    )
  }
  const { cookieName } = settings.remember
  reserveCookieName(app, cookieName, [])
  const tokens = new RememberTokens(sessions.store, settings.remember, sessionIds(session, cookieName), (ending) =>
    sessions.announce(ending)
  )
  const cookie = new RememberCookie(settings.remember, formatFor(session, cookieName), await cookieSerializer(app))
  return { ...base, remember: { tokens, cookie } }
}

/** A remembered login ends with the session that it began, and with the one in which its browser is. */
function companionOf(
  settings: LoginSettings,
  { tokens, cookie }: Remember,
  accountOf: (request: object) => Account
): Companion {
  return {
    endWith: (key) => tokens.endWith(key),
    endAllOf: (ownerId, kept) => tokens.endAllOf(ownerId, kept),
    async leave(request) {
      // Outside of the scope of the kit a request has no account. It may be outside of the path of the cookie, too.
      if ((request as Partial<Slots>)[kReply]) return accountOf(request).leave()
      const { login } = new LoginSession(settings, request as FastifyRequest)
      if (login?.series !== undefined) await tokens.end(login.series, login.id)
      await tokens.endThese(cookie.read(request as FastifyRequest))
    }
  }
}

/**
 * Returns the format of another cookie that belongs to a session. Its name contains a space, which the name of a cookie cannot:
 * a value of this format never opens as the session cookie, or the other way round.
 */
function formatFor({ secrets, cookieName }: Settings, otherName: string): ReferenceFormat {
  return new ReferenceFormat(deriveKeys(secrets, 'reference'), `${cookieName} ${otherName}`)
}

/** Returns a function that derives the id of a session from the token with which it begins. It takes the secret of the server. */
function sessionIds({ secrets, cookieName }: Settings, rememberName: string): (token: string) => string {
  const [newest] = deriveKeys(secrets, 'remembered') as [SessionKey]
  const hmac = new HmacSha256(newest.bytes.toString('hex'), `${cookieName} ${rememberName}=`)
  return (token) => hmac.sign(token).slice(-MAC_CHARACTERS)
}

/** Refuses two kits in sibling scopes on one session: each would accept the users of the other. */
function assertAlone(app: FastifyInstance, sessions: OwnerSessions): void {
  const slots = app.server as unknown as Record<symbol, WeakSet<OwnerSessions> | undefined>
  slots[kWithKit] ??= new WeakSet()
  if (slots[kWithKit].has(sessions)) {
    throw new DuplicateSessionError(
      'A login kit in another scope has the same session, so each kit would accept the users of the other. Register one kit in a scope around both, or a session with another cookieName for each.'
    )
  }
  slots[kWithKit].add(sessions)
}

function createAccount(kit: Kit, request: FastifyRequest, reply: FastifyReply | null): Account {
  if (reply !== null) return new Account(kit, request, reply)
  throw new NotLoadedError(
    'The login kit has not run its onRequest hook yet. Use it in a later hook, or register the login kit first.'
  )
}

/**
 * Notes which requests are in what decides by the user: preHandler hooks and the handler. A log or a rate limit may look before,
 * and whatever runs when the reply or an error is on its way may look after it. All of that begins with `reply.send`, and hooks of
 * others that were added earlier would run before ours.
 */
function noteHandlers(app: FastifyInstance): void {
  app.addHook('preHandler', function noteHandler(request, reply, done) {
    const slots = request as unknown as Slots
    slots[kHandling] = true
    const { send } = reply
    reply.send = function noteReply(...payload) {
      slots[kHandling] = false
      return send.apply(this, payload)
    }
    done()
  })
}

function isHandling(request: object): boolean {
  return (request as Slots)[kHandling]
}

/** Returns a function that warns once: every request would say the same. */
function warningOfHaste(): Kit['warnOfHaste'] {
  let hasWarned = false
  return (request) => {
    if (hasWarned) return
    hasWarned = true
    request.log.warn(
      { reason: 'not-loaded' },
      'request.user was read before the user was loaded, so it was null. In a hook, await request.loadUser() first. In a log or the key of a rate limit, use sessionOf(request)?.ownerId, which is the id of the user.'
    )
  }
}

/** A log or an error handler may look at the user before the kit knows of the request. */
function isStarted(request: object): boolean {
  return (request as Slots)[kReply] !== null
}

/** `@fastify/passport` decorates the same names. A handler must not get the one or the other by chance. */
function assertFree(app: FastifyInstance): void {
  const taken = NAMES.find((name) => app.hasRequestDecorator(name))
  if (taken === undefined) return
  throw new DuplicateSessionError(
    `request.${taken} exists already: the login kit, @fastify/passport or another plugin has added it. Use only one of them in a scope. @fastify/passport needs the session alone: ${SITE}/passport`
  )
}

function decorateRequests(app: FastifyInstance, accountOf: (request: object) => Account): void {
  app.decorateRequest('user', {
    getter(this: FastifyRequest) {
      return isStarted(this) ? accountOf(this).user : null
    }
  })
  app.decorateRequest('authenticatedAt', {
    getter(this: FastifyRequest) {
      return isStarted(this) ? accountOf(this).authenticatedAt : null
    }
  })
  app.decorateRequest('loadUser', function (this: FastifyRequest, options?: LoadUserOptions, ...values: unknown[]) {
    assertNoCallback('request.loadUser()', [options, ...values])
    return accountOf(this).loadIfPossible(options)
  })
  app.decorateRequest(
    'login',
    function (this: FastifyRequest, user: User, options?: LoginCallOptions, ...values: unknown[]) {
      assertNoCallback('request.login()', [options, ...values])
      return accountOf(this).login(user, options)
    }
  )
  app.decorateRequest('logout', function (this: FastifyRequest, ...values: unknown[]) {
    assertNoCallback('request.logout()', values)
    return accountOf(this).logout()
  })
  app.decorateRequest('confirmLogin', function (this: FastifyRequest, ...values: unknown[]) {
    assertNoCallback('request.confirmLogin()', values)
    return accountOf(this).confirmLogin()
  })
  app.decorateRequest('logoutOthers', function (this: FastifyRequest, ...values: unknown[]) {
    assertNoCallback('request.logoutOthers()', values)
    return accountOf(this).logoutOthers()
  })
  app.decorateRequest('rehashed', function (this: FastifyRequest, user: User, ...values: unknown[]) {
    assertNoCallback('request.rehashed()', values)
    return accountOf(this).rehashed(user)
  })
}

/**
 * The login kit: a Fastify plugin that logs users in and out on top of the session. Register it after the session. It adds
 * `request.user`, `request.login()` and the other members of a request, and the guards `app.loginRequired()`,
 * `app.freshLoginRequired()` and `app.requireRole()`.
 *
 * Registration fails with `ERR_SESSION_NOT_REGISTERED` without a session, with `ERR_SESSION_STORE_REQUIRED` for the option
 * `remember` without a store, with `ERR_SESSION_DUPLICATE` if another plugin has added the same members, and with
 * `ERR_SESSION_OPTION_INVALID` or `ERR_SESSION_OPTION_UNKNOWN` for a wrong option.
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
