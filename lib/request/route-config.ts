import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { SessionRouteConfig } from '../../types/options.ts'
import { InvalidOptionError } from '../errors.ts'
import { isBoolean, isObject } from '../util/check.ts'

/** What a route says about sessions. */
export interface RoutePolicy {
  readonly enabled: boolean
  /** Whether requests to the route count as activity. */
  readonly touch: boolean
  /** Whether the route is served without the session while the store is down. */
  readonly anonymousOnStoreError: boolean
}

const DEFAULT_POLICY: RoutePolicy = { enabled: true, touch: true, anonymousOnStoreError: false }
const DISABLED: RoutePolicy = { enabled: false, touch: false, anonymousOnStoreError: false }

/** What Fastify prints of an application without routes. */
const NO_ROUTES = '(empty tree)'

/**
 * The policies of the routes that a plugin is for. A config that means nothing is refused when its route is added.
 *
 * Fastify makes `routeOptions` on each call, which costs a request more than all that most of them need: where no route has
 * anything to say, nobody asks for it. That takes an application without routes when the plugin is registered, since those from
 * before cannot be looked through: `await app.register(session)` comes first.
 */
export class RoutePolicies {
  /** Whether no route says anything. Unknown until the application is ready. */
  #areAllDefault = false

  constructor(app: FastifyInstance) {
    let says = app.printRoutes() !== NO_ROUTES
    const routes: RouteOptions[] = []
    // Asked twice: hooks that come after this one may change what a route says, and what an application gives for a route it
    // may use for another one.
    app.addHook('onRoute', (route) => {
      readRouteConfig(route.config?.session)
      says ||= saysSomething(route)
      routes.push(route)
    })
    app.addHook('onReady', async () => {
      this.#areAllDefault = !says && !routes.some(saysSomething)
      routes.length = 0
    })
  }

  of(request: FastifyRequest): RoutePolicy {
    // No hook hears of the handlers of what is not found.
    return this.#areAllDefault && !request.is404 ? DEFAULT_POLICY : routePolicy(request)
  }
}

function saysSomething({ config }: RouteOptions): boolean {
  return config?.session !== undefined
}

/** The policy of the route that a request goes to. */
export function routePolicy(request: FastifyRequest): RoutePolicy {
  return readRouteConfig(request.routeOptions.config?.session)
}

/** Checks `config.session` of a route. */
export function readRouteConfig(config: SessionRouteConfig | undefined): RoutePolicy {
  if (config === undefined) return DEFAULT_POLICY
  if (config === false) return DISABLED
  const { touch = true, onStoreError, ...others } = Object(config) as { touch?: unknown; onStoreError?: unknown }
  const isKnown = isObject(config) && Object.keys(others).length === 0
  if (!isKnown || !isBoolean(touch) || (onStoreError !== undefined && onStoreError !== 'anonymous')) {
    throw new InvalidOptionError(
      "The session config of a route must be false, or an object with touch: true or false, or onStoreError: 'anonymous', or both. Write config: { session: false } or config: { session: { touch: false } }."
    )
  }
  return { enabled: true, touch: touch === true, anonymousOnStoreError: onStoreError === 'anonymous' }
}
