import type {
  Answer,
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoredRecord
} from '../../types/store.ts'
import { StoreUnavailableError, unavailableError } from '../errors.ts'
import { Deadline } from './deadline.ts'

/**
 * A store as the rest of the library sees it: every call has a deadline, and whatever goes wrong is one error, which answers 503
 * with `Retry-After`. What the store threw is its `cause`.
 */
export class GuardedStore implements SessionStore {
  readonly #store: SessionStore
  readonly #deadline: Deadline

  /** `timeout`: seconds. */
  constructor(store: SessionStore, timeout: number) {
    this.#store = store
    this.#deadline = new Deadline(timeout * 1000)
  }

  create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit): Answer<CreateResult> {
    return this.#guard(() => this.#store.create(key, record, expiresAt, limit))
  }

  load(key: string): Answer<StoredRecord | undefined> {
    return this.#guard(() => this.#store.load(key))
  }

  commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): Answer<CommitResult> {
    return this.#guard(() => this.#store.commit(key, changes, expiresAt, version))
  }

  touch(key: string, expiresAt: number, seenAt?: number): Answer<boolean> {
    return this.#guard(() => this.#store.touch(key, expiresAt, seenAt))
  }

  destroy(key: string): Answer<void> {
    return this.#guard(() => this.#store.destroy(key))
  }

  list(ownerId: string): Answer<StoredRecord[]> {
    return this.#guard(() => this.#store.list(ownerId))
  }

  destroyAll(ownerId: string, exceptKey?: string): Answer<number> {
    return this.#guard(() => this.#store.destroyAll(ownerId, exceptKey))
  }

  #guard<T>(call: () => Answer<T>): Answer<T> {
    try {
      const answer = call()
      return isPromise(answer) ? this.#deadline.race(answer, toError) : answer
    } catch (cause) {
      throw toError(cause)
    }
  }
}

/** Not by `instanceof`: those of other realms and of libraries are promises, too. */
function isPromise<T>(answer: Answer<T>): answer is Promise<T> {
  return typeof (answer as { then?: unknown } | undefined)?.then === 'function'
}

/** What a store refuses for a reason of its own, such as a session that is too large, is no outage. */
function toError(cause: unknown): Error {
  if (!(cause instanceof Error) || cause instanceof StoreUnavailableError) return unavailableError(cause)
  return 'code' in cause && String(cause.code).startsWith('ERR_SESSION_') ? cause : unavailableError(cause)
}
