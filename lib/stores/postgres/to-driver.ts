import { InvalidOptionError } from '../../errors.ts'
import { isFunction } from '../../util/check.ts'
import type { PostgresPool } from './clients.ts'
import type { Driver } from './driver.ts'
import { fromPg } from './pg.ts'
import { fromPGlite, isPGlite } from './pglite.ts'
import { fromPostgresJs, isPostgresJs } from './postgres-js.ts'

/**
 * Recognizes the client by its methods. No other part of the store knows which one it is. `owner`: the class that takes it. Throws
 * `ERR_SESSION_OPTION_INVALID`.
 */
export function toDriver(pool: unknown, owner: string): Driver {
  if (isPostgresJs(pool)) return fromPostgresJs(pool)
  if (isPGlite(pool)) return fromPGlite(pool)
  const members = Object(pool) as Record<string, unknown>
  // A client has this. It is one connection, which requests cannot share, and its `connect` returns none.
  const isClient = 'connectionParameters' in members
  if (isFunction(members.connect) && !isClient) return fromPg(pool as PostgresPool)
  // The message does not show the value: a connection string contains a password.
  throw new InvalidOptionError(
    `The option pool must be a Pool of pg, as in new ${owner}({ pool: new pg.Pool() }), what postgres() of postgres.js has returned, or a PGlite.${isClient ? ' It is a Client, which is one connection.' : ''}`
  )
}
