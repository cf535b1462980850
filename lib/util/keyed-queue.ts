import type { MaybePromise } from '../../types/store.ts'

/** A `Map` or a `WeakMap`. The queue keeps nothing about a key that is idle. */
interface Tails<Key> {
  get(key: Key): Promise<void> | undefined
  set(key: Key, tail: Promise<void>): unknown
  delete(key: Key): boolean
}

/**
 * Runs the steps of one key one after another, in the order of the calls. Steps of different keys do not wait for each other.
 *
 * A step must not wait for another step of its own key: that one starts only when the first has ended.
 */
export class KeyedQueue<Key = string> {
  readonly #longestStep: number | undefined
  /** For each busy key, a promise that resolves when its last step has ended. */
  readonly #tails: Tails<Key>

  /**
   * `longestStep`: after how many milliseconds the next step starts although this one has not ended. Without it, a step that
   * never ends blocks its key for ever. `tails`: where the queue keeps what it knows of busy keys; a `WeakMap` where a key must not
   * stay in memory because of a step that never ends.
   */
  constructor(longestStep?: number, tails: Tails<Key> = new Map()) {
    this.#longestStep = longestStep
    this.#tails = tails
  }

  /**
   * Returns what `step` returns, or fails as it fails. If the key is idle, the step starts before `run` returns, and a result
   * that is there at once comes without a promise.
   */
  run<T>(key: Key, step: () => Promise<T>): Promise<T>
  run<T>(key: Key, step: () => MaybePromise<T>): MaybePromise<T>
  run<T>(key: Key, step: () => MaybePromise<T>): MaybePromise<T> {
    const previous = this.#tails.get(key)
    if (previous !== undefined) return this.#watch(key, (start) => previous.then(() => start(step())))
    const result = step()
    return result instanceof Promise ? this.#watch(key, (start) => start(result)) : result
  }

  /** Keeps the key busy until the step has ended. `begin` passes the step to its argument when it has started. */
  #watch<T>(key: Key, begin: (start: (step: MaybePromise<T>) => MaybePromise<T>) => MaybePromise<T>): Promise<T> {
    let release!: () => void
    const tail = new Promise<void>((resolve) => {
      release = resolve
    })
    this.#tails.set(key, tail)
    const end = (): void => {
      release()
      if (this.#tails.get(key) === tail) this.#tails.delete(key)
    }
    let timer: NodeJS.Timeout | undefined
    const start = (step: MaybePromise<T>): MaybePromise<T> => {
      if (this.#longestStep !== undefined) timer = setTimeout(end, this.#longestStep).unref()
      return step
    }
    return Promise.resolve(begin(start)).finally(() => {
      clearTimeout(timer)
      end()
    })
  }
}
