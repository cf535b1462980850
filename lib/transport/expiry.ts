import type { OpenRefusal } from '../../types/diagnostics.ts'

/** How far another server's clock may be ahead of ours, in seconds. */
const CLOCK_SKEW = 60

/** Seconds since 1970. */
export interface Times {
  readonly createdAt: number
  /** When activity was last noted. */
  readonly lastSeenAt: number
}

/** Seconds. */
export interface Timeouts {
  readonly idleTimeout: number
  readonly absoluteTimeout: number
}

/** Why a session is over, or has not begun; undefined for one that is alive. It is alive at its last second, gone at the next. */
export function checkExpiry(times: Times, timeouts: Timeouts, now: number): OpenRefusal | undefined {
  if (Math.max(times.createdAt, times.lastSeenAt) > now + CLOCK_SKEW) return 'not-yet-valid'
  if (now - times.createdAt > timeouts.absoluteTimeout) return 'expired-absolute'
  if (now - times.lastSeenAt > timeouts.idleTimeout) return 'expired-idle'
  return undefined
}

/** The last second of a session that sees no more activity. */
export function expiresAt({ createdAt, lastSeenAt }: Times, { idleTimeout, absoluteTimeout }: Timeouts): number {
  return Math.min(lastSeenAt + idleTimeout, createdAt + absoluteTimeout)
}
