import type { FastifyRequest } from 'fastify'
import type { GuardOptions } from '../../types/guard.ts'
import type { CommonLoginOptions, LoginOptions, RememberOptions, User } from '../../types/login.ts'
import { resolveAttributes } from '../cookie/attributes.ts'
import { InvalidOptionError, InvalidValueError } from '../errors.ts'
import { localPath } from '../guard/local-path.ts'
import { assertOwnerId } from '../owners/owner-id.ts'
import {
  assertKnown,
  FASTIFY_NAMES,
  isBoolean,
  isFunction,
  isObject,
  isPropertyName,
  isString,
  MAX_INTEGER,
  readOption,
  readWholeOption
} from '../util/check.ts'
import { digest } from './digest.ts'
import type { RememberCookieSettings } from './remember-cookie.ts'
import type { RememberSettings } from './remember-tokens.ts'
import { SERIES_OWNER } from './remember-tokens.ts'

/** The options of any kit, whatever its name and its users are. */
export type AnyLoginOptions = CommonLoginOptions<User> & { readonly userDecorator?: unknown }

/** The checked options of a login kit, with defaults for what was not given. Durations are in seconds. */
export interface LoginSettings {
  readonly loadUser: (id: string, request: FastifyRequest) => Promise<User | null>
  /** Undefined if the kit knows sessions only. */
  readonly authenticate: ((request: FastifyRequest) => Promise<User | null | undefined>) | undefined
  /** The WWW-Authenticate header of a 401. */
  readonly challenge: string
  readonly idOf: (user: User) => string
  readonly loginPath: GuardOptions['redirectTo']
  readonly confirmPath: GuardOptions['redirectTo']
  readonly roles: ((user: User) => readonly string[]) | undefined
  /** Returns a digest of what changes with the password. */
  readonly hashOf: (user: User) => string | undefined
  readonly protection: 'basic' | 'strong' | false
  readonly remember: RememberOptionSettings | undefined
  readonly clearSiteData: boolean
  readonly allowSameSite: boolean
  readonly impersonationIdleTimeout: number
  readonly csrfKey: string
  readonly decorator: string
  /** The member of a request that has the user; the name of the kit. */
  readonly userDecorator: string
  /** How handlers reach the kit, for messages: `request`, or a call. */
  readonly accessor: string
  /** Returns seconds since 1970. */
  readonly now: () => number
}

/** How logins are remembered, and in which cookie. */
type RememberOptionSettings = RememberSettings & RememberCookieSettings

const QUARTER = 900
const DAY = 86_400
const MAX_REMEMBER = 400 * DAY

const OPTION_NAMES: readonly (keyof LoginOptions)[] = [
  'loadUser',
  'authenticate',
  'challenge',
  'getId',
  'loginPath',
  'confirmPath',
  'roles',
  'authHash',
  'protection',
  'remember',
  'clearSiteData',
  'allowSameSite',
  'impersonationIdleTimeout',
  'csrfKey',
  'decorator',
  'userDecorator',
  'clock'
]
const REMEMBER_NAMES: readonly (keyof RememberOptions)[] = ['cookieName', 'cookie', 'maxAge', 'absoluteMaxAge', 'grace']
const PROTECTIONS: readonly unknown[] = ['basic', 'strong', false]

/** Checks the options of a login kit. `sessionClock`: the clock of the session, which is the default. */
export function resolveLoginOptions(options: AnyLoginOptions, sessionClock: () => number): LoginSettings {
  assertKnown(options, [...OPTION_NAMES, ...FASTIFY_NAMES], 'the login kit')
  const { loadUser, authenticate, getId, roles, authHash, loginPath } = options
  if (!isFunction(loadUser)) {
    throw new InvalidOptionError(
      'The login kit needs the option loadUser: a function that takes an id and returns the user, or null.'
    )
  }
  readOption(authenticate, undefined, 'authenticate', 'a function', isFunction)
  readOption(getId, undefined, 'getId', 'a function', isFunction)
  readOption(roles, undefined, 'roles', 'a function', isFunction)
  readOption(authHash, undefined, 'authHash', 'a function', isFunction)
  const clock = readOption(
    options.clock,
    sessionClock,
    'clock',
    'a function that returns milliseconds since 1970',
    isFunction
  )
  const now = (): number => Math.floor(clock() / 1000)
  const userDecorator = String(
    readOption(options.userDecorator, 'user', 'userDecorator', 'the name of a property', isPropertyName)
  )
  const accessor = userDecorator === 'user' ? 'request' : `getLogin(request, '${userDecorator}')`
  return Object.freeze({
    loadUser: async (id, request) => userOf(await options.loadUser(id, request), 'loadUser'),
    authenticate: authenticate && (async (request) => senderOf(await options.authenticate?.(request))),
    challenge: readChallenge(options),
    idOf: (user) => idOf(getId === undefined ? defaultId(user) : options.getId?.(user), `${accessor}.login()`),
    loginPath: readPath(loginPath, 'loginPath'),
    confirmPath: readPath(options.confirmPath, 'confirmPath') ?? loginPath,
    roles: roles && ((user) => rolesOf(options.roles?.(user))),
    hashOf: (user) => (authHash === undefined ? undefined : hashOf(options.authHash?.(user))),
    protection: readOption(options.protection, 'basic', 'protection', "'basic', 'strong' or false", (value) =>
      PROTECTIONS.includes(value)
    ),
    remember: resolveRemember(options.remember, now),
    clearSiteData: readOption(options.clearSiteData, false, 'clearSiteData', 'true or false', isBoolean),
    allowSameSite: readOption(options.allowSameSite, false, 'allowSameSite', 'true or false', isBoolean),
    impersonationIdleTimeout: readWholeOption(
      options.impersonationIdleTimeout,
      QUARTER,
      'impersonationIdleTimeout',
      'seconds',
      1,
      MAX_INTEGER
    ),
    csrfKey: readOption(options.csrfKey, '_csrf', 'csrfKey', 'a string', isString),
    decorator: readOption(options.decorator, 'session', 'decorator', 'a string', isString),
    userDecorator,
    accessor,
    now
  } satisfies LoginSettings)
}

