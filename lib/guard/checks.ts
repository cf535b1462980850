import type { GuardOptions, GuardRequest, Guards, LoginRequiredOptions } from '../../types/guard.ts'
import type { OneName } from '../../types/problem.ts'
import type { SessionData } from '../../types/session.ts'
import type { MaybePromise } from '../../types/store.ts'
import {
  DisabledError,
  InvalidOptionError,
  InvalidValueError,
  notLoadedError,
  ReservedKeyError,
  unavailableError
} from '../errors.ts'
import { requestSession } from '../request/get-session.ts'
import { isReserved, RequestSession } from '../request/session.ts'
import type { Values } from '../request/session-data.ts'
import { isString } from '../util/check.ts'
import { chain } from '../util/maybe-async.ts'
import { fitsSchema, isSchemaLike } from './fits-schema.ts'
import type { Check } from './guard.ts'
import { createGuard } from './guard.ts'
import { popNext } from './next-page.ts'
import { authorizationOf, tokenGateOf } from './token-gate.ts'

type Predicate = (session: Values) => unknown

/**
 * Returns `requireSession`, `loginRequired` and `safeNext` for a session with another `decorator` than `'session'`. The ones
 * that the package exports are for `request.session`. Call it once, at start. The type parameters are the data of the session
 * and its decorator.
 *
 * A guard whose session is not registered for the route fails the request with `ERR_SESSION_NOT_REGISTERED`. `requireSession`
 * and `loginRequired` throw `ERR_SESSION_OPTION_INVALID`, `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_RESERVED_KEY` for wrong
 * arguments.
 *
 * @example
 * ```ts
 * const { loginRequired } = guardsFor<{ name: string }, 'adminSession'>('adminSession')
 * app.get('/admin', loginRequired({ key: 'name' }).handle(async (request) => request.adminSession.name))
 * ```
 */
export function guardsFor<Data = SessionData, Decorator extends string = string>(
  decorator: Decorator & OneName<Decorator>
): Guards<Data, Decorator> {
  const guardsOfSession = {
    requireSession(...given: readonly unknown[]) {
      const [first, second = {}] = given
      if (isSchemaLike(first)) return createGuard(decorator, fits(decorator, fitsSchema(first)), second as GuardOptions)
      if (typeof first === 'function')
        return createGuard(decorator, fits(decorator, first as Predicate), second as GuardOptions)
      const last = given.at(-1)
      const [keys, options] = isString(last) ? [given, {}] : [given.slice(0, -1), last]
      return createGuard(decorator, has(decorator, keys), options as GuardOptions)
    },
    loginRequired(given: LoginRequiredOptions<string>) {
      const { key, ...options } = Object(given) as LoginRequiredOptions<string>
      if (!isString(key)) {
        throw new InvalidOptionError(
          "loginRequired() takes the member of the session that a login sets, such as loginRequired({ key: 'userId' })."
        )
      }
      return createGuard(decorator, has(decorator, [key]), options)
    },
    safeNext(request: object, fallback = '/') {
      return popNext(request, decorator, fallback)
    }
  }
  return guardsOfSession as unknown as Guards<Data, Decorator>
}

function has(decorator: string, keys: readonly unknown[]): Check {
  if (keys.length === 0)
    throw new InvalidOptionError('requireSession() takes the keys that the session must have, or a predicate.')
  for (const key of keys) {
    if (!isString(key)) throw new InvalidOptionError('The keys that a guard takes are strings.')
    if (isReserved(String(key))) {
      throw new ReservedKeyError(
        `Every session has a member named ${key}, so a guard that requires it would let every request through.`
      )
    }
  }
  return (request) =>
    chain(verifiedSession(request, decorator), (session) =>
      keys.every((key) => isPresent(session.get(String(key)))) ? undefined : 'not-logged-in'
    )
}

function fits(decorator: string, predicate: Predicate): Check {
  return (request) =>
    chain(verifiedSession(request, decorator), (session) => {
      const answer = predicate(session as unknown as Values)
      if (typeof answer === 'boolean') return answer ? undefined : 'not-allowed'
      // A promise is ignored. Its rejection must not end the process.
      Promise.resolve(answer).catch(() => {})
      throw new InvalidValueError(
        `The predicate of a guard must return true or false synchronously; it returned a ${typeof answer}.`
      )
    })
}

/** `false` counts as absent: a member such as `isLoggedIn` has this value if nobody is logged in. */
function isPresent(value: unknown): boolean {
  return value !== undefined && value !== null && value !== false
}

/**
 * Returns the session of a request after a look at what is true now. If the Authorization header says who sends the request, that
 * is an empty one: what a session holds of one user must not be taken for that of another.
 */
export function verifiedSession(request: GuardRequest, decorator: string): MaybePromise<RequestSession> {
  // Most requests have no such header, and need not look for a login kit.
  const gate = authorizationOf(request) === undefined ? undefined : tokenGateOf(request, decorator)
  if (gate === undefined) return latestSession(request, decorator)
  return chain(gate.decides(request), () => latestSession(request, decorator))
}

/**
 * Returns the session of a request after a look at what is true now: the body of a request can come long after the session was
 * loaded. Throws if it was not loaded: an unknown session is not the same as an anonymous one.
 */
function latestSession(request: GuardRequest, decorator: string): MaybePromise<RequestSession> {
  const session = requestSession(request, decorator)
  const reason = RequestSession.stateOf(session).openReason
  if (reason === 'store-unavailable') throw unavailableError(undefined)
  if (reason === 'not-loaded') throw notLoadedError()
  if (reason === 'disabled') {
    throw new DisabledError(
      'The route has a guard and `config: { session: false }`, so the guard would refuse every request. Remove one of them.'
    )
  }
  return chain(RequestSession.verify(session), () => session)
}
