import type { LoginName, UserOf } from '../../types/login.ts'
import type { SessionData, SessionValues } from '../../types/session.ts'
import { toJson } from '../data/storable.ts'
import { InvalidOptionError, InvalidValueError } from '../errors.ts'
import { MAX_SCHEMA_VERSION } from '../format/extensions.ts'
import { MAX_SECONDS } from '../format/record.ts'
import { assertOwnerId } from '../owners/owner-id.ts'
import type { SessionFactory } from '../request/factory.ts'
import { assertData } from '../request/session.ts'
import { assertKnown, isBoolean, isObject, readOption } from '../util/check.ts'
import type { AnyApp, SessionChoice } from './factory-of.ts'
import { factoryOf } from './factory-of.ts'
import { loginOf } from './login-of.ts'

/** Options of `sessionCookie`: everything about a session but its data. */
export interface SessionCookieOptions extends SessionChoice {
  /**
   * The owner of the session, as `session.setOwner()` sets it. Default: none, or the id of `user`.
   *
   * @example
   * ```ts
   * const cookie = await sessionCookie(app, { userId: 7 }, { ownerId: '7' })
   * ```
   */
  readonly ownerId?: string | undefined
  /**
   * The user who has just logged in with `request.login()`. Needs the login kit. Default: nobody.
   *
   * @example
   * ```ts
   * for (const user of users.values()) console.log(await sessionCookie(app, {}, { user }))
   * ```
   */
  readonly user?: UserOf<LoginName> | undefined
  /**
   * Whether the session outlives the browser. Default: the option `permanent` of the plugin.
   *
   * @example
   * ```ts
   * const cookie = await sessionCookie(app, { userId: 7 }, { permanent: true })
   * ```
   */
  readonly permanent?: boolean | undefined
  /**
   * The idle timeout that the session has of its own, in seconds, as `session.idleTimeout` sets it. Default: that of the plugin.
   *
   * @example
   * ```ts
   * const cookie = await sessionCookie(app, { userId: 7 }, { idleTimeout: 300 })
   * ```
   */
  readonly idleTimeout?: number | undefined
  /**
   * The absolute timeout that the session has of its own, in seconds, as `session.absoluteTimeout` sets it. Default: that of the plugin.
   *
   * @example
   * ```ts
   * const cookie = await sessionCookie(app, { userId: 7 }, { absoluteTimeout: 3600 })
   * ```
   */
  readonly absoluteTimeout?: number | undefined
  /**
   * When the session was created: the absolute timeout counts from here. Default: now, or `lastSeenAt` if that is earlier.
   *
   * @example
   * ```ts
   * const cookie = await sessionCookie(app, { userId: 7 }, { createdAt: new Date('2030-01-01') })
   * ```
   */
  readonly createdAt?: Date | undefined
  /**
   * When the last activity was recorded: the idle timeout counts from here. Default: now, or `createdAt` if that is later.
   *
   * @example
   * ```ts
   * const hourAgo = new Date(Date.now() - 3_600_000)
   * const cookie = await sessionCookie(app, { userId: 7 }, { lastSeenAt: hourAgo })
   * ```
   */
  readonly lastSeenAt?: Date | undefined
  /**
   * The version of the schema under which the data were written, to test a migration: a whole number from 1, or 0 for a server
   * without a schema. The data are then not checked by the schema. Default: the option `schemaVersion` of the plugin.
   *
   * @example
   * ```ts
   * const cookie = await sessionCookie<{ title: string }>(app, { title: 'Dr' }, { schemaVersion: 1 })
   * ```
   */
  readonly schemaVersion?: number | undefined
}

/** The names of all options. */
export const SESSION_COOKIE_OPTIONS: readonly string[] = [
  'decorator',
  'ownerId',
  'user',
  'permanent',
  'idleTimeout',
  'absoluteTimeout',
  'createdAt',
  'lastSeenAt',
  'schemaVersion'
]

/**
 * Creates a session with these data, and returns its cookie as `name=value` for the header `cookie` of a request. It uses the
 * keys, the store and the clock of the application. It does not call the option `describe`, because there is no request.
 *
 * Rejects with `ERR_SESSION_SCHEMA` for data that the schema of the application refuses; with `ERR_SESSION_RESERVED_KEY` and `ERR_SESSION_VALUE` for data that `session.set()` refuses; with
 * `ERR_SESSION_VALUE` for a session without data and owner, which no application stores, and for timeouts above the caps of the
 * application; with `ERR_SESSION_TOO_LARGE` if the
 * session is too large; with `ERR_SESSION_NOT_REGISTERED` if the application has no such session, or no login kit for the option
 * `user`; and with `ERR_SESSION_OPTION_UNKNOWN` or `ERR_SESSION_OPTION_INVALID` for a wrong option.
 *
 * @example
 * ```ts
 * const cookie = await sessionCookie(app, { userId: 7 })
 * const response = await app.inject({ url: '/me', headers: { cookie } })
 * ```
 */
export async function sessionCookie<Data = SessionData>(
  app: AnyApp,
  data: SessionValues<Data>,
  options: SessionCookieOptions = {}
): Promise<string> {
  assertKnown(options, SESSION_COOKIE_OPTIONS, 'sessionCookie()')
  const { decorator, user } = options
  const factory = await factoryOf(app, decorator)
  if (!isObject(data)) throw new InvalidValueError('sessionCookie() takes the data of the session as an object.')
  assertData(data)
  const version = readVersion(options.schemaVersion, factory)
  if (version === undefined) factory.schema?.assert(data)
  const login = user && loginOf(app, user, decorator)
  const ownerId = login?.ownerId ?? options.ownerId
  if (ownerId !== undefined) assertOwnerId(ownerId, 'The option ownerId')
  const json = toJson({ ...data, ...login?.data })
  if (json === '{}' && ownerId === undefined) {
    throw new InvalidValueError(
      'No application stores a session without data and owner. Send the request without a cookie instead.'
    )
  }
  const createdAt = readSeconds(options.createdAt, 'createdAt')
  const lastSeenAt = readSeconds(options.lastSeenAt, 'lastSeenAt')
  const now = factory.now()
  return factory.issue(
    {
      json,
      ownerId,
      permanent: readOption(options.permanent, factory.permanent, 'permanent', 'true or false', isBoolean),
      createdAt: createdAt ?? Math.min(now, lastSeenAt ?? now),
      lastSeenAt: lastSeenAt ?? Math.max(now, createdAt ?? now)
    },
    version,
    options
  )
}

function readVersion(given: number | undefined, { schema }: SessionFactory): number | undefined {
  if (given !== undefined && schema === undefined) {
    throw new InvalidOptionError('The option schemaVersion needs an application with the option schema.')
  }
  return readOption(given, undefined, 'schemaVersion', `a whole number from 0 to ${MAX_SCHEMA_VERSION}`, isVersion)
}

function readSeconds(date: Date | undefined, name: string): number | undefined {
  const checked = readOption(date, undefined, name, 'a Date between 1970 and 2286', isTime)
  return checked && Math.floor(checked.getTime() / 1000)
}

function isVersion(value: unknown): boolean {
  return Number.isInteger(value) && Number(value) >= 0 && Number(value) <= MAX_SCHEMA_VERSION
}

function isTime(value: unknown): boolean {
  return value instanceof Date && value.getTime() >= 0 && value.getTime() / 1000 < MAX_SECONDS + 1
}
