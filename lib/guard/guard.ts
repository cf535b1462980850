import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AddsOfAll, Guard, GuardOptions, GuardReply, GuardRequest, RefusalReason } from '../../types/guard.ts'
import type { MaybePromise } from '../../types/store.ts'
import { ForbiddenError, InvalidOptionError, LoginRequiredError, NotFreshError } from '../errors.ts'
import { assertKnown, isFunction, isString, readOption, readWholeOption } from '../util/check.ts'
import { chain, rescue } from '../util/maybe-async.ts'
import type { Gate } from './guarded-handler.ts'
import { guardedHandler } from './guarded-handler.ts'
import { isNavigation } from './is-navigation.ts'
import { createRedirect, normalizeUrl } from './redirect.ts'
import { toError } from './to-error.ts'
import { tokenGateOf } from './token-gate.ts'

/** Returns why a guard refuses a request; undefined if the request may continue. */
export type Check = (request: GuardRequest) => MaybePromise<RefusalReason | undefined>

type Handler = Parameters<typeof guardedHandler>[1]
type Hook = (request: GuardRequest, reply: GuardReply, done: (error?: Error) => void) => void
type Refuse = (request: GuardRequest, reply: GuardReply, reason: RefusalReason) => Promise<void>

/** The names of all options of a guard. */
const GUARD_OPTIONS: readonly (keyof GuardOptions)[] = ['redirectTo', 'next', 'status', 'message', 'onRefused']

const ERRORS = {
  'not-logged-in': { Class: LoginRequiredError, status: 401, message: 'Log in first.' },
  'not-allowed': { Class: ForbiddenError, status: 403, message: 'Your session does not allow this.' },
  'not-fresh': { Class: NotFreshError, status: 401, message: 'Your login is too old for this. Confirm it first.' }
} as const

/** Nobody enters a password for a token, so a new one would not be fresh either. */
const NEVER_FRESH = { Class: NotFreshError, status: 403, message: 'A token cannot do this: it needs a recent login.' }

/** Creates a guard from its check. `decorator`: the session that stores the requested page for `safeNext`. */
export function createGuard<Adds>(decorator: string, check: Check, options: GuardOptions): Guard<Adds> {
  const refuse = createRefuse(decorator, options)
  const conclude = (request: GuardRequest, reply: GuardReply, reason: RefusalReason | undefined) =>
    reason === undefined || refuse(request, reply, reason).then(() => false)
  return toGuard((request, reply) =>
    rescue(
      () => chain(check(request), (reason) => conclude(request, reply, reason)),
      (passes) => passes,
      failWith
    )
  )
}

function failWith(thrown: unknown): never {
  throw toError(thrown)
}

/**
 * Combines guards into one. A request must pass all of them, in their order; the first that refuses answers. A handler of the
 * returned guard has the types of all of them. Throws `ERR_SESSION_OPTION_INVALID` for anything that is not a guard.
 *
 * @example
 * ```ts
 * const buyer = and(loginRequired({ key: 'userId', redirectTo: '/login' }), requireSession('cart'))
 * app.get('/order', buyer.handle(async (request) => [request.session.userId, request.session.cart]))
 * ```
 */
export function and<const List extends readonly unknown[]>(
  ...guards: { readonly [Index in keyof List]: Guard<List[Index]> }
): Guard<AddsOfAll<List>> {
  const gates = guards.map((guard) => (guard as { readonly [kGate]?: Gate } | undefined)?.[kGate])
  // In JavaScript, a misspelled name is undefined. It must not become a guard that lets every request through.
  if (gates.length === 0 || !gates.every(isFunction)) {
    throw new InvalidOptionError('and() takes guards only, such as loginRequired() and requireSession() return.')
  }
  return toGuard((request, reply) => {
    const runFrom = (index: number): MaybePromise<boolean> => {
      const gate = gates[index]
      return gate === undefined || chain(gate(request, reply), (passes) => passes && runFrom(index + 1))
    }
    return runFrom(0)
  })
}

/** The gate of a guard, which checks every request. */
const kGate = Symbol('gate')

