/**
 * A map that keeps its most recent entries, in two generations. When the younger one is full it becomes the older, and the older one
 * is dropped. A hit in the older generation moves the entry to the younger; a hit in the younger changes nothing, which is cheap.
 */
export class BoundedMap<T extends object | string> {
  readonly #size: number
  #younger: Map<string, T> = new Map()
  #older: Map<string, T> = new Map()

  /** `size`: of a generation. The map keeps at least the last `size` entries that were used, and never more than twice as many. */
  constructor(size: number) {
    this.#size = size
  }

  get(key: string): T | undefined {
    const found = this.#younger.get(key)
    if (found !== undefined) return found
    const older = this.#older.get(key)
    if (older !== undefined) this.set(key, older)
    return older
  }

  set(key: string, value: T): void {
    if (this.#younger.size >= this.#size && !this.#younger.has(key)) {
      this.#older = this.#younger
      this.#younger = new Map()
    }
    this.#younger.set(key, value)
  }

  delete(key: string): void {
    this.#younger.delete(key)
    this.#older.delete(key)
  }
}
