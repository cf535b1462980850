/**
 * What was found out lately, in two generations: when the younger is full it becomes the older, and what was the older is
 * forgotten. So a hit changes nothing, unless it is in the older one, from where it moves to the younger.
 */
export class BoundedMap<T extends object | string> {
  readonly #size: number
  #younger: Map<string, T> = new Map()
  #older: Map<string, T> = new Map()

  /** `size`: of a generation. */
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
    if (this.#younger.size >= this.#size) {
      this.#older = this.#younger
      this.#younger = new Map()
    }
    this.#younger.set(key, value)
  }
}
