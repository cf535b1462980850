import type { FastifyInstance } from 'fastify'
import { DuplicateSessionError } from '../errors.ts'

/**
 * Reserves a cookie name in a scope. Throws if it is taken: two plugins with one cookie would overwrite each other's values.
 */
export function reserveCookieName(app: FastifyInstance, cookieName: string): void {
  const key = Symbol.for(`fastify-typed-session cookie ${cookieName}`)
  const reservations = app.server as unknown as Record<symbol, FastifyInstance[] | undefined>
  const scopes = reservations[key] ?? []
  if (scopes.some((scope) => isWithin(scope, app) || isWithin(app, scope))) {
    throw new DuplicateSessionError(
      `The cookie '${cookieName}' belongs to another session or login kit in this scope, in an outer one or in an inner one. Set another cookieName.`
    )
  }
  reservations[key] = [...scopes, app]
}

/** Fastify creates the instance of an inner scope with the instance of the outer scope as its prototype. */
function isWithin(inner: FastifyInstance, outer: FastifyInstance): boolean {
  return inner === outer || Object.prototype.isPrototypeOf.call(outer, inner)
}
