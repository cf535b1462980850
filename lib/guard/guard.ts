import type { FastifyReply, FastifyRequest } from 'fastify'
import type { AddsOfAll, Guard, GuardOptions, GuardReply, GuardRequest, RefusalReason } from '../../types/guard.ts'
import { ForbiddenError, InvalidOptionError, InvalidValueError, LoginRequiredError, NotFreshError } from '../errors.ts'
import { assertKnown, isFunction, isString, readOption, readWholeOption } from '../util/check.ts'
import { isNavigation } from './is-navigation.ts'
import { localPath } from './local-path.ts'
import { dropNext, keepNext, mayBegin, withNext } from './next-page.ts'

/** Why a request must not go on, if so. */
export type Check = (request: GuardRequest) => RefusalReason | undefined | Promise<RefusalReason | undefined>

type Hook = (request: GuardRequest, reply: GuardReply, done: (error?: Error) => void) => void
type Refuse = (request: GuardRequest, reply: GuardReply, reason: RefusalReason) => Promise<void>

export const GUARD_OPTIONS: readonly (keyof GuardOptions)[] = ['redirectTo', 'next', 'status', 'message', 'onRefused']

const ERRORS = {
  'not-logged-in': { Class: LoginRequiredError, status: 401, message: 'Log in first.' },
  'not-allowed': { Class: ForbiddenError, status: 403, message: 'Your session does not allow this.' },
  'not-fresh': { Class: NotFreshError, status: 401, message: 'The login is too long ago for this: confirm it first.' }
} as const

/** A guard of a session out of what it checks. `decorator`: the session that the wanted page is kept in. */
export function createGuard<Adds>(decorator: string, check: Check, options: GuardOptions): Guard<Adds> {
  const refuse = createRefuse(decorator, options)
  // What is thrown behind `done` fails the request, too, as it does where nothing is waited for.
  const judge = async (request: GuardRequest, reply: GuardReply, found: ReturnType<Check>, done: () => void) => {
    const reason = await found
    if (reason === undefined) done()
    else await refuse(request, reply, reason)
  }
  return toGuard((request, reply, done) => {
    const fail = (thrown: unknown): void => done(toError(thrown))
    let found: ReturnType<Check>
    try {
      found = check(request)
    } catch (thrown) {
      fail(thrown)
      return
    }
    if (found === undefined) done()
    else judge(request, reply, found, done).catch(fail)
  })
}

/** To Fastify an error that is falsy is none: it would go on to the handler. */
function toError(thrown: unknown): Error {
  return (thrown || new InvalidValueError('A guard failed without an error that says why.')) as Error
}

/**
 * One guard out of several: a request has to pass all of them, in their order, and the handler sees what all of them found.
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
  const hooks = guards.map((guard) => (guard as { readonly [kHook]?: Hook } | undefined)?.[kHook])
  // Where types are not checked, a misspelt name would be a guard that lets everybody in.
  if (hooks.length === 0 || !hooks.every(isFunction)) {
    throw new InvalidOptionError(
      'and() takes guards, such as loginRequired() and requireSession() return, and nothing else.'
    )
  }
  return toGuard((request, reply, done) => {
    const goOn = (index: number): void => {
      const hook = hooks[index]
      if (hook === undefined) done()
      else hook(request, reply, (error) => (error === undefined ? goOn(index + 1) : done(error)))
    }
    goOn(0)
  })
}

/** The hook of a guard that `OPTIONS` does not pass. */
const kHook = Symbol('hook')

/** `hook` lets nothing pass unchecked, so that the handlers of `handle` are never called without what they were promised. */
function toGuard<Adds>(hook: Hook): Guard<Adds> {
  const guard: Hook = (request, reply, done) => (request.method === 'OPTIONS' ? done() : hook(request, reply, done))
  const handle = (...given: [unknown] | [{ preHandler?: unknown }, unknown]): unknown => {
    const [options, handler] = given.length === 1 ? [{}, given[0]] : given
    const others = [options.preHandler ?? []].flat()
    return { ...options, preHandler: [hook, ...others], handler }
  }
  // What `handle` does to types, no function can say of itself.
  return Object.assign(guard, { handle, [kHook]: hook }) as unknown as Guard<Adds>
}

function createRefuse(decorator: string, options: GuardOptions): Refuse {
  assertGuardOptions(options)
  const { next = 'session', status, message, onRefused } = options
  const redirectTo = normalizeUrl(options.redirectTo)
  return async (request, reply, reason) => {
    // The same objects: only what the server and the route make of their types is not known here.
    const tell = (): unknown => onRefused?.(request as FastifyRequest, reply as FastifyReply, reason)
    if (await answers(reply as FastifyReply, tell)) return
    if (redirectTo === undefined || !isNavigation(request) || isPageOf(redirectTo, request)) {
      const error = ERRORS[reason]
      throw Object.assign(new error.Class(message ?? error.message), { statusCode: status ?? error.status })
    }
    const isKept = next === 'session' && mayBegin(request, decorator)
    if (isKept) keepNext(request, decorator)
    else dropNext(request, decorator)
    const isSafe = request.method === 'GET' || request.method === 'HEAD'
    reply.redirect(next === false || isKept ? redirectTo : withNext(redirectTo, request), isSafe ? 302 : 303)
  }
}

/**
 * Whether `run` sends a reply. `reply.sent` says so when the last byte has gone, and hooks may take their time before that. And
 * a reply is a promise of that byte, so that whoever waits for one that nobody sends waits for ever: meanwhile it is none.
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
    // biome-ignore lint/suspicious/noThenProperty: it is taken away
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
  const isAddress = (value: unknown): boolean => normalizeUrl(value) !== undefined
  readOption(redirectTo, undefined, 'redirectTo', "a path such as '/login', or an http or https URL", isAddress)
  readOption(next, undefined, 'next', "'session', 'query' or false", (value) => NEXT_PLACES.includes(value))
  readWholeOption(status, 401, 'status', 'HTTP status codes', 400, 499)
  readOption(message, undefined, 'message', 'a string', isString)
  readOption(onRefused, undefined, 'onRefused', 'a function', isFunction)
}

const NEXT_PLACES: readonly unknown[] = ['session', 'query', false]

/** An address spelled as browsers spell it, since headers hold no other characters. */
function normalizeUrl(address: unknown): string | undefined {
  const isUrl = typeof address === 'string' && /^https?:\/\//.test(address) && URL.canParse(address)
  return isUrl ? new URL(address).href : localPath(address)
}

/** A guard for a whole scope may stand before the page that it sends to: sending there again would never end. */
function isPageOf(address: string, { originalUrl, raw: { headers } }: GuardRequest): boolean {
  if (address.startsWith('/')) return pathOf(address) === pathOf(originalUrl)
  const { host, pathname } = new URL(address)
  return host === (headers[':authority'] ?? headers.host) && pathname === pathOf(originalUrl)
}

function pathOf(address: string): string | undefined {
  return address.split(/[?#]/, 1)[0]
}
