import { hash } from 'node:crypto'
import type { MaybePromise, SessionStore } from '../../types/store.ts'
import { createNote } from '../data/no-session.ts'
import { chain } from '../util/maybe-async.ts'

/**
 * What is known of the sessions of other libraries that have become sessions of ours, so that none does so again after its end. A
 * session is named by a digest that only the server can compute. Times are seconds since 1970.
 */
export interface AdoptionMarks {
  /** When the session was marked; 0 if that is not known, undefined if it was not. */
  since(digest: Buffer): MaybePromise<number | undefined>
  /** Marks a session that has just been adopted. Returns false if it was marked before. */
  claim(digest: Buffer, until: number): MaybePromise<boolean>
  /** Marks a session that is not to be adopted any more. */
  bar(digest: Buffer, until: number): MaybePromise<void>
}

/** Where the data are in cookies and nothing is remembered, old cookies are removed, and that is all that can be done. */
export const NO_MARKS: AdoptionMarks = {
  since: () => undefined,
  claim: () => true,
  bar: () => {}
}

/** Marks in the store of the sessions: records without an owner, under a hash. They open nothing. */
export class StoredMarks implements AdoptionMarks {
  readonly #store: SessionStore
  readonly #now: () => number

  /** `now` returns seconds since 1970. */
  constructor(store: SessionStore, now: () => number) {
    this.#store = store
    this.#now = now
  }

  since(digest: Buffer): MaybePromise<number | undefined> {
    return chain(this.#store.load(keyOf(digest)), (record) => record?.createdAt)
  }

  claim(digest: Buffer, until: number): MaybePromise<boolean> {
    const note = createNote(this.#now())
    return chain(this.#store.create(keyOf(digest), note, until), (result) => result === true)
  }

  bar(digest: Buffer, until: number): MaybePromise<void> {
    return chain(this.claim(digest, until), () => undefined)
  }
}

function keyOf(digest: Buffer): string {
  return hash('sha256', `adopted ${digest.toString('base64url')}`, 'base64url')
}
