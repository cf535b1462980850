import type { SessionOptions, SessionStore } from 'fastify-typed-session'
import type { Mode } from './modes.ts'

/** Seconds for which a session is kept that is to outlive the browser: 30 days. */
export const KEPT: number = 30 * 86_400

export interface SiteOptions {
  readonly mode: Mode
  readonly secret: string | undefined
  /** The store of the stored sessions. */
  readonly store: SessionStore
  /** Returns milliseconds since 1970. For tests. */
  readonly clock?: () => number
}

/** The options of the session that do not change with a deploy. */
export function sessionOptions({ mode, secret, store, clock = Date.now }: SiteOptions): SessionOptions {
  return {
    ...mode.options(store, clock),
    secret,
    clock,
    cookieName: cookieNameOf(mode, 'session'),
    // Short, so that you can watch the session end. With `refreshAfter: 0` every page counts as activity.
    idleTimeout: 5 * 60,
    // For who asks to stay logged in.
    maxIdleTimeout: KEPT,
    refreshAfter: 0
  }
}

type Kind = 'session' | 'staff'

/** The name of a cookie. Behind HTTPS it has a prefix, with which no other host of the domain can plant a cookie. */
export function cookieNameOf({ name }: Mode, kind: Kind): `${'__Host-' | ''}${Mode['name']}-${Kind}` {
  return `${process.env.NODE_ENV === 'production' ? '__Host-' : ''}${name}-${kind}`
}
