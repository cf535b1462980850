/**
 * A member of an object that nobody sees who has not this one here: what parts of the package put behind `app.sessions` for each
 * other, and no application may come to use.
 */
export class Hidden<Value extends object> {
  readonly #key: symbol = Symbol('hidden')

  put(holder: object, value: Value): void {
    Object.defineProperty(holder, this.#key, { value })
  }

  /** Undefined for whatever nothing was put behind. */
  get(holder: unknown): Value | undefined {
    // Only `put` knows the symbol.
    return Reflect.get(Object(holder), this.#key) as Value | undefined
  }
}
