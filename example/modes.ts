import type { RevocableSessionOptions, SessionStore, StoredSessionOptions } from 'fastify-typed-session'
import { MemoryRevocations } from 'fastify-typed-session'
import { describeBrowser } from './describe-browser.ts'

/** One kind of session. */
export interface Mode {
  readonly name: 'signed' | 'encrypted' | 'stored'
  readonly title: string
  readonly summary: string
  /** Whether the server stores the sessions, so that it can list and remember them. */
  readonly isStored: boolean
  /** The options of the plugin that make this kind. `clock`: returns milliseconds since 1970. */
  options(store: SessionStore, clock: () => number): RevocableSessionOptions | StoredSessionOptions
}

export const MODES: readonly Mode[] = [
  {
    name: 'signed',
    title: 'Signed',
    summary: 'The data is in the cookie. Anybody who has the cookie can read it; nobody can change it.',
    isStored: false,
    // A list of what has ended early, in the memory of this one process.
    options: (_store, clock) => ({ revocations: new MemoryRevocations({ clock }) })
  },
  {
    name: 'encrypted',
    title: 'Encrypted',
    summary: 'The data is in the cookie, encrypted. Nobody can read or change it without the secret.',
    isStored: false,
    options: (_store, clock) => ({ encrypt: true, revocations: new MemoryRevocations({ clock }) })
  },
  {
    name: 'stored',
    title: 'Stored',
    summary: 'The data is on the server, encrypted; the cookie holds an id. So the server can list the sessions.',
    isStored: true,
    options: (store) => ({ store, encrypt: true, describe: describeBrowser })
  }
]
