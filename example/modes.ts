import type { CookieSessionOptions, SessionStore, StoredSessionOptions } from 'fastify-typed-session'
import { browserOf } from './browser-of.ts'

/** A way to keep sessions. */
export interface Mode {
  readonly name: 'signed' | 'encrypted' | 'stored'
  readonly title: string
  readonly summary: string
  /** Whether the server knows its sessions, and so can list, end and remember them. */
  readonly isStored: boolean
  /** All that the application says of it. */
  options(store: SessionStore): CookieSessionOptions | StoredSessionOptions
}

export const MODES: readonly Mode[] = [
  {
    name: 'signed',
    title: 'Signed',
    summary: 'The session travels in the cookie. Whoever has the cookie can read it, and nobody can change it.',
    isStored: false,
    options: () => ({})
  },
  {
    name: 'encrypted',
    title: 'Encrypted',
    summary: 'The session travels in the cookie, sealed. Nobody can read it or change it without the secret.',
    isStored: false,
    options: () => ({ encrypt: true })
  },
  {
    name: 'stored',
    title: 'Stored',
    summary: 'The session is on the server. The cookie has nothing but an id, so the server can end it.',
    isStored: true,
    options: (store) => ({ store, describe: ({ headers }) => ({ browser: browserOf(headers['user-agent']) }) })
  }
]
