import type { FastifyRequest } from 'fastify'
import type { Guard, GuardOptions } from '../../types/guard.ts'
import type { FreshLoginOptions, LoggedIn, LoginGuards, User } from '../../types/login.ts'
import { InvalidOptionError } from '../errors.ts'
import { verifiedSession } from '../guard/checks.ts'
import type { Check } from '../guard/guard.ts'
import { and, createGuard } from '../guard/guard.ts'
import { isString, MAX_INTEGER, readWholeOption } from '../util/check.ts'
import type { Account } from './account.ts'
import { publish } from './login-events.ts'
import type { LoginSettings } from './options.ts'

const ONLY_USERS = 'You act as a user. Only the user may do this.'

/** Creates the guards of a login kit, by the names of their decorators. */
export function createLoginGuards(settings: LoginSettings, accountOf: (request: object) => Account): LoginGuards {
  const { decorator, userDecorator, loginPath, confirmPath, roles, now } = settings

  const guard = (check: Check, path: GuardOptions['redirectTo'], options: GuardOptions): Guard<LoggedIn> => {
    const checkAndPublish: Check = async (request) => {
      const reason = await check(request)
      const { userId, impersonatorId } = accountOf(request)
      if (reason !== undefined) {
        publish({ type: 'refused', request: request as FastifyRequest, userDecorator, userId, impersonatorId, reason })
      }
      return reason
    }
    const { redirectTo = path } = Object(options) as GuardOptions
    return createGuard(decorator, checkAndPublish, redirectTo === undefined ? options : { ...options, redirectTo })
  }

  const loginRequired = (options: GuardOptions = {}): Guard<LoggedIn> => {
    const check: Check = async (request) => {
      await verifiedSession(request, decorator)
      return (await accountOf(request).loadAnew()) === null ? 'not-logged-in' : undefined
    }
    return guard(check, loginPath, options)
  }

  const notImpersonating = (options: GuardOptions = {}): Guard => {
    const check: Check = async (request) => {
      await verifiedSession(request, decorator)
      const account = accountOf(request)
      await account.loadAnew()
      return account.impersonator === null ? undefined : 'not-allowed'
    }
    return guard(check, undefined, { message: ONLY_USERS, ...options })
  }

  const freshLoginRequired = ({ within, ...options }: FreshLoginOptions = {}): Guard<LoggedIn> => {
    const seconds = readWholeOption(within, MAX_INTEGER, 'within', 'seconds', 1, MAX_INTEGER)
    const isFresh = (at: Date | null): boolean => at !== null && now() - at.getTime() / 1000 <= seconds
    const check: Check = (request) => (isFresh(accountOf(request).authenticatedAt) ? undefined : 'not-fresh')
    const others = withoutRedirect(options)
    return and(loginRequired(others), notImpersonating(others), guard(check, confirmPath, options))
  }

  const requireRole = (...given: readonly unknown[]): Guard<LoggedIn> => {
    if (roles === undefined) {
      throw new InvalidOptionError(
        'requireRole() needs the option roles of the login kit: a function that returns the roles of a user.'
      )
    }
    const last = given.at(-1)
    const [wanted, options] = isString(last) ? [given, {}] : [given.slice(0, -1), last as GuardOptions]
    if (wanted.length === 0 || !wanted.every(isString)) {
      throw new InvalidOptionError('requireRole() takes one or more roles as strings. A user needs one of them.')
    }
    const check: Check = (request) => {
      const own: readonly unknown[] = roles(accountOf(request).user as User)
      return wanted.some((role) => own.includes(role)) ? undefined : 'not-allowed'
    }
    return and(loginRequired(withoutRedirect(options)), guard(check, undefined, options))
  }

  return { loginRequired, freshLoginRequired, requireRole, notImpersonating }
}

/**
 * `redirectTo` is for users who are logged in: all others go to the login page. The other options are for both, so that a
 * status of 404 hides the route from everybody.
 */
function withoutRedirect(options: GuardOptions): GuardOptions {
  const { redirectTo: _, ...others } = Object(options) as GuardOptions
  return others
}
