import type { FastifyInstance } from 'fastify'
import { DuplicateSessionError } from '../errors.ts'

interface Reservation {
  readonly scope: FastifyInstance
  readonly keyIds: readonly string[]
}

/**
 * Reserves a cookie name in a scope. Throws if it is taken there: two plugins with one cookie would overwrite each other's values.
 *
 * `keyIds`: of the secrets under which its values open. Throws if a scope of the server that lies beside this one has the name with
 * one of these secrets: whoever got a cookie from the one could send it to the other, whatever paths and hosts the two are for.
 */
export function reserveCookieName(app: FastifyInstance, cookieName: string, keyIds: readonly string[]): void {
  const key = Symbol.for(`fastify-typed-session cookie ${cookieName}`)
  const reservations = app.server as unknown as Record<symbol, Reservation[] | undefined>
  const others = reservations[key] ?? []
  if (others.some(({ scope }) => isWithin(scope, app) || isWithin(app, scope))) {
    throw new DuplicateSessionError(
      `The cookie '${cookieName}' belongs to another session or login kit in this scope, in an outer one or in an inner one. Set another cookieName.`
    )
  }
  if (others.some((other) => other.keyIds.some((id) => keyIds.includes(id)))) {
    throw new DuplicateSessionError(
      `A session in a scope beside this one opens the same cookies: it has the cookieName '${cookieName}' and one of the same secrets, so each would take the sessions of the other for its own. Set another cookieName or secret, or register one session in a scope around both.`
    )
  }
  reservations[key] = [...others, { scope: app, keyIds }]
}

/** Fastify creates the instance of an inner scope with the instance of the outer scope as its prototype. */
function isWithin(inner: FastifyInstance, outer: FastifyInstance): boolean {
  return inner === outer || Object.prototype.isPrototypeOf.call(outer, inner)
}
