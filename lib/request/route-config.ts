import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { SessionRouteConfig } from '../../types/options.ts'
import { InvalidOptionError } from '../errors.ts'
import { isBoolean, isObject } from '../util/check.ts'

/** The config of a route, checked, with its defaults. */
export interface RoutePolicy {
  readonly enabled: boolean
  /** Whether requests to the route count as activity. */
  readonly touch: boolean
  /** Whether the route is served without the session while the store is down. */
  readonly anonymousOnStoreError: boolean
  /** Whether a session that is bound to a device opens without its proof. */
  readonly deviceOptional: boolean
}

const DEFAULT_POLICY: RoutePolicy = { enabled: true, touch: true, anonymousOnStoreError: false, deviceOptional: false }
const DISABLED: RoutePolicy = { ...DEFAULT_POLICY, enabled: false, touch: false }

/** What Fastify prints of an application without routes. */
const NO_ROUTES = '(empty tree)'

/**
 * The policies of the routes in the scope of a plugin. An invalid config is refused when its route is added.
 *
 * Fastify creates `routeOptions` at each access, which costs more than the rest of a typical request, so it is read only if some
 * route has a config. Routes that were added before the plugin cannot be listed, so this needs an application without routes
 * when the plugin is registered.
 */
export class RoutePolicies {
  /** Whether no route has a config. Unknown until the application is ready. */
  #areAllDefault = false

  constructor(app: FastifyInstance) {
    let says = app.printRoutes() !== NO_ROUTES
    const routes: RouteOptions[] = []
    // Read again in onReady: later onRoute hooks may change the config.
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
    // onRoute does not run for notFound handlers.
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
  const given = Object(config) as { touch?: unknown; onStoreError?: unknown; device?: unknown }
  const { touch = true, onStoreError, device, ...others } = given
  const isKnown = isObject(config) && Object.keys(others).length === 0
  const isOneOf = (value: unknown, word: string): boolean => value === undefined || value === word
  if (!isKnown || !isBoolean(touch) || !isOneOf(onStoreError, 'anonymous') || !isOneOf(device, 'optional')) {
    throw new InvalidOptionError(
      "The session config of a route must be false, or an object with touch: true or false, onStoreError: 'anonymous', or device: 'optional', or several of them. Write config: { session: false } or config: { session: { touch: false } }."
    )
  }
  return {
    enabled: true,
    touch: touch === true,
    anonymousOnStoreError: onStoreError === 'anonymous',
    deviceOptional: device === 'optional'
  }
}
