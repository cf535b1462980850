import { BoundedMap } from '../util/bounded-map.ts'

/** A request that never ends leaves its alias behind, until this many others have come. */
const MAX_ALIASES = 5000

/**
 * The handles of sessions that have a new id which their store does not know yet: from `renew()` until the session is saved. An
 * application that passes the new handle to `app.sessions` in the meantime means the record under the old one.
 */
export class HandleAliases {
  readonly #old: BoundedMap<string> = new BoundedMap(MAX_ALIASES)

  note(handle: string, oldHandle: string): void {
    this.#old.set(handle, oldHandle)
  }

  /** The store knows the new handle from now on. */
  forget(handle: string): void {
    this.#old.delete(handle)
  }

  /** Returns the handle under which the store has the session. */
  resolve(handle: string): string {
    return this.#old.get(handle) ?? handle
  }
}
