/** How many entries each new one makes look at. More than it adds, so that what is over cannot pile up. */
const PER_ENTRY = 4

/**
 * A map whose entries are over after a second. It looks at a few of them at a time: a look at a million would hold up requests.
 */
export class SweptMap<V> {
  readonly #entries: Map<string, V> = new Map()
  readonly #untilOf: (value: V) => number
  #cursor: MapIterator<[string, V]> = this.#entries.entries()

  /** `untilOf`: the last second of an entry. */
  constructor(untilOf: (value: V) => number) {
    this.#untilOf = untilOf
  }

  /** With those that are over and not removed yet. */
  get size(): number {
    return this.#entries.size
  }

  get(key: string): V | undefined {
    return this.#entries.get(key)
  }

  set(key: string, value: V, now: number): void {
    this.#entries.set(key, value)
    this.sweep(now, PER_ENTRY)
  }

  /** Removes what is over among the next entries, as many as `count`. It begins again after the last one. */
  sweep(now: number, count: number): void {
    for (let left = count; left > 0; left--) {
      const { value: entry } = this.#cursor.next()
      if (entry === undefined) {
        this.#cursor = this.#entries.entries()
        return
      }
      const [key, value] = entry
      if (this.#untilOf(value) < now) this.#entries.delete(key)
    }
  }
}
