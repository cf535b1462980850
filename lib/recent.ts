/**
 * What was found out about texts that came lately. Two generations of texts: when the younger is full it becomes the older,
 * and what was the older is forgotten. A text that is asked for again stays.
 */
export class Recent<T extends object> {
  readonly #size: number
  #younger: Map<string, T> = new Map()
  #older: Map<string, T> = new Map()

  /** `size`: of a generation. */
  constructor(size: number) {
    this.#size = size
  }

  get(text: string): T | undefined {
    const found = this.#younger.get(text)
    if (found !== undefined) return found
    const older = this.#older.get(text)
    if (older !== undefined) this.set(text, older)
    return older
  }

  /** `text`: ASCII. */
  set(text: string, found: T): void {
    if (this.#younger.size >= this.#size) {
      this.#older = this.#younger
      this.#younger = new Map()
    }
    this.#younger.set(detach(text), found)
  }
}

/** A part of a text keeps all of it in memory; a copy does not. */
export function detach(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}
