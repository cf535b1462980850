import type { StoreCall } from '../../../types/store.ts'

/** A client that has given up on a command without a deadline may still have it in a queue for this long. */
const AFTER_FAILURE_MILLISECONDS = 60_000

/**
 * Numbers the commands of one store, and knows for each key which of them the client may still send again. Those for other keys do
 * not matter: otherwise one command without an answer would make Redis keep, and search, all marks on all keys.
 */
export class CommandNumbers {
  /** For each key the open commands, in the order of their numbers, and when to forget each by `performance.now()`. */
  readonly #open: Map<string, Map<number, number>> = new Map()
  /** The keys of failed commands, in the order in which they have failed. */
  readonly #failed: Map<number, string> = new Map()
  #last = 0

  /** How many keys have open commands. */
  get size(): number {
    return this.#open.size
  }

  /** `name`: that of the key. */
  begin(name: string): number {
    this.#forgetFailed()
    const numbers = this.#open.get(name) ?? new Map()
    this.#open.set(name, numbers.set(++this.#last, Number.POSITIVE_INFINITY))
    return this.#last
  }

  /** The command has its answer: nobody sends it again. */
  settle(name: string, number: number): void {
    const numbers = this.#open.get(name)
    numbers?.delete(number)
    if (numbers?.size === 0) this.#open.delete(name)
  }

  /**
   * The command has failed. A client that gives up by a timer (`commandTimeout` of ioredis) keeps it in its queue. After its
   * deadline, Redis refuses it whether or not it knows the mark.
   */
  fail(name: string, number: number, call: StoreCall | undefined): void {
    this.#open.get(name)?.set(number, call?.deadline ?? performance.now() + AFTER_FAILURE_MILLISECONDS)
    this.#failed.set(number, name)
  }

  /** The lowest number of a command for the key that may still be sent. */
  lowest(name: string): number {
    const now = performance.now()
    for (const [number, until] of this.#open.get(name) ?? []) {
      if (until > now) return number
      this.settle(name, number)
    }
    return this.#last + 1
  }

  #forgetFailed(): void {
    const now = performance.now()
    for (const [number, name] of this.#failed) {
      if ((this.#open.get(name)?.get(number) ?? now) > now) return
      this.#failed.delete(number)
      this.settle(name, number)
    }
  }
}
