import { hash } from 'node:crypto'
import type { MaybePromise, SessionRecord, SessionStore } from '../../types/store.ts'
import { chain } from '../util/maybe-async.ts'

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

  /** `successor`: the key of the same login after the change of its id, if it had an owner and keeps it. */
  add(key: string, successor: string | undefined): MaybePromise<unknown> {
    if (this.#grace === 0) return undefined
    const at = this.#now()
    const record: SessionRecord = {
      json: JSON.stringify({ successor }),
      createdAt: at,
      lastSeenAt: at,
      permanent: false,
      ownerId: undefined,
      description: undefined
    }
    return this.#store.create(tombstoneOf(key), record, at + this.#grace)
  }

  has(key: string): MaybePromise<boolean> {
    if (this.#grace === 0) return false
    return chain(this.#store.load(tombstoneOf(key)), (record) => record !== undefined)
  }

  /** Returns the key that the login under an old key has now; undefined if it has none that is known. */
  successorOf(key: string): MaybePromise<string | undefined> {
    if (this.#grace === 0) return undefined
    return chain(this.#store.load(tombstoneOf(key)), (record) => {
      const next: string | undefined = record && JSON.parse(record.json).successor
      return next && chain(this.successorOf(next), (last) => last ?? next)
    })
  }
}

/** Returns the key of the tombstone of a key. */
export function tombstoneOf(key: string): string {
  return hash('sha256', `renamed ${key}`, 'base64url')
}
