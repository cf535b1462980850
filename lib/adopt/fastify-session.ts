import type { AdoptOptions, SessionReader } from '../../types/adopt.ts'
import type { SessionValues } from '../../types/session.ts'
import { assertKnown, isString, readOption } from '../util/check.ts'
import { ADOPT_OPTIONS, readAdoption } from './adoption.ts'
import type { OldSessionStore } from './stored-reader.ts'
import { assertOldStore, readOldSecrets, storedReader } from './stored-reader.ts'

/** The options of `fastifySession()`. An option that is undefined has its default. */
export interface FastifySessionOptions<Old = Record<string, unknown>, Data = SessionValues>
  extends AdoptOptions<Old, Data> {
  /**
   * The option `secret` of `@fastify/session`: a text or bytes, or an array of which each can have signed a cookie.
   *
   * @example
   * ```ts
   * import { MemoryStore } from 'express-session'
   *
   * const reader = fastifySession({ secret: process.env.OLD_SECRET ?? '', store: new MemoryStore() })
   * ```
   */
  readonly secret: string | Buffer | readonly (string | Buffer)[]
  /**
   * The option `store` of `@fastify/session`: the same store, with the same settings.
   *
   * @example
   * ```ts
   * import { RedisStore } from 'connect-redis'
   * import { createClient } from 'redis'
   *
   * const client = await createClient().connect()
   * const reader = fastifySession({ secret: process.env.OLD_SECRET ?? '', store: new RedisStore({ client }) })
   * ```
   */
  readonly store: OldSessionStore
  /**
   * The option `cookieName` of `@fastify/session`. Default `'sessionId'`.
   *
   * @example
   * ```ts
   * import { MemoryStore } from 'express-session'
   *
   * const reader = fastifySession({ secret: process.env.OLD_SECRET ?? '', store: new MemoryStore(), cookieName: 'sid' })
   * ```
   */
  readonly cookieName?: string | undefined
  /**
   * The option `cookiePrefix` of `@fastify/session`. Default `''`.
   *
   * @example
   * ```ts
   * import { MemoryStore } from 'express-session'
   *
   * const reader = fastifySession({ secret: process.env.OLD_SECRET ?? '', store: new MemoryStore(), cookiePrefix: 's:' })
   * ```
   */
  readonly cookiePrefix?: string | undefined
}

/**
 * Reads the sessions of `@fastify/session`: the signed id in its cookie, and the record in its store. A session ends at the time in its
 * record, as with the library.
 *
 * Throws `ERR_SESSION_OPTION_INVALID` and `ERR_SESSION_OPTION_UNKNOWN`.
 *
 * @example
 * ```ts
 * import { RedisStore } from 'connect-redis'
 * import { createClient } from 'redis'
 *
 * const client = await createClient().connect()
 * const old = fastifySession<{ userId?: number }>({
 *   secret: process.env.OLD_SECRET ?? '',
 *   store: new RedisStore({ client }),
 *   ownerOf: ({ userId }) => (userId === undefined ? undefined : String(userId))
 * })
 * await app.register(session, { secret: process.env.SESSION_SECRET, store: new MemoryStore(), adopt: [old] })
 * ```
 */
export function fastifySession<Old extends object = Record<string, unknown>, Data = SessionValues>(
  options: FastifySessionOptions<Old, Data>
): SessionReader {
  assertKnown(options, ['secret', 'store', 'cookieName', 'cookiePrefix', ...ADOPT_OPTIONS], 'fastifySession()')
  assertOldStore(options.store)
  const cookieName = readOption(options.cookieName, 'sessionId', 'cookieName', 'a string', isString)
  return storedReader(readAdoption(options, cookieName), {
    secrets: readOldSecrets(options.secret, 'secret'),
    prefix: readOption(options.cookiePrefix, '', 'cookiePrefix', 'a string', isString),
    store: options.store,
    checksExpiry: true
  })
}
