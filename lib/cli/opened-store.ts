import type { SessionStore } from '../../types/store.ts'

/** A store that a command has opened, with what only such a command does. */
export interface OpenedStore {
  readonly store: SessionStore
  /** Creates or updates the table. Undefined if the store has none. */
  readonly migrate?: () => Promise<void>
  /** Removes expired sessions and returns how many. Undefined if the store does so itself. */
  readonly prune?: () => Promise<number>
  close(): Promise<unknown>
}

/** What `--store` and its companions say. */
export interface StoreAddress {
  /** The address behind the scheme of the option `--store`; for clients that take a URL, the URL. */
  readonly address: string
  readonly table: string | undefined
  readonly schema: string | undefined
  readonly prefix: string | undefined
  /** Whether the command may create what the address names. */
  readonly mayCreate: boolean
  readonly clock: () => number
}
