import type { FastifyInstance, FastifyPluginAsync, FastifyRequest } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import type { LoginPlugin } from '../../types/login.ts'
import { reserveCookieName } from '../cookie/reserve-name.ts'
import { cookieSerializer } from '../cookie/serializer.ts'
import { HmacSha256, MAC_CHARACTERS } from '../crypto/hmac.ts'
import type { SessionKey } from '../crypto/keys.ts'
import { deriveKeys } from '../crypto/keys.ts'
import { DuplicateSessionError, NotRegisteredError, StoreRequiredError } from '../errors.ts'
import { ReferenceFormat } from '../format/reference.ts'
import type { Settings } from '../options.ts'
import type { Companion, OwnerSessions } from '../owners/sessions.ts'
import { sessionContext } from '../request/session-context.ts'
import { SITE } from '../util/site.ts'
import { Account } from './account.ts'
import type { Kit } from './kit.ts'
import { provideLoginContext } from './login-context.ts'
import { createLoginGuards } from './login-guards.ts'
import { LoginSession } from './login-session.ts'
import { LoginSlots } from './login-slots.ts'
import type { AnyLoginOptions, LoginSettings } from './options.ts'
import { resolveLoginOptions } from './options.ts'
import { readTokens } from './read-tokens.ts'
import { RememberCookie } from './remember-cookie.ts'
import { RememberTokens } from './remember-tokens.ts'
import type { Remember } from './remembered-browser.ts'
import { RequestLogin } from './request-login.ts'

/** The methods that the kit at `request.user` adds to requests. `@fastify/passport` adds some of them, too. */
const METHODS = [
  'loadUser',
  'login',
  'logout',
  'confirmLogin',
  'logoutOthers',
  'rehashed',
  'impersonate',
  'stopImpersonating'
] as const

const kTaken = Symbol.for('fastify-typed-session what login kits have')

/** Wiring only: `account.ts` has the logic. */
const register: FastifyPluginAsync<AnyLoginOptions> = async (app, options) => {
  const { settings, ...base } = await prepareKit(app, options)
  const { userDecorator, accessor } = settings
  const slots: LoginSlots = new LoginSlots(
    app,
    (request, reply) => new RequestLogin(new Account(kit, request, reply), accessor)
  )
  const kit: Kit = {
    ...base,
    settings,
    isHandling: (request) => slots.isHandling(request),
    warnOfHaste: warningOfHaste(settings)
  }
  const loginOf = (request: object): RequestLogin => slots.loginOf(request)
  const accountOf = (request: object): Account => RequestLogin.accountOf(slots.loginOf(request))
  if (kit.remember !== undefined) kit.sessions.join(companionOf(kit.settings, kit.remember, slots))
  const guards = createLoginGuards(settings, accountOf)
  provideLoginContext(app, { settings, guards, loginOf })
  readTokens(app, settings, slots)
  decorateRequests(app, userDecorator, slots)
  if (userDecorator !== 'user') return
  for (const [name, guard] of Object.entries(guards)) app.decorate(name, guard)
}

