import { ACTING } from '../data/own-keys.ts'
import type { LoginState } from './login-state.ts'

/** What a session holds about an impersonation. The login beside it is that of the impersonator, who owns the session. */
export interface Acting {
  /** The id of the user as whom the impersonator acts. */
  readonly id: string
  /** The id of the impersonator. */
  readonly by: string
  /** A digest of what the option `authHash` returned for the user. */
  readonly hash?: string
  /** When the impersonation was last used, in seconds since 1970. */
  readonly seenAt: number
  /** The data of the impersonator's session, until the impersonation ends. */
  readonly kept: Readonly<Record<string, unknown>>
}

/** Returns the impersonation that a session holds. Only whoever began it goes on with it. */
export function readActing(data: object, login: LoginState | undefined): Acting | undefined {
  const { [ACTING]: acting } = data as { readonly [ACTING]?: Acting | null }
  return login !== undefined && acting?.by === login.id ? acting : undefined
}

/** Whether an impersonation was left alone for too long. `limit`: seconds. */
export function isLeftAlone({ seenAt }: Acting, limit: number, now: number): boolean {
  return now - seenAt > limit
}

/** Whether its use is to be noted again: not with each request, which would send a cookie each time. */
export function isNoteDue({ seenAt }: Acting, limit: number, now: number): boolean {
  return now - seenAt >= Math.max(1, Math.floor(limit / 10))
}
