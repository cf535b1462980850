import type { Guards } from '../../types/guard.ts'
import { guardsFor } from './checks.ts'

const guards: Guards = guardsFor('session')

/**
 * Returns a guard that lets a request through if its session has all given keys, or if a predicate accepts the session. A
 * missing key is answered with 401, a refusing predicate with 403. `handle` narrows `request.session` for its handler. Options
 * go last. Throws `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_OPTION_UNKNOWN` or `ERR_SESSION_RESERVED_KEY` for wrong arguments.
 *
 * @example
 * ```ts
 * const buyer = requireSession('userId', 'cart', { redirectTo: '/login' })
 * app.get('/checkout', buyer.handle(async (request) => Object.keys(request.session.cart)))
 * ```
 */
export const requireSession: Guards['requireSession'] = guards.requireSession

/**
 * Returns a guard that lets a request through if its session has the key that a login sets. With `redirectTo` it sends browsers
 * to log in, and stores the page that they asked for, for `safeNext`. All other clients get a 401. Throws as `requireSession`
 * does.
 *
 * @example
 * ```ts
 * const user = loginRequired({ key: 'userId', redirectTo: '/login' })
 * app.get('/me', user.handle(async (request) => request.session.userId.toFixed()))
 * ```
 */
export const loginRequired: Guards['loginRequired'] = guards.loginRequired

/**
 * Returns the page from which a guard redirected the browser, and deletes it from the session. Returns `fallback` (default
 * `'/'`) if there is none. Call it after a login. The result is always a path of this server (open redirect, CWE-601).
 *
 * @example
 * ```ts
 * app.post('/login', async (request, reply) => {
 *   await request.session.renew()
 *   request.session.userId = 7
 *   return reply.redirect(safeNext(request), 303)
 * })
 * ```
 */
export const safeNext: Guards['safeNext'] = guards.safeNext