/** `handle` uses the gate, which checks every request: its handler only runs if the types that it was promised are true. */
function toGuard<Adds>(gate: Gate): Guard<Adds> {
  const hook = hookOf(gate)
  const guard: Hook = (request, reply, done) => (isUnroutedPreflight(request) ? done() : hook(request, reply, done))
  const handle = (...given: [Handler] | [{ preHandler?: unknown }, Handler]): unknown => {
    if (given.length === 1) return guardedHandler(gate, given[0])
    const [options, handler] = given
    return { ...options, preHandler: [hook, options.preHandler ?? []].flat(), handler }
  }
  // TypeScript cannot infer how `handle` changes the types.
  return Object.assign(guard, { handle, [kGate]: gate }) as unknown as Guard<Adds>
}

/** An error that a later hook throws within `done` fails the request as well, also after a check that had to wait. */
function hookOf(gate: Gate): Hook {
  return (request, reply, done) => {
    let passes: MaybePromise<boolean>
    try {
      passes = gate(request, reply)
    } catch (thrown) {
      done(toError(thrown))
      return
    }
    if (passes instanceof Promise) {
      passes.then((isOpen) => isOpen && done()).catch((thrown: unknown) => done(toError(thrown)))
    } else if (passes) done()
  }
}

/**
 * Whether a browser asks what it may send (Fetch standard, CORS-preflight request) and no route answers it. The method alone
 * proves nothing: a hook can override it after Fastify has chosen the route.
 */
function isUnroutedPreflight({ is404, method, raw: { headers } }: GuardRequest): boolean {
  return (
    is404 &&
    method === 'OPTIONS' &&
    headers.origin !== undefined &&
    headers['access-control-request-method'] !== undefined
  )
}

function createRefuse(decorator: string, options: GuardOptions): Refuse {
  assertGuardOptions(options)
  const { status, message, onRefused } = options
  const redirect = createRedirect(decorator, options)
  return async (request, reply, reason) => {
    // The same objects. Their types depend on the server and the route, which are unknown here.
    const notify = (): unknown => onRefused?.(request as FastifyRequest, reply as FastifyReply, reason)
    if (await answers(reply as FastifyReply, notify)) return
    const tokens = tokenGateOf(request, decorator)
    const isByToken = tokens?.hasDecided(request) === true
    if (redirect !== undefined && !isByToken && isNavigation(request)) return redirect(request, reply, reason)
    const error = isByToken && reason === 'not-fresh' ? NEVER_FRESH : ERRORS[reason]
    const statusCode = status ?? error.status
    if (statusCode === 401 && tokens !== undefined) {
      ;(reply as FastifyReply).header('www-authenticate', tokens.challengeOf(request))
    }
    throw Object.assign(new error.Class(message ?? error.message), { statusCode })
  }
}

/**
 * Runs a function and returns whether it has sent a reply. `reply.sent` alone is too late: it becomes true with the last byte,
 * after the `onSend` hooks. A reply is also thenable: awaiting one that is never sent would never end, so it has no `then`
 * meanwhile.
 */
async function answers(reply: FastifyReply, run: () => unknown): Promise<boolean> {
  let hasBegun = false
  const noting = (method: (...args: never[]) => unknown) => ({
    configurable: true,
    value: (...args: never[]) => {
      hasBegun = true
      return method.apply(reply, args)
    }
  })
  const own = Object.getOwnPropertyDescriptors(reply)
  Object.defineProperties(reply, {
    send: noting(reply.send),
    callNotFound: noting(reply.callNotFound),
    // biome-ignore lint/suspicious/noThenProperty: this removes the property
    then: { value: undefined, configurable: true }
  })
  try {
    await run()
  } finally {
    for (const name of ['send', 'callNotFound', 'then']) {
      Reflect.deleteProperty(reply, name)
      if (Object.hasOwn(own, name)) Object.defineProperty(reply, name, own[name as 'send'])
    }
  }
  return hasBegun || reply.sent
}

function assertGuardOptions(options: GuardOptions): void {
  assertKnown(options, GUARD_OPTIONS, 'a guard')
  const { redirectTo, next, status, message, onRefused } = options
  const isTarget = (value: unknown): boolean => isFunction(value) || normalizeUrl(value) !== undefined
  const expected = "a path such as '/login', an http or https URL, or a function that returns a path"
  readOption(redirectTo, undefined, 'redirectTo', expected, isTarget)
  readOption(next, undefined, 'next', "'session', 'query' or false", (value) => NEXT_PLACES.includes(value))
  readWholeOption(status, 401, 'status', 'HTTP status codes', 400, 499)
  readOption(message, undefined, 'message', 'a string', isString)
  readOption(onRefused, undefined, 'onRefused', 'a function', isFunction)
}

const NEXT_PLACES: readonly unknown[] = ['session', 'query', false]
