import type { RouteName, Setting, SystemName } from './children/setting.ts'

/** A system and the one that it is compared with. */
export interface Pair {
  readonly system: SystemName
  readonly peer: SystemName
  /** The ratio to reach, per route. Absent where there is nothing to reach. */
  readonly limits?: Readonly<Record<RouteName, number>>
}

/** Systems whose processes take turns on one core. */
export interface Group {
  readonly pairs: readonly Pair[]
  /** It runs in two processes. If they differ, the group has no verdicts. */
  readonly twin: SystemName
  /** The requests at the same time: 1 where nobody waits. */
  readonly inFlight: number
}

const COOKIES_AND_MEMORY: Group = {
  twin: 'secure-session',
  inFlight: 1,
  pairs: [
    { system: 'signed', peer: 'sketch' },
    {
      system: 'signed',
      peer: 'secure-session',
      limits: { untouched: 0.06, read: 0.72, write: 0.58, login: 0.48 }
    },
    { system: 'signed-schema', peer: 'signed' },
    { system: 'signed-revocations', peer: 'signed' },
    { system: 'signed-bound', peer: 'signed' },
    { system: 'signed-unbound', peer: 'signed' },
    {
      system: 'encrypted',
      peer: 'secure-session',
      limits: { untouched: 0.06, read: 0.85, write: 0.8, login: 0.7 }
    },
    {
      system: 'memory',
      peer: 'fastify-session',
      limits: { untouched: 0.04, read: 0.18, write: 0.2, login: 0.26 }
    }
  ]
}

const REDIS_LIMITS = { untouched: 0.5, read: 0.55, write: 0.5, login: 0.6 }

const REDIS: Group = {
  twin: 'fastify-session-redis',
  inFlight: 50,
  pairs: [
    { system: 'redis', peer: 'fastify-session-redis', limits: REDIS_LIMITS },
    { system: 'ioredis', peer: 'fastify-session-ioredis', limits: REDIS_LIMITS }
  ]
}

/** Signed against the sketch, in instructions. Untouched: above the bare server. */
export const INSTRUCTION_LIMITS: Readonly<Record<RouteName, number>> = {
  untouched: 2000,
  read: 1.3,
  write: 1.3,
  login: 1.25
}

export const BASIC: Setting = { payload: 'small', foreignCookies: 2, logger: false }

/** A table of the report. */
export interface Table {
  readonly title: string
  readonly setting: Setting
  readonly groups: readonly Group[]
}

export const DEFAULT_TABLE: Table = {
  title: '200 bytes of data',
  setting: BASIC,
  groups: [COOKIES_AND_MEMORY, REDIS]
}

export const ALL_TABLES: readonly Table[] = [
  DEFAULT_TABLE,
  { title: '2 KB of data', setting: { ...BASIC, payload: 'large' }, groups: [COOKIES_AND_MEMORY, REDIS] },
  { title: '20 foreign cookies', setting: { ...BASIC, foreignCookies: 20 }, groups: [COOKIES_AND_MEMORY] },
  { title: 'with a logger', setting: { ...BASIC, logger: true }, groups: [COOKIES_AND_MEMORY] }
]
