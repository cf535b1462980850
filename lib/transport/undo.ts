import type { SessionStore, StoredRecord } from '../../types/store.ts'
import type { GuardedStore, StoreOperation } from '../stores/guarded.ts'

/** How long a store that is down is left alone, in milliseconds. Also how much later than its deadline no call can be applied. */
const PAUSE = 1000
/** How many operations are remembered. What the oldest may have left behind stays until it expires. */
const MOST = 1000

type Step = (store: SessionStore) => Promise<void>

/**
 * Takes back what operations have done of which only a part is known to have succeeded, when the store answers again. Their requests
 * have answered 503, and no browser has the cookie of a session that they created.
 *
 * It works on one operation at a time, so that a store that comes back is not flooded.
 */
export class Undo {
  readonly #store: GuardedStore
  readonly #steps: Set<Step> = new Set()
  #timer: NodeJS.Timeout | undefined

  constructor(store: GuardedStore) {
    this.#store = store
  }

  /** The record at `key` must not stay. */
  removal(operation: StoreOperation, key: string): void {
    this.#later(operation, async (store) => store.destroy(key))
  }

  /**
   * The record at `newKey` may have taken the place of `old`, which may have ended. `isRestored`: whether `old` comes back then.
   * It does not if another request has ended the new one: that was meant for the session under either id.
   */
  succession(operation: StoreOperation, old: StoredRecord, newKey: string, isRestored: boolean): void {
    this.#later(operation, async (store) => {
      const hasEnded = (await store.load(old.key)) === undefined
      if (hasEnded && isRestored && (await store.load(newKey)) !== undefined) {
        await store.create(old.key, old, old.expiresAt)
      }
      await store.destroy(newKey)
    })
  }

  #later(operation: StoreOperation, step: Step): void {
    this.#steps.add(step)
    if (this.#steps.size > MOST) for (const oldest of this.#steps) return void this.#steps.delete(oldest)
    this.#timer ??= this.#wait(operation.timeLeft + PAUSE)
  }

  #wait(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => this.#run(), milliseconds).unref()
  }

  async #run(): Promise<void> {
    try {
      for (const step of this.#steps) {
        await step(this.#store.begin())
        this.#steps.delete(step)
      }
      this.#timer = undefined
    } catch {
      // The store is still down.
      this.#timer = this.#wait(PAUSE)
    }
  }
}
