import type { PayloadName, RouteName, SystemName } from './children/protocol.ts'

/** A system to measure. */
export interface PlannedSystem {
  readonly name: SystemName
  readonly label: string
  /** The bare server of the same framework. Absent for the bare servers themselves. */
  readonly base?: SystemName
  /** Whether it is a server without sessions. */
  readonly isBare?: boolean
  /** Whether every reply to `/write` must set a cookie, because the data is in it. */
  readonly isCookie?: boolean
  /** Replaces the value of the group. */
  readonly requestsPerSlice?: number
}

/** Systems whose servers run at the same time and take turns. */
export interface PlannedGroup {
  readonly systems: readonly PlannedSystem[]
  readonly requestsPerSlice: number
  readonly warmUpRequests: number
}

/**
 * Each group has systems of similar speed. Beside a slow system, a fast one appears to cost more, because the CPU caches go cold
 * while it waits. The second bare server shows the noise of the measurement.
 */
export const GROUPS: readonly PlannedGroup[] = [
  {
    requestsPerSlice: 5000,
    warmUpRequests: 12_000,
    systems: [
      { name: 'bare', label: 'bare Fastify', isBare: true },
      { name: 'bare-again', label: 'bare Fastify, a second one', base: 'bare', isBare: true },
      { name: 'signed', label: 'ours, signed', base: 'bare', isCookie: true },
      { name: 'encrypted', label: 'ours, encrypted', base: 'bare', isCookie: true },
      { name: 'secure-session', label: '@fastify/secure-session', base: 'bare', isCookie: true },
      { name: 'memory', label: 'ours, memory', base: 'bare' },
      { name: 'fastify-session', label: '@fastify/session, memory, tuned', base: 'bare' }
    ]
  },
  {
    requestsPerSlice: 3000,
    warmUpRequests: 6000,
    systems: [
      { name: 'bare', label: 'bare Fastify', isBare: true, requestsPerSlice: 5000 },
      { name: 'redis', label: 'ours, Redis', base: 'bare' },
      { name: 'fastify-session-redis', label: '@fastify/session, connect-redis, tuned', base: 'bare' }
    ]
  },
  {
    requestsPerSlice: 1000,
    warmUpRequests: 3000,
    systems: [
      { name: 'bare', label: 'bare Fastify', isBare: true, requestsPerSlice: 5000 },
      { name: 'iron-session', label: 'iron-session in Fastify', base: 'bare', isCookie: true }
    ]
  }
]

export const ROUTES: readonly RouteName[] = ['untouched', 'read', 'write', 'anon', 'login']

export const PAYLOADS: readonly PayloadName[] = ['small', 'large']

/** Routes that get no session cookie. */
export const COOKIELESS: readonly RouteName[] = ['anon', 'login']

export const CONNECTIONS = 50

/** A slice counts only if the server was busy for this share of the time, because an idle server spends more on each request. */
export const BUSY_ENOUGH = 0.9

/** `total`: the limit is a multiple of the bare server's total. `overhead`: a multiple of the yardstick's overhead. */
export interface Target {
  readonly system: SystemName
  readonly route: RouteName
  readonly kind: 'total' | 'overhead'
  readonly limit: number
  readonly yardstick: SystemName
}

type Limits = Readonly<Partial<Record<RouteName, number>>>

function overhead(system: SystemName, yardstick: SystemName, limits: Limits): Target[] {
  return Object.entries(limits).map(([route, limit]) => {
    return { system, route: route as RouteName, kind: 'overhead', limit, yardstick }
  })
}

function total(system: SystemName, yardstick: SystemName, route: RouteName, limit: number): Target {
  return { system, route, kind: 'total', limit, yardstick }
}

export const TARGETS: readonly Target[] = [
  total('signed', 'secure-session', 'untouched', 1.05),
  ...overhead('signed', 'secure-session', { read: 0.8, write: 0.62, login: 0.6 }),
  total('encrypted', 'secure-session', 'untouched', 1.05),
  ...overhead('encrypted', 'secure-session', { read: 1.1, write: 0.95, login: 0.85 }),
  ...overhead('memory', 'fastify-session', { untouched: 0.3, read: 0.3, write: 0.35 }),
  ...overhead('redis', 'fastify-session-redis', { untouched: 0.6, read: 0.6, write: 0.6 })
]

/** How many megabytes the peak memory of our systems may exceed that of their yardstick. */
export const MEMORY_LIMIT_MB = 5
