export const SYSTEMS = ['bare', 'sketch', 'signed', 'encrypted', 'memory', 'secure-session', 'fastify-session'] as const

export type SystemName = (typeof SYSTEMS)[number]

export type RouteName = 'untouched' | 'read' | 'write' | 'login'

export const ROUTES: readonly RouteName[] = ['untouched', 'read', 'write', 'login']

export type PayloadName = 'small' | 'large'

export const PAYLOADS: readonly PayloadName[] = ['small', 'large']

/** What the requests and the server of a measurement are like. */
export interface Setting {
  readonly payload: PayloadName
  readonly foreignCookies: number
  readonly logger: boolean
}
