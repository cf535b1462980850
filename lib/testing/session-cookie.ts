import type { User } from '../../types/login.ts'
import type { SessionData, SessionValues } from '../../types/session.ts'
import { toJson } from '../data/storable.ts'
import { InvalidValueError } from '../errors.ts'
import { MAX_SECONDS } from '../format/record.ts'
import { assertOwnerId } from '../owners/owner-id.ts'
import { assertData } from '../request/session.ts'
import { assertKnown, isBoolean, isObject, readOption } from '../util/check.ts'
import type { AnyApp, SessionChoice } from './factory-of.ts'
import { factoryOf } from './factory-of.ts'
import { loginOf } from './login-of.ts'

/** What is known of a session beside its data. */
export interface SessionCookieOptions extends SessionChoice {
  /** Whose session it is, as by `session.setOwner()`. Default: nobody's. With `user` it is theirs. */
  readonly ownerId?: string | undefined
  /** Who is logged in, where there is the login kit: as by `request.login()`, just now. Default: nobody. */
  readonly user?: User | undefined
  /** Whether it outlives the browser. Default: as the option `permanent` of the plugin. */
  readonly permanent?: boolean | undefined
  /** When it began. Default: now, or `lastSeenAt` if that is earlier. */
  readonly createdAt?: Date | undefined
  /** When activity was last noted: the idle timeout counts from here. Default: now, or `createdAt` if that is later. */
  readonly lastSeenAt?: Date | undefined
}

/** The names of all options. */
export const SESSION_COOKIE_OPTIONS: readonly string[] = [
  'decorator',
  'ownerId',
  'user',
  'permanent',
  'createdAt',
  'lastSeenAt'
]

/**
 * The cookie of a session with these data, as `name=value` for the header `cookie` of a request: sealed as the application
 * seals its own, and with a store kept there. The time is that of the plugin's option `clock`. `describe` is not asked, because
 * there is no request.
 *
 * Throws `ERR_SESSION_RESERVED_KEY` and `ERR_SESSION_VALUE` for data that `session.set()` refuses, and for a session with
 * nothing in it, which no application keeps; `ERR_SESSION_TOO_LARGE`; `ERR_SESSION_NOT_REGISTERED` where the application has no
 * such session, or no login kit for the option `user`; `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID` for the
 * options.
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
  const mint = await factoryOf(app, decorator)
  if (!isObject(data)) throw new InvalidValueError('sessionCookie() takes the data of the session as an object.')
  assertData(data)
  const login = user && loginOf(app, user, decorator)
  const ownerId = login?.ownerId ?? options.ownerId
  if (ownerId !== undefined) assertOwnerId(ownerId, 'The option ownerId')
  const json = toJson({ ...data, ...login?.data })
  if (json === '{}' && ownerId === undefined) {
    throw new InvalidValueError('A session with neither data nor an owner is not kept: send no cookie instead.')
  }
  const createdAt = takeSeconds(options.createdAt, 'createdAt')
  const lastSeenAt = takeSeconds(options.lastSeenAt, 'lastSeenAt')
  const now = mint.now()
  return mint.issue({
    json,
    ownerId,
    permanent: readOption(options.permanent, mint.permanent, 'permanent', 'true or false', isBoolean),
    createdAt: createdAt ?? Math.min(now, lastSeenAt ?? now),
    lastSeenAt: lastSeenAt ?? Math.max(now, createdAt ?? now)
  })
}

function takeSeconds(date: Date | undefined, name: string): number | undefined {
  const checked = readOption(date, undefined, name, 'a Date between 1970 and 2286', isTime)
  return checked && Math.floor(checked.getTime() / 1000)
}

function isTime(value: unknown): boolean {
  return value instanceof Date && value.getTime() >= 0 && value.getTime() / 1000 < MAX_SECONDS + 1
}
