import type { MaybePromise } from '../../types/store.ts'

/**
 * Runs the steps of one key one after another, in the order of the calls. Steps of different keys do not wait for each other.
 *
 * A step must not wait for another step of its own key: that one starts only when the first has ended.
 */
export class KeyedQueue {
  readonly #longestStep: number | undefined
  /** For each busy key, a promise that resolves when its last step has ended. */
  readonly #tails: Map<string, Promise<void>> = new Map()

  /**
   * `longestStep`: after how many milliseconds the next step starts although this one has not ended. Without it, a step that
   * never ends blocks its key for ever.
   */
  constructor(longestStep?: number) {
    this.#longestStep = longestStep
  }

  /** How many keys are busy. The queue keeps nothing about a key that is idle. */
  get size(): number {
    return this.#tails.size
  }

  /** Returns what `step` returns, or rejects with what it throws. If the key is idle, the step starts before `run` returns. */
  async run<T>(key: string, step: () => MaybePromise<T>): Promise<T> {
    const previous = this.#tails.get(key)
    let release!: () => void
    const tail = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#tails.set(key, tail)
    const end = (): void => {
      release()
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
    if (previous !== undefined) await previous
    const timer = this.#longestStep === undefined ? undefined : setTimeout(end, this.#longestStep).unref()
    try {
      return await step()
    } finally {
      clearTimeout(timer)
      end()
    }
  }
}
