/** What is noted of a request that never ends is forgotten when this many came after it. */
const MAX_NOTED = 10_000

/**
 * Sessions that have a new id which their store does not know yet: from `renew()` until the session is saved. Whoever passes the
 * new handle on in the meantime, to `app.sessions` for example, means the record under the old one.
 */
export class HandleAliases {
  readonly #old: Map<string, string> = new Map()

  note(handle: string, oldHandle: string): void {
    this.#old.set(handle, oldHandle)
    if (this.#old.size <= MAX_NOTED) return
    const [oldest] = this.#old.keys()
    this.#old.delete(oldest as string)
  }

  /** The new handle is known from now on. */
  forget(handle: string): void {
    this.#old.delete(handle)
  }

  /** The handle under which the store has the session. */
  resolve(handle: string): string {
    return this.#old.get(handle) ?? handle
  }
}
