import type { GuardedStore, StoreOperation } from '../stores/guarded.ts'

/** How long a store that is down is left alone, in milliseconds. Also how much later than its deadline no call can be applied. */
const PAUSE = 1000
/** How many records are remembered. The oldest stay until they expire. */
const MOST = 1000

/**
 * Takes back what operations have done of which only a part is known to have succeeded, when the store answers again. Their requests
 * have answered 503, and no browser has the cookie of a session that they created.
 *
 * It works on one operation at a time, so that a store that comes back is not flooded.
 */
export class Undo {
  readonly #store: GuardedStore
  readonly #keys: Set<string> = new Set()
  #timer: NodeJS.Timeout | undefined

  constructor(store: GuardedStore) {
    this.#store = store
  }

  /** The record at `key` must not stay. */
  removal(operation: StoreOperation, key: string): void {
    this.#keys.add(key)
    if (this.#keys.size > MOST) for (const oldest of this.#keys) return void this.#keys.delete(oldest)
    this.#timer ??= this.#wait(operation.timeLeft + PAUSE)
  }

  #wait(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#run(), milliseconds).unref()
  }

  async #run(): Promise<void> {
    try {
      for (const key of this.#keys) {
        await this.#store.destroy(key)
        this.#keys.delete(key)
      }
      this.#timer = undefined
    } catch {
      // The store is still down.
      this.#timer = this.#wait(PAUSE)
    }
  }
}
