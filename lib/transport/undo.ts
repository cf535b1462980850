import type { GuardedStore, StoreOperation } from '../stores/guarded.ts'

/** How long a store that is down is left alone, in milliseconds. Also how much later than its deadline no call can be applied. */
const PAUSE = 1000
/** How many records are remembered. The oldest stay until they expire. */
const MOST = 1000

/**
 * Takes back what operations have done of which only a part is known to have succeeded, when the store answers again. Their requests
 * have answered 503, and no browser has the cookie of a session that they created.
 *
 * It works on one record at a time, so that a store that comes back is not flooded.
 */
export class Undo {
  readonly #store: GuardedStore
  /** For each key, when no call that was under way can be applied to its record any more. */
  readonly #dueAt: Map<string, number> = new Map()
  #timer: NodeJS.Timeout | undefined

  constructor(store: GuardedStore) {
    this.#store = store
  }

  /** The record at `key` must not stay. */
  removal(operation: StoreOperation, key: string): void {
    const wait = operation.timeLeft + PAUSE
    this.#dueAt.set(key, performance.now() + wait)
    if (this.#dueAt.size > MOST) for (const oldest of this.#dueAt.keys()) return void this.#dueAt.delete(oldest)
    this.#timer ??= this.#wait(wait)
  }

  /** Nothing is taken back any more, because nobody uses the store. */
  close(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#dueAt.clear()
  }

  #wait(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#run(), milliseconds).unref()
  }

  async #run(): Promise<void> {
    try {
      for (const [key, dueAt] of this.#dueAt) {
        if (dueAt > performance.now()) continue
        await this.#store.destroy(key)
        this.#dueAt.delete(key)
      }
    } catch {
      // The store is still down.
    }
    this.#timer = this.#dueAt.size > 0 ? this.#wait(PAUSE) : undefined
  }
}
