import { ACTING } from '../data/own-keys.ts'
import type { ActingFacts, ActingMac } from './acting-mac.ts'
import type { LoginState } from './login-state.ts'

/** What a session holds about an impersonation. The login beside it is that of the impersonator, who owns the session. */
export interface Acting extends ActingFacts {
  /** Says that the kit has written the facts. */
  readonly mac: string
  /** The data of the impersonator's session, until the impersonation ends. */
  readonly kept: Readonly<Record<string, unknown>>
}

/** Returns the impersonation that a session holds. Only whoever began it goes on with it. */
export function readActing(data: object, login: LoginState | undefined, macs: ActingMac): Acting | undefined {
  const { [ACTING]: acting } = data as { readonly [ACTING]?: Acting | null }
  if (!acting || acting.by !== login?.id) return undefined
  return macs.verify(acting, acting.mac) ? acting : undefined
}

/** Whether an impersonation was left alone for too long. `limit`: seconds. */
export function isLeftAlone({ seenAt }: Acting, limit: number, now: number): boolean {
  return now - seenAt > limit
}

/** Whether its use is to be noted again: not with each request, which would send a cookie each time. */
export function isNoteDue({ seenAt }: Acting, limit: number, now: number): boolean {
  return now - seenAt >= Math.max(1, Math.floor(limit / 10))
}
