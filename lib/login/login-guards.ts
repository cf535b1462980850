import type { FastifyRequest } from 'fastify'
import type { Guard, GuardOptions } from '../../types/guard.ts'
import type { FreshLoginOptions, User } from '../../types/login.ts'
import { InvalidOptionError } from '../errors.ts'
import { knownSession } from '../guard/checks.ts'
import type { Check } from '../guard/guard.ts'
import { and, createGuard } from '../guard/guard.ts'
import { isString, readWholeOption } from '../util/check.ts'
import type { Account } from './account.ts'
import { publish } from './login-events.ts'
import type { LoginSettings } from './options.ts'

/** What a guard of the kit found. */
type LoggedIn = { readonly user: User }

interface LoginGuards {
  loginRequired(options?: GuardOptions): Guard<LoggedIn>
  freshLoginRequired(options?: FreshLoginOptions): Guard<LoggedIn>
  requireRole(...rolesAndOptions: readonly unknown[]): Guard<LoggedIn>
}

const MAX_SECONDS = 2_147_483_647

/** The guards of a login kit, by the names that applications have them under. */
export function createLoginGuards(settings: LoginSettings, accountOf: (request: object) => Account): LoginGuards {
  const { decorator, loginPath, confirmPath, roles, now } = settings

  const guard = (check: Check, path: string | undefined, options: GuardOptions): Guard<LoggedIn> => {
    const checkAndTell: Check = async (request) => {
      const reason = await check(request)
      const { userId } = accountOf(request)
      if (reason !== undefined) publish({ type: 'refused', request: request as FastifyRequest, userId, reason })
      return reason
    }
    const { redirectTo = path } = Object(options) as GuardOptions
    return createGuard(decorator, checkAndTell, redirectTo === undefined ? options : { ...options, redirectTo })
  }

  const loginRequired = (options: GuardOptions = {}): Guard<LoggedIn> => {
    const check: Check = async (request) => {
      knownSession(request, decorator)
      return (await accountOf(request).load()) === null ? 'not-logged-in' : undefined
    }
    return guard(check, loginPath, options)
  }

  const freshLoginRequired = ({ within, ...options }: FreshLoginOptions = {}): Guard<LoggedIn> => {
    const seconds = readWholeOption(within, MAX_SECONDS, 'within', 'seconds', 1, MAX_SECONDS)
    const isFresh = (at: Date | null): boolean => at !== null && now() - at.getTime() / 1000 <= seconds
    const check: Check = (request) => (isFresh(accountOf(request).authenticatedAt) ? undefined : 'not-fresh')
    return and(loginRequired(forStrangers(options)), guard(check, confirmPath, options))
  }

  const requireRole = (...given: readonly unknown[]): Guard<LoggedIn> => {
    if (roles === undefined) {
      throw new InvalidOptionError('app.requireRole() needs the option roles of the login kit: a function of the user.')
    }
    const last = given.at(-1)
    const [wanted, options] = isString(last) ? [given, {}] : [given.slice(0, -1), last as GuardOptions]
    if (wanted.length === 0 || !wanted.every(isString)) {
      throw new InvalidOptionError('app.requireRole() takes the roles of which a user needs one, as strings.')
    }
    const check: Check = (request) => {
      const own: readonly unknown[] = roles(accountOf(request).user as User)
      return wanted.some((role) => own.includes(role)) ? undefined : 'not-allowed'
    }
    return and(loginRequired(forStrangers(options)), guard(check, undefined, options))
  }

  return { loginRequired, freshLoginRequired, requireRole }
}

/** Where to send is meant for those who are logged in: strangers log in first. What is hidden is hidden from them, too. */
function forStrangers(options: GuardOptions): GuardOptions {
  const { redirectTo: _, ...others } = Object(options) as GuardOptions
  return others
}