/** Checks the options and reserves what the kit needs. */
async function prepareKit(
  app: FastifyInstance,
  options: AnyLoginOptions
): Promise<Omit<Kit, 'isHandling' | 'warnOfHaste'>> {
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
  assertFree(app, settings.userDecorator)
  assertAlone(app, session, sessions)
  const base = { settings, sessions, freshness, setAside: context.setAside }
  if (settings.remember === undefined) return { ...base, remember: undefined }
  if (sessions.store === undefined) {
    throw new StoreRequiredError(
      'The option remember of the login kit needs a store, because the server must know each token to replace and to revoke it. Set the option store of the session; or leave remember out, and let sessions outlive the browser by session.permanent and session.idleTimeout.'
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
function companionOf(settings: LoginSettings, { tokens, cookie }: Remember, slots: LoginSlots): Companion {
  return {
    endWith: (key) => tokens.endWith(key),
    endAllOf: (ownerId, kept) => tokens.endAllOf(ownerId, kept),
    async leave(request) {
      // Outside of the scope of the kit a request has no account. It may be outside of the path of the cookie, too.
      if (slots.isStarted(request)) return RequestLogin.accountOf(slots.loginOf(request)).leave()
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

/**
 * Refuses a kit whose session has another kit: each would accept the users of the other. The same users must not be owners in one
 * store or one list either: an end of all sessions of one would end those of the other.
 */
function assertAlone(app: FastifyInstance, { store, revocations }: Settings, sessions: OwnerSessions): void {
  const slots = app.server as unknown as Record<symbol, WeakSet<object> | undefined>
  slots[kTaken] ??= new WeakSet()
  const taken = slots[kTaken]
  if (taken.has(sessions)) {
    throw new DuplicateSessionError(
      'Another login kit has the same session, so each kit would accept the users of the other. Register a session with another decorator and cookieName for this kit, and name it by the option decorator; or register one kit in a scope around both.'
    )
  }
  const shared = [store, revocations].filter((part) => part !== undefined)
  if (shared.some((part) => taken.has(part))) {
    throw new DuplicateSessionError(
      'The session of another login kit has the same store or list of revocations, so that users with the same id would share their sessions: to log out one everywhere would log out the other. Give the session of each kit a store and a list of its own, for example with another prefix or table.'
    )
  }
  for (const part of [sessions, ...shared]) taken.add(part)
}

/** Returns a function that warns once: every request would say the same. */
function warningOfHaste({ userDecorator, accessor, decorator }: LoginSettings): Kit['warnOfHaste'] {
  let hasWarned = false
  return (request) => {
    if (hasWarned) return
    hasWarned = true
    const session = decorator === 'session' ? 'request' : `request, '${decorator}'`
    request.log.warn(
      { reason: 'not-loaded' },
      `request.${userDecorator} was read before the user was loaded, so it was null. In a hook, await ${accessor}.loadUser() first. In a log or the key of a rate limit, use sessionOf(${session})?.ownerId, which is the id of the user.`
    )
  }
}

/** A handler must not get the member of this kit or that of another plugin by chance. */
function assertFree(app: FastifyInstance, userDecorator: string): void {
  const names = userDecorator === 'user' ? ['user', 'impersonator', 'authenticatedAt', ...METHODS] : [userDecorator]
  const taken = names.find((name) => app.hasRequestDecorator(name))
  if (taken === undefined) return
  throw new DuplicateSessionError(
    `request.${taken} exists already: the login kit, @fastify/passport or another plugin has added it. Give this kit another userDecorator: it then adds only that member to requests. @fastify/passport needs a session that no kit has: ${SITE}/passport`
  )
}

/** A log or an error handler may look at the user before the kit knows of the request. */
function decorateRequests(app: FastifyInstance, userDecorator: string, slots: LoginSlots): void {
  const decorateValue = (name: string, member: 'user' | 'impersonator' | 'authenticatedAt'): void => {
    app.decorateRequest(name, {
      getter(this: FastifyRequest) {
        return slots.isStarted(this) ? slots.loginOf(this)[member] : null
      }
    })
  }
  decorateValue(userDecorator, 'user')
  if (userDecorator !== 'user') return
  decorateValue('impersonator', 'impersonator')
  decorateValue('authenticatedAt', 'authenticatedAt')
  for (const name of METHODS) {
    app.decorateRequest<unknown, string>(name, function (this: FastifyRequest, ...values: unknown[]) {
      const login = slots.loginOf(this)
      return (login[name] as (...given: unknown[]) => unknown).apply(login, values)
    })
  }
}

/**
 * The login kit: a Fastify plugin that logs users in and out on top of the session. Register it after the session. It adds
 * `request.user`, `request.login()` and the other members of a request, and the guards `app.loginRequired()`,
 * `app.freshLoginRequired()` and `app.requireRole()`. With the option `userDecorator` it is a further kit, for administrators for
 * example: it adds only the user, and `getLogin()` and `getLoginGuards()` return the rest.
 *
 * Registration fails with `ERR_SESSION_NOT_REGISTERED` without a session, with `ERR_SESSION_STORE_REQUIRED` for the option
 * `remember` without a store, with `ERR_SESSION_DUPLICATE` if another plugin has added the same members, or another kit has the
 * same session, store or cookie, and with
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
export const login: LoginPlugin = fastifyPlugin(register as LoginPlugin, {
  fastify: '5.x',
  name: 'fastify-typed-session-login'
})
