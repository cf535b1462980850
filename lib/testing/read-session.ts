import type { SessionData, SessionValues } from '../../types/session.ts'
import type { NoSessionReason } from '../request/factory.ts'
import { assertKnown } from '../util/check.ts'
import type { AnyApp, SessionChoice } from './factory-of.ts'
import { factoryOf } from './factory-of.ts'
import type { ReplyWithCookies } from './set-cookie.ts'
import { setCookieLines } from './set-cookie.ts'

/** The present state of a session. Its members have the names of those of `request.session`. */
export interface OpenedSession<Data = SessionData> {
  /** Always `'opened'`: there is a session. */
  readonly reason: 'opened'
  /** A copy of the data. */
  readonly data: SessionValues<Data>
  /** The handle, as `session.id` has it. */
  readonly id: string
  /** The owner that `session.setOwner()` has set; undefined if there is none. */
  readonly ownerId: string | undefined
  /** When the session was created. */
  readonly createdAt: Date
  /** When the session expires: the earlier of the two timeouts. */
  readonly expiresAt: Date
  /** Seconds without activity after which it ends, as `session.idleTimeout` has them. */
  readonly idleTimeout: number
  /** Seconds after `createdAt` at which it ends, as `session.absoluteTimeout` has them. */
  readonly absoluteTimeout: number
  /** Whether the session outlives the browser. */
  readonly permanent: boolean
}

/** No session, and the reason. The members of a session are undefined, so that a test can check them without the reason. */
export type NoSession = {
  /** Why there is no session. */
  readonly reason: NoSessionReason
} & {
  readonly [Member in Exclude<keyof OpenedSession, 'reason'>]?: undefined
}

/** The result of `readSession`. `reason` is `'opened'` if there is a session. */
export type SessionReading<Data = SessionData> = OpenedSession<Data> | NoSession

/**
 * Reads a session from the `Set-Cookie` headers of a reply, or from a string such as a `Cookie` header. It opens the cookie
 * with the keys, the store and the clock of the application. It is not activity.
 *
 * With a store, most replies that change a session set no cookie, because the browser keeps the cookie that it has: the reason
 * is `no-cookie`. Pass the cookies of the request instead.
 *
 * Rejects with `ERR_SESSION_NOT_REGISTERED` if the application has no such session, with `ERR_SESSION_STORE_UNAVAILABLE` if the
 * store does not answer, and with `ERR_SESSION_OPTION_UNKNOWN` for a wrong option.
 *
 * @example
 * ```ts
 * import assert from 'node:assert/strict'
 *
 * const reply = await app.inject({ method: 'POST', url: '/login', payload: { name: 'ada' } })
 * const { data, expiresAt } = await readSession(app, reply)
 * assert.equal(data?.userId, 7)
 * ```
 */
export async function readSession<Data = SessionData>(
  app: AnyApp,
  from: ReplyWithCookies | string,
  options: SessionChoice = {}
): Promise<SessionReading<Data>> {
  assertKnown(options, ['decorator'], 'readSession()')
  const factory = await factoryOf(app, options.decorator)
  const found = await factory.read(typeof from === 'string' ? from : setCookieLines(from).join('; '))
  if (typeof found === 'string') return { reason: found }
  return {
    reason: 'opened',
    // The application has written the data with the types that the test reads them with.
    data: found.data as SessionValues<Data>,
    id: factory.handleOf(found),
    ownerId: found.ownerId,
    createdAt: new Date(found.createdAt * 1000),
    expiresAt: new Date(factory.expiresAt(found) * 1000),
    ...factory.timeoutsOf(found),
    permanent: found.permanent
  }
}
