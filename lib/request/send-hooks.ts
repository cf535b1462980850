import type { FastifyInstance, onSendHookHandler, RouteOptions } from 'fastify'

/** The description of the symbol under which Fastify keeps the hooks of a scope. It has no other way to learn of them. */
const HOOKS = 'fastify.hooks'

/** Hooks of this package that leave every session alone. */
const QUIET: WeakSet<onSendHookHandler> = new WeakSet()

/** Notes of a hook of this package that it leaves every session alone. */
export function quietHook(hook: onSendHookHandler): onSendHookHandler {
  QUIET.add(hook)
  return hook
}

/**
 * Whether no onSend hook that could use a session runs between `first`, a hook of a scope, and `last`, a hook of a route in it. To be asked when all
 * hooks are added. It is false where Fastify keeps its hooks in another way.
 */
export function areNeighbours(
  first: onSendHookHandler,
  last: onSendHookHandler,
  scope: FastifyInstance,
  route: RouteOptions
): boolean {
  const key = Object.getOwnPropertySymbols(scope).find(({ description }) => description === HOOKS)
  const ofScope: unknown = key && Object(Reflect.get(scope, key)).onSend
  const loud = Array.isArray(ofScope) ? ofScope.filter((hook) => !QUIET.has(hook)) : []
  return loud.at(-1) === first && [route.onSend].flat()[0] === last
}
