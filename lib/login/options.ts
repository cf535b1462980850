import type { FastifyRequest } from 'fastify'
import type { LoginOptions, RememberOptions, User } from '../../types/login.ts'
import type { Answer } from '../../types/store.ts'
import { assertKnown, isBoolean, isFunction, isObject, isString, take, takeClock, takeWhole } from '../check.ts'
import type { ResolvedAttributes } from '../cookie.ts'
import { resolveAttributes } from '../cookie.ts'
import { InvalidOptionError, InvalidValueError } from '../errors.ts'
import { localPath } from '../local-path.ts'
import { assertOwnerId } from '../owner-id.ts'
import { digest } from './digest.ts'

/** What the user wrote, checked, with every default filled in. Durations are in seconds. */
export interface LoginSettings {
  readonly loadUser: (id: string, request: FastifyRequest) => Answer<User | null | undefined>
  readonly idOf: (user: User) => string
  readonly loginPath: string | undefined
  readonly confirmPath: string | undefined
  readonly roles: ((user: User) => readonly string[]) | undefined
  /** A digest of what changes with the password. */
  readonly hashOf: (user: User) => string | undefined
  readonly protection: 'basic' | 'strong' | false
  readonly remember: RememberCookieSettings | undefined
  readonly clearSiteData: boolean
  readonly csrfKey: string
  readonly decorator: string
  /** Seconds since 1970. */
  readonly now: () => number
}

export interface RememberCookieSettings {
  readonly cookieName: string
  readonly attributes: ResolvedAttributes
  readonly maxAge: number
  readonly grace: number
}

const DAY = 86_400
const MAX_REMEMBER = 400 * DAY

const OPTION_NAMES: readonly (keyof LoginOptions)[] = [
  'loadUser',
  'getId',
  'loginPath',
  'confirmPath',
  'roles',
  'authHash',
  'protection',
  'remember',
  'clearSiteData',
  'csrfKey',
  'decorator',
  'clock'
]
const REMEMBER_NAMES: readonly (keyof RememberOptions)[] = ['cookieName', 'cookie', 'maxAge', 'grace']
const PROTECTIONS: readonly unknown[] = ['basic', 'strong', false]

export function resolveLoginOptions(options: LoginOptions): LoginSettings {
  assertKnown(options, OPTION_NAMES, 'the login kit')
  const { loadUser, getId, roles, authHash, loginPath } = options
  if (!isFunction(loadUser)) {
    throw new InvalidOptionError(
      'The login kit needs the option loadUser: a function that gives the user with an id, or null.'
    )
  }
  take(getId, undefined, 'getId', 'a function', isFunction)
  take(roles, undefined, 'roles', 'a function', isFunction)
  take(authHash, undefined, 'authHash', 'a function', isFunction)
  const clock = takeClock(options.clock)
  return Object.freeze({
    loadUser: (id, request) => options.loadUser(id, request),
    idOf: (user) => idOf(getId === undefined ? defaultId(user) : options.getId?.(user)),
    loginPath: takePath(loginPath, 'loginPath'),
    confirmPath: takePath(options.confirmPath, 'confirmPath') ?? loginPath,
    roles: roles && ((user) => rolesOf(options.roles?.(user))),
    hashOf: (user) => (authHash === undefined ? undefined : hashOf(options.authHash?.(user))),
    protection: take(options.protection, 'basic', 'protection', "'basic', 'strong' or false", (value) =>
      PROTECTIONS.includes(value)
    ),
    remember: resolveRemember(options.remember),
    clearSiteData: take(options.clearSiteData, false, 'clearSiteData', 'true or false', isBoolean),
    csrfKey: take(options.csrfKey, '_csrf', 'csrfKey', 'a string', isString),
    decorator: take(options.decorator, 'session', 'decorator', 'a string', isString),
    now: () => Math.floor(clock() / 1000)
  } satisfies LoginSettings)
}

function resolveRemember(given: LoginOptions['remember']): RememberCookieSettings | undefined {
  const isFine = (value: unknown): boolean => isBoolean(value) || isObject(value)
  const remember = take(given, false, 'remember', 'true, false or an object with options', isFine)
  if (remember === false) return undefined
  const options: RememberOptions = remember === true ? {} : remember
  assertKnown(options, REMEMBER_NAMES, 'remember')
  const cookieName = take(options.cookieName, 'remember', 'remember.cookieName', 'a string', isString)
  return {
    cookieName,
    attributes: resolveAttributes(cookieName, take(options.cookie, {}, 'remember.cookie', 'an object', isObject)),
    maxAge: takeWhole(options.maxAge, 30 * DAY, 'remember.maxAge', 'seconds', 1, MAX_REMEMBER),
    grace: takeWhole(options.grace, 60, 'remember.grace', 'seconds', 0, DAY)
  }
}

function takePath(given: string | undefined, name: string): string | undefined {
  return take(given, undefined, name, "a path such as '/login'", (value) => localPath(value) !== undefined)
}

function defaultId(user: User): unknown {
  const { id } = Object(user) as { readonly id?: unknown }
  if (typeof id === 'string' || typeof id === 'bigint' || Number.isSafeInteger(id)) return String(id)
  throw new InvalidValueError(
    `A user has an id that is a string or a whole number; this one is a ${typeof id}. Set the option getId of the login kit otherwise.`
  )
}

/** A text would have roles that are parts of it: 'administrator' has 'admin'. */
function rolesOf(roles: unknown): readonly string[] {
  if (Array.isArray(roles)) return roles
  throw new InvalidValueError(`The option roles of the login kit must give an array; it gave a ${typeof roles}.`)
}

/** Whatever is no text, such as a promise, would be the same for every user and every password. */
function hashOf(value: unknown): string {
  if (typeof value === 'string') return digest(value)
  throw new InvalidValueError(`The option authHash of the login kit must give a string; it gave a ${typeof value}.`)
}

function idOf(id: unknown): string {
  assertOwnerId(id, 'request.login()')
  return id as string
}
