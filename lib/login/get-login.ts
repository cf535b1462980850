import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Login, LoginGuards, LoginName, UserOf } from '../../types/login.ts'
import { NotRegisteredError } from '../errors.ts'
import type { LoginContext } from './login-context.ts'
import { loginContext } from './login-context.ts'

/** A request of any server (HTTP/1 or HTTP/2), route and type provider. */
type AnyRequest = Pick<FastifyRequest, 'id' | 'log'>

/** An application of any server, or a scope of one. */
type AnyApp = Pick<FastifyInstance, 'prefix'>

/**
 * Returns what a login kit adds to a request: `login()`, `logout()`, `loadUser()` and the others. `userDecorator` names the kit; that
 * of the kit at `request.user` is `'user'`, and its members are also members of the request.
 *
 * Throws `ERR_SESSION_NOT_REGISTERED` where there is no such kit, and `ERR_SESSION_NOT_LOADED` before its `onRequest` hook.
 *
 * @example
 * ```ts
 * app.post('/admin/login', async (request, reply) => {
 *   const admin = await checkAdmin(request.body)
 *   if (admin === null) return reply.code(401).send('Wrong name or password.')
 *   await getLogin(request, 'adminUser').login(admin)
 *   return reply.redirect('/admin', 303)
 * })
 * ```
 */
export function getLogin<Name extends LoginName>(request: AnyRequest, userDecorator: Name): Login<UserOf<Name>> {
  const { server } = request as { readonly server?: unknown }
  // The kit was registered with options for these users.
  return contextOf(server, userDecorator, 'request').loginOf(request) as unknown as Login<UserOf<Name>>
}

/**
 * Returns the guards of a login kit: `loginRequired()`, `freshLoginRequired()`, `requireRole()` and `notImpersonating()`.
 * `userDecorator` names the kit; the guards of the kit at `request.user` are also members of the application. `app`: the scope in
 * which the kit is registered, or one inside it.
 *
 * Throws `ERR_SESSION_NOT_REGISTERED` if there is no such kit.
 *
 * @example
 * ```ts
 * const { loginRequired } = getLoginGuards(app, 'adminUser')
 * app.get('/admin', loginRequired().handle(async (request) => request.adminUser.email))
 * ```
 */
export function getLoginGuards<Name extends LoginName>(app: AnyApp, userDecorator: Name): LoginGuards<Name> {
  return contextOf(app, userDecorator, 'application').guards as unknown as LoginGuards<Name>
}

function contextOf(app: unknown, userDecorator: string, asked: 'request' | 'application'): LoginContext {
  const context = loginContext(app, userDecorator)
  if (context !== undefined) return context
  const option = userDecorator === 'user' ? '' : `, with userDecorator: '${userDecorator}'`
  throw new NotRegisteredError(
    `This ${asked} has no login kit named '${userDecorator}'. Register fastify-typed-session/login in this scope or above it${option}.`
  )
}