function resolveRemember(given: AnyLoginOptions['remember'], now: () => number): RememberOptionSettings | undefined {
  const isFine = (value: unknown): boolean => isBoolean(value) || isObject(value)
  const remember = readOption(given, false, 'remember', 'true, false or an object with options', isFine)
  if (remember === false) return undefined
  const options: RememberOptions = remember === true ? {} : remember
  assertKnown(options, REMEMBER_NAMES, 'remember')
  const cookieName = readOption(options.cookieName, 'remember', 'remember.cookieName', 'a string', isString)
  const absoluteMaxAge = readWholeOption(
    options.absoluteMaxAge,
    365 * DAY,
    'remember.absoluteMaxAge',
    'seconds',
    1,
    MAX_INTEGER
  )
  const usual = Math.min(30 * DAY, absoluteMaxAge)
  const maxAge = readWholeOption(options.maxAge, usual, 'remember.maxAge', 'seconds', 1, MAX_REMEMBER)
  if (maxAge > absoluteMaxAge) {
    throw new InvalidOptionError(
      `remember.maxAge (${maxAge}) is longer than remember.absoluteMaxAge (${absoluteMaxAge}) and would never end a login. Raise absoluteMaxAge, or lower maxAge.`
    )
  }
  return {
    cookieName,
    attributes: resolveAttributes(cookieName, readOption(options.cookie, {}, 'remember.cookie', 'an object', isObject)),
    maxAge,
    absoluteMaxAge,
    grace: readWholeOption(options.grace, 60, 'remember.grace', 'seconds', 0, DAY),
    now
  }
}

function readPath(given: GuardOptions['redirectTo'], name: string): GuardOptions['redirectTo'] {
  const isPath = (value: unknown): boolean => isFunction(value) || localPath(value) !== undefined
  return readOption(given, undefined, name, "a path such as '/login', or a function that returns one", isPath)
}

function defaultId(user: User): unknown {
  const { id } = Object(user) as { readonly id?: unknown }
  if (typeof id === 'string' || typeof id === 'bigint' || Number.isSafeInteger(id)) return String(id)
  throw new InvalidValueError(
    `The id of a user must be a string or a whole number; this one is a ${typeof id}. For other ids, set the option getId of the login kit.`
  )
}

/** A scheme, and perhaps parameters (RFC 9110, section 11.3). */
const CHALLENGE = /^[\w!#$%&'*+.^`|~-]+( [\x20-\x7e]+)?$/

function readChallenge({ authenticate, challenge }: AnyLoginOptions): string {
  const isFine = (value: unknown): boolean => isString(value) && CHALLENGE.test(value as string)
  if (challenge !== undefined && authenticate === undefined) {
    throw new InvalidOptionError(
      'The option challenge of the login kit says how to authenticate, so it needs the option authenticate.'
    )
  }
  return readOption(challenge, 'Bearer', 'challenge', 'a challenge such as \'Bearer realm="shop"\'', isFine)
}

/** Undefined says that the header is none of the application's business. */
function senderOf(user: User | null | undefined): User | null | undefined {
  return user === undefined ? undefined : userOf(user, 'authenticate')
}

/** Other falsy values must not pass: a check for null would take `false` for a user. */
function userOf(user: User | null | undefined, option: string): User | null {
  if (user === null || user === undefined) return null
  if (isObject(user)) return user
  const given = Array.isArray(user) ? 'an array' : `a ${typeof user}`
  throw new InvalidValueError(
    `The option ${option} must return a user, which is an object, or null; it returned ${given}.`
  )
}

/** A string must not pass: `'administrator'.includes('admin')` is true. */
function rolesOf(roles: unknown): readonly string[] {
  if (Array.isArray(roles)) return roles
  throw new InvalidValueError(`The option roles of the login kit must return an array; it returned a ${typeof roles}.`)
}

/** Another type, such as a promise, would have the same text for every user and every password. */
function hashOf(value: unknown): string {
  if (typeof value === 'string') return digest(value)
  throw new InvalidValueError(
    `The option authHash of the login kit must return a string; it returned a ${typeof value}.`
  )
}

function idOf(id: unknown, method: string): string {
  assertOwnerId(id, method)
  if (!String(id).startsWith(SERIES_OWNER)) return id as string
  throw new InvalidValueError(
    `The id of a user must not start with '${SERIES_OWNER}': the login kit stores remembered logins under such names.`
  )
}
