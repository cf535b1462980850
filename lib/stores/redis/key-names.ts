import { createHash } from 'node:crypto'

/** The names of keys in Redis. */
export class KeyNames {
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  ofRecord(key: string): string {
    return `${this.#prefix}${key}`
  }

  /** Of a key that does not exist, and leads to a node. */
  ofTag(tag: string): string {
    return `${this.#prefix}${tag}`
  }

  /** Of messages. */
  ofChannel(): string {
    return `${this.#prefix}endings`
  }

  /**
   * The owner is hashed: a hash tag (braces) in an id would decide the slot in a cluster, and key names must not reveal owners.
   */
  ofIndex(owner: string): string {
    return `${this.#prefix}owner:${createHash('sha256').update(owner).digest('base64url')}`
  }
}
