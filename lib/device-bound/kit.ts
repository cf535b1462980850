import type { FastifyRequest } from 'fastify'
import type { SessionContext } from '../request/session-context.ts'
import type { Challenges } from './challenges.ts'
import type { DeviceBoundSettings } from './options.ts'
import type { ShortCookie } from './short-cookie.ts'

/** What all requests of an application share. */
export interface DeviceKit {
  readonly settings: DeviceBoundSettings
  readonly context: SessionContext
  readonly challenges: Challenges
  readonly cookie: ShortCookie
  /** Returns the path of a route, as the browser sees it. */
  pathOf(request: FastifyRequest, name: 'register' | 'refresh'): string
  /** Returns seconds since 1970. */
  now(): number
}
