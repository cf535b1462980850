import type { FastifyInstance } from 'fastify'
import { DuplicateSessionError } from '../errors.ts'

/** Makes a cookie the one of a plugin, within its scope: two of one name would overwrite each other. */
export function reserveCookieName(app: FastifyInstance, cookieName: string): void {
  const claim = Symbol.for(`fastify-typed-session cookie ${cookieName}`)
  const claims = app.server as unknown as Record<symbol, FastifyInstance[] | undefined>
  const owners = claims[claim] ?? []
  if (owners.some((owner) => isWithin(owner, app) || isWithin(app, owner))) {
    throw new DuplicateSessionError(
      `The cookie '${cookieName}' belongs to another session or login kit of this scope, or of one around it or inside it. Give this one a cookieName of its own.`
    )
  }
  claims[claim] = [...owners, app]
}

/** Fastify makes the instance of an inner scope with the one of the outer scope as its prototype. */
function isWithin(inner: FastifyInstance, outer: FastifyInstance): boolean {
  return inner === outer || Object.prototype.isPrototypeOf.call(outer, inner)
}
