import type { FastifyRequest } from 'fastify'
import type { OwnerSessions } from '../owners/sessions.ts'
import type { ActingMac } from './acting-mac.ts'
import type { LoginSettings } from './options.ts'
import type { Remember } from './remembered-browser.ts'

/** What all requests of an application share. */
export interface Kit {
  readonly settings: LoginSettings
  readonly sessions: OwnerSessions
  /** The option of the session: after so many seconds a guard loads the user again. */
  readonly freshness: number
  /** Undefined if the kit does not remember logins. */
  readonly remember: Remember | undefined
  /** Signs impersonations. */
  readonly macs: ActingMac
  /** Makes a request go on without its session. */
  setAside(request: FastifyRequest): void
  /** Whether a request has reached its preHandler hooks, and its reply has not begun. */
  isHandling(request: FastifyRequest): boolean
  /** Warns that `request.user` was read too early, at most once. */
  warnOfHaste(request: FastifyRequest): void
}
