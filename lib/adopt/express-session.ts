import type { AdoptOptions, SessionReader } from '../../types/adopt.ts'
import type { SessionValues } from '../../types/session.ts'
import { assertKnown, isString, readOption } from '../util/check.ts'
import { ADOPT_OPTIONS, readAdoption } from './adoption.ts'
import type { OldSessionStore } from './stored-reader.ts'
import { assertOldStore, readOldSecrets, storedReader } from './stored-reader.ts'

/** The options of `expressSession()`. An option that is undefined has its default. */
export interface ExpressSessionOptions<Old = Record<string, unknown>, Data = SessionValues>
  extends AdoptOptions<Old, Data> {
  /**
   * The option `secret` of `express-session`: a text or bytes, or an array of which each can have signed a cookie.
   *
   * @example
   * ```ts
   * import { MemoryStore } from 'express-session'
   *
   * const reader = expressSession({ secret: [process.env.OLD_SECRET ?? '', 'the one before'], store: new MemoryStore() })
   * ```
   */
  readonly secret: string | Buffer | readonly (string | Buffer)[]
  /**
   * The option `store` of `express-session`: the same store, with the same settings.
   *
   * @example
   * ```ts
   * import { RedisStore } from 'connect-redis'
   * import { createClient } from 'redis'
   *
   * const client = await createClient().connect()
   * const reader = expressSession({ secret: process.env.OLD_SECRET ?? '', store: new RedisStore({ client }) })
   * ```
   */
  readonly store: OldSessionStore
  /**
   * The option `name` of `express-session`. Default `'connect.sid'`.
   *
   * @example
   * ```ts
   * import { MemoryStore } from 'express-session'
   *
   * const reader = expressSession({ secret: process.env.OLD_SECRET ?? '', store: new MemoryStore(), name: 'sid' })
   * ```
   */
  readonly name?: string | undefined
}

/**
 * Reads the sessions of `express-session`: the signed id in its cookie, and the record in its store. Whether a record is still alive is
 * what the store says, as with the library.
 *
 * Throws `ERR_SESSION_OPTION_INVALID` and `ERR_SESSION_OPTION_UNKNOWN`.
 *
 * @example
 * ```ts
 * import { RedisStore } from 'connect-redis'
 * import { createClient } from 'redis'
 *
 * const client = await createClient().connect()
 * const old = expressSession<{ user?: { id: number } }>({
 *   secret: process.env.OLD_SECRET ?? '',
 *   store: new RedisStore({ client }),
 *   map: ({ user }) => (user ? { userId: user.id } : {}),
 *   ownerOf: ({ user }) => user && String(user.id)
 * })
 * await app.register(session, { secret: process.env.SESSION_SECRET, store: new MemoryStore(), adopt: [old] })
 * ```
 */
export function expressSession<Old extends object = Record<string, unknown>, Data = SessionValues>(
  options: ExpressSessionOptions<Old, Data>
): SessionReader {
  assertKnown(options, ['secret', 'store', 'name', ...ADOPT_OPTIONS], 'expressSession()')
  assertOldStore(options.store)
  const name = readOption(options.name, 'connect.sid', 'name', 'a string', isString)
  return storedReader(readAdoption(options, name), {
    secrets: readOldSecrets(options.secret, 'secret'),
    prefix: 's:',
    store: options.store,
    checksExpiry: false
  })
}
