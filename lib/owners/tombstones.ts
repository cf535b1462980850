import { hash } from 'node:crypto'
import type { MaybePromise, SessionStore } from '../../types/store.ts'
import { applyChanges } from '../data/json-members.ts'
import { createNote } from '../data/no-session.ts'
import { parseStored } from '../data/storable.ts'
import { unlessUnreadable } from '../errors.ts'
import { rescue } from '../util/maybe-async.ts'

/**
 * What the store has for a while of a key whose session has another key now: a record without an owner, under a hash of the old
 * key. It opens nothing. A browser may send the old id until it has the new cookie, and such a request must not begin a session
 * whose cookie replaces the new one.
 *
 * The tombstone is there before the record under the old key ends, so that no request finds neither of them.
 */
export class Tombstones {
  readonly #store: SessionStore
  readonly #grace: number
  readonly #now: () => number

  /** `grace`: for how many seconds a tombstone stays; 0 for none. `now` returns seconds since 1970. */
  constructor(store: SessionStore, grace: number, now: () => number) {
    this.#store = store
    this.#grace = grace
    this.#now = now
  }

  /**
   * `successor`: the key of the same login after the change of its id, if it had an owner and keeps it. Of requests that change it
   * at once, one succeeds; the tombstone names the keys of all, because nobody can tell here which one that will be.
   */
  async add(key: string, successor: string | undefined): Promise<void> {
    if (this.#grace === 0) return
    const at = this.#now()
    const set: Record<string, string> = successor === undefined ? {} : { [successor]: 'true' }
    const record = createNote(at, applyChanges('{}', { set, unset: [] }))
    const [tombstone, last] = [tombstoneOf(key), at + this.#grace]
    if ((await this.#store.create(tombstone, record, last)) !== true) {
      await this.#store.commit(tombstone, { set, unset: [] }, last)
    }
  }

  /** Whether there is a note. It counts, although nobody can read it. */
  has(key: string): MaybePromise<boolean> {
    if (this.#grace === 0) return false
    return rescue(
      () => this.#store.load(tombstoneOf(key)),
      (record) => record !== undefined,
      (error) => unlessUnreadable(error) ?? true
    )
  }

  /** Returns the keys that the login under an old key may have now, the oldest first. */
  async successorsOf(key: string): Promise<readonly string[]> {
    const next = this.#grace === 0 ? [] : await this.#nextOf(key)
    const later = await Promise.all(next.map((key) => this.successorsOf(key)))
    return [...next, ...later.flat()]
  }

  async #nextOf(key: string): Promise<readonly string[]> {
    try {
      const record = await this.#store.load(tombstoneOf(key))
      return Object.keys(parseStored(record?.json ?? '{}'))
    } catch (error) {
      return unlessUnreadable(error) ?? []
    }
  }
}

/** Returns the key of the tombstone of a key. */
export function tombstoneOf(key: string): string {
  return hash('sha256', `renamed ${key}`, 'base64url')
}
