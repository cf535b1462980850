import type { GuardOptions, GuardRequest, Guards, LoginRequiredOptions } from '../../types/guard.ts'
import type { SessionData } from '../../types/session.ts'
import { DisabledError, InvalidOptionError, InvalidValueError, ReservedKeyError, unavailableError } from '../errors.ts'
import { requestSession } from '../request/get-session.ts'
import { isReserved, RequestSession } from '../request/session.ts'
import type { Values } from '../request/session-data.ts'
import { isString } from '../util/check.ts'
import type { Check } from './guard.ts'
import { createGuard } from './guard.ts'
import { takeNext } from './next-page.ts'

type Predicate = (session: Values) => unknown

/**
 * `requireSession`, `loginRequired` and `safeNext` for a session that was registered with another `decorator`. Those that the
 * package exports are the ones for `request.session`.
 *
 * @example
 * ```ts
 * const { loginRequired } = guardsFor<{ name: string }, 'adminSession'>('adminSession')
 * app.get('/admin', loginRequired({ key: 'name' }).handle(async (request) => request.adminSession.name))
 * ```
 */
export function guardsFor<Data = SessionData, Decorator extends string = string>(
  decorator: Decorator
): Guards<Data, Decorator> {
  const guardsOfSession = {
    requireSession(...given: readonly unknown[]) {
      const [first, second = {}] = given
      if (typeof first === 'function')
        return createGuard(decorator, fits(decorator, first as Predicate), second as GuardOptions)
      const last = given.at(-1)
      const [keys, options] = isString(last) ? [given, {}] : [given.slice(0, -1), last]
      return createGuard(decorator, has(decorator, keys), options as GuardOptions)
    },
    loginRequired(given: LoginRequiredOptions<string>) {
      const { key, ...options } = Object(given) as LoginRequiredOptions<string>
      return createGuard(decorator, has(decorator, [key]), options)
    },
    safeNext(request: object, fallback = '/') {
      return takeNext(request, decorator, fallback)
    }
  }
  return guardsOfSession as unknown as Guards<Data, Decorator>
}

function has(decorator: string, keys: readonly unknown[]): Check {
  if (keys.length === 0)
    throw new InvalidOptionError('requireSession() takes the keys that must be there, or a predicate.')
  for (const key of keys) {
    if (!isString(key)) throw new InvalidOptionError('A guard takes the keys of a session, which are strings.')
    if (isReserved(String(key))) {
      throw new ReservedKeyError(`Every session has a member named ${key}, so a guard for it would keep nobody out.`)
    }
  }
  return (request) => {
    const session = knownSession(request, decorator)
    return keys.every((key) => isPresent(session.get(String(key)))) ? undefined : 'not-logged-in'
  }
}

function fits(decorator: string, predicate: Predicate): Check {
  return (request) => {
    const answer = predicate(knownSession(request, decorator) as unknown as Values)
    if (typeof answer === 'boolean') return answer ? undefined : 'not-allowed'
    // What becomes of a promise matters no more, and must not end the process.
    Promise.resolve(answer).catch(() => {})
    throw new InvalidValueError(
      `The predicate of a guard must answer true or false at once; it gave a ${typeof answer}.`
    )
  }
}

/** `false` is what a member that says whether somebody is logged in holds when nobody is. */
function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}

/** A session that could not be loaded, or that was not looked for, is not one that nobody is logged in to. */
export function knownSession(request: GuardRequest, decorator: string): RequestSession {
  const session = requestSession(request, decorator)
  const reason = RequestSession.stateOf(session).openReason
  if (reason === 'store-unavailable') throw unavailableError(undefined)
  if (reason === 'disabled') {
    throw new DisabledError(
      'A guard would keep everybody out: the route has `config: { session: false }`. Remove one of them.'
    )
  }
  return session
}
