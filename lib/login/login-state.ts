import type { RequestSession } from '../request/session.ts'
import { digest } from './digest.ts'

/** The member of a session that says who is logged in. */
const LOGIN_KEY = '_login'

/** What a session knows of a login. */
export interface LoginState {
  /** The user, who is the owner of the session, too. */
  readonly id: string
  /** When the user last proved who they are, in seconds since 1970; absent when that was not in this session. */
  readonly at?: number
  /** Digest of what the option `authHash` gave. */
  readonly hash?: string
  /** Digest of the client that logged in. */
  readonly client?: string
  /** The key of the series that remembers this login. It opens nothing. */
  readonly series?: string
}

/** The same to be written: what is undefined is left out, because JSON has none. */
export type LoginMembers = { readonly [Key in keyof LoginState]: LoginState[Key] | undefined } & Pick<LoginState, 'id'>

/**
 * Who is logged in, if anybody. Only the owner of the session can be: whatever else an application may put under that name, or
 * whomever else it may assign the session to, logs nobody in.
 */
export function readLogin(data: object, ownerId: string | undefined): LoginState | undefined {
  const { [LOGIN_KEY]: state } = data as { readonly [LOGIN_KEY]?: LoginState | null }
  return ownerId !== undefined && state?.id === ownerId ? state : undefined
}

export function writeLogin(session: RequestSession, members: LoginMembers): void {
  session.set(LOGIN_KEY, loginData(members)[LOGIN_KEY])
}

/** A login as data of a session. */
export function loginData(members: LoginMembers): Record<string, object> {
  const known = Object.entries(members).filter(([, value]) => value !== undefined)
  return { [LOGIN_KEY]: Object.fromEntries(known) }
}

/** A digest of a client, to tell it from others. */
export function clientOf(ip: string, userAgent = ''): string {
  return digest(ip, userAgent)
}
