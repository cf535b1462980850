import type { FastifyRequest } from 'fastify'
import type { SessionRouteConfig } from '../types/options.ts'
import { isBoolean, isObject } from './check.ts'
import { InvalidOptionError } from './errors.ts'

/** What a route says about sessions. */
export interface RoutePolicy {
  readonly enabled: boolean
  /** Whether requests to the route count as activity. */
  readonly touch: boolean
  /** Whether the route is served without the session while the store is down. */
  readonly survivesOutage: boolean
}

const DEFAULT_POLICY: RoutePolicy = { enabled: true, touch: true, survivesOutage: false }
const DISABLED: RoutePolicy = { enabled: false, touch: false, survivesOutage: false }

/** The policy of the route that a request goes to. Not on the hot path: Fastify makes `routeOptions` on each call. */
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
  return { enabled: true, touch: touch === true, survivesOutage: onStoreError === 'anonymous' }
}
