import { LOGIN } from '../data/own-keys.ts'
import type { RequestSession } from '../request/session.ts'
import { plainAddress } from '../util/plain-address.ts'
import { digest } from './digest.ts'

/** What a session holds about a login. */
export interface LoginState {
  /** The id of the user, who is also the owner of the session. */
  readonly id: string
  /** When the user last proved their identity in this session, in seconds since 1970. Absent if they did not. */
  readonly at?: number
  /** A digest of what the option `authHash` returned. */
  readonly hash?: string
  /** A digest of the client that logged in. */
  readonly client?: string
  /** The key of the series that remembers this login. It does not open the series. */
  readonly series?: string
  /** When the user logged in with this series, in seconds since 1970. */
  readonly since?: number
}

/** A login to write. Members that are undefined are left out, because JSON cannot hold them. */
export type LoginMembers = { readonly [Key in keyof LoginState]: LoginState[Key] | undefined } & Pick<LoginState, 'id'>

/**
 * Returns the login that a session holds. Only the owner of the session can be logged in: other data under the same name, or
 * another owner, log nobody in.
 */
export function readLogin(data: object, ownerId: string | undefined): LoginState | undefined {
  const { [LOGIN]: state } = data as { readonly [LOGIN]?: LoginState | null }
  return ownerId !== undefined && state?.id === ownerId ? state : undefined
}

/** Writes a login to a session. */
export function writeLogin(session: RequestSession, members: LoginMembers): void {
  session.set(LOGIN, loginData(members)[LOGIN])
}

/** Returns a login as data of a session. */
export function loginData(members: LoginMembers): Record<string, object> {
  const known = Object.entries(members).filter(([, value]) => value !== undefined)
  return { [LOGIN]: Object.fromEntries(known) }
}

/** Returns a digest of a client, which tells it apart from other clients. */
export function clientOf(ip: string | undefined, userAgent = ''): string {
  return digest(plainAddress(ip), userAgent)
}
