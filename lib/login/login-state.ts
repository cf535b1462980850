import type { RequestSession } from '../session.ts'

/** The member of a session that says who is logged in. */
export const LOGIN_KEY = 'login'

/** What a session knows of a login. */
export interface LoginState {
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

/** What the data of a session say, or undefined when nobody is logged in. */
export function readLogin(data: object): LoginState | undefined {
  const state: unknown = (data as { readonly [LOGIN_KEY]?: unknown })[LOGIN_KEY]
  const isLogin = typeof state === 'object' && state !== null && typeof (state as { id?: unknown }).id === 'string'
  return isLogin ? (state as LoginState) : undefined
}

/** Members that are undefined are left out, because JSON has none. */
export function writeLogin(
  session: RequestSession,
  state: { readonly [Key in keyof LoginState]: LoginState[Key] | undefined }
): void {
  session.set(LOGIN_KEY, Object.fromEntries(Object.entries(state).filter(([, value]) => value !== undefined)))
}
