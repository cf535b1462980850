import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { Extensions } from '../format/extensions.ts'
import { mayHaveTimeouts, readTimeout } from '../format/timeouts.ts'

/** How far another server's clock may be ahead of ours, in seconds. */
const CLOCK_SKEW = 60

/** Seconds since 1970. */
export interface Times {
  readonly createdAt: number
  /** When activity was last noted. */
  readonly lastSeenAt: number
}

/** When a session was there, and what it says of its own timeouts. */
export interface Expiring extends Times {
  readonly extensions?: Extensions
}

/** Seconds. */
export interface Timeouts {
  readonly idleTimeout: number
  readonly absoluteTimeout: number
}

/** The timeouts of all sessions, and what each may have of its own. */
export interface TimeoutSettings extends Timeouts {
  readonly maxIdleTimeout: number
  readonly maxAbsoluteTimeout: number
}

/** The timeouts that hold for a session. A cap that is lower than when the session got its own holds for it, too. */
export function timeoutsOf(extensions: Extensions, settings: TimeoutSettings): Timeouts {
  if (!mayHaveTimeouts(extensions)) return settings
  const { idleTimeout, absoluteTimeout, maxIdleTimeout, maxAbsoluteTimeout } = settings
  return {
    idleTimeout: Math.min(readTimeout(extensions, 'idleTimeout') ?? idleTimeout, maxIdleTimeout),
    absoluteTimeout: Math.min(readTimeout(extensions, 'absoluteTimeout') ?? absoluteTimeout, maxAbsoluteTimeout)
  }
}

/** Why a session is over, or has not begun; undefined for one that is alive. It is alive at its last second, gone at the next. */
export function checkExpiry(session: Expiring, settings: TimeoutSettings, now: number): OpenRefusal | undefined {
  if (Math.max(session.createdAt, session.lastSeenAt) > now + CLOCK_SKEW) return 'not-yet-valid'
  const { idleTimeout, absoluteTimeout } = timeoutsOf(session.extensions, settings)
  if (now - session.createdAt > absoluteTimeout) return 'expired-absolute'
  if (now - session.lastSeenAt > idleTimeout) return 'expired-idle'
  return undefined
}

/** The last second of a session that sees no more activity. */
export function expiresAt(session: Expiring, settings: TimeoutSettings): number {
  return lastSecond(session, timeoutsOf(session.extensions, settings))
}

/** The same for given timeouts. */
export function lastSecond({ createdAt, lastSeenAt }: Times, { idleTimeout, absoluteTimeout }: Timeouts): number {
  return Math.min(lastSeenAt + idleTimeout, createdAt + absoluteTimeout)
}

/** The option `refreshAfter` for a session: ten times in an idle timeout of its own that is shorter than that of the options. */
export function refreshAfterOf(
  extensions: Extensions,
  settings: TimeoutSettings & { readonly refreshAfter: number }
): number {
  const { idleTimeout } = timeoutsOf(extensions, settings)
  return idleTimeout < settings.idleTimeout
    ? Math.min(settings.refreshAfter, Math.floor(idleTimeout / 10))
    : settings.refreshAfter
}
