import type { SessionData, SessionValues } from '../../types/session.ts'
import type { NoSessionReason } from '../request/factory.ts'
import { assertKnown } from '../util/check.ts'
import type { AnyApp, SessionChoice } from './factory-of.ts'
import { factoryOf } from './factory-of.ts'
import type { ReplyWithCookies } from './set-cookie.ts'
import { setCookieLines } from './set-cookie.ts'

/** A session as it is kept now. The members are named as those of `request.session`. */
export interface OpenedSession<Data = SessionData> {
  readonly reason: 'opened'
  readonly data: SessionValues<Data>
  readonly id: string
  readonly ownerId: string | undefined
  readonly createdAt: Date
  readonly expiresAt: Date
  readonly permanent: boolean
}

/** No session. What a session would have is undefined, so that it can be asserted without a look at the reason. */
export type NoSession = { readonly reason: NoSessionReason } & {
  readonly [Member in Exclude<keyof OpenedSession, 'reason'>]?: undefined
}

/** What `readSession` found; `reason` tells which of both it is. */
export type SessionReading<Data = SessionData> = OpenedSession<Data> | NoSession

/**
 * The session that the cookies of a reply stand for, or those of a request as a string. It is read as the application would
 * read it, with a store from there, and does not count as activity.
 *
 * With a store, most replies that change a session set no cookie (`no-cookie`), because the one that the browser has stays the
 * same: read the cookies of the request then.
 *
 * Throws `ERR_SESSION_NOT_REGISTERED` where the application has no such session, and `ERR_SESSION_STORE_UNAVAILABLE` when the
 * store does not answer.
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
  const mint = await factoryOf(app, options.decorator)
  const found = await mint.read(typeof from === 'string' ? from : setCookieLines(from).join('; '))
  if (typeof found === 'string') return { reason: found }
  return {
    reason: 'opened',
    // The application has written it under the declaration that it is read with.
    data: found.data as SessionValues<Data>,
    id: mint.handleOf(found),
    ownerId: found.ownerId,
    createdAt: new Date(found.createdAt * 1000),
    expiresAt: new Date(mint.expiresAt(found) * 1000),
    permanent: found.permanent
  }
}
