export const SYSTEMS = [
  'bare',
  'bare-headers',
  'sketch',
  'signed',
  'signed-schema',
  'signed-named',
  'signed-revocations',
  'signed-bound',
  'signed-unbound',
  'encrypted',
  'memory',
  'memory-encrypted',
  'redis',
  'redis-encrypted',
  'ioredis',
  'secure-session',
  'fastify-session',
  'fastify-session-redis',
  'fastify-session-ioredis'
] as const

export type SystemName = (typeof SYSTEMS)[number]

export type RouteName = 'untouched' | 'read' | 'write' | 'login'

export const ROUTES: readonly RouteName[] = ['untouched', 'read', 'write', 'login']

export type PayloadName = 'small' | 'large'

export const PAYLOADS: readonly PayloadName[] = ['small', 'large']

/** What the requests and the server of a measurement are like. */
export interface Setting {
  readonly payload: PayloadName
  /** Cookies of other applications in each request, one of them before the session's. */
  readonly foreignCookies: number
  readonly logger: boolean
}
