import type {
  CommitResult,
  CreateResult,
  MaybePromise,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoreCall,
  StoredRecord,
  StoreStep
} from '../../types/store.ts'
import { StoreUnavailableError, unavailableError } from '../errors.ts'
import { isBoolean, isString } from '../util/check.ts'
import type { Allowance } from './deadline.ts'
import { Deadline, TooLateError, unlikeAnyAnswer } from './deadline.ts'

/**
 * The store as the rest of the library uses it. Every call has a deadline. Every failure becomes one error, which answers 503
 * with `Retry-After` and has the original error as its `cause`.
 */
export class GuardedStore implements SessionStore {
  readonly loadsAtOnce: true | undefined
  // Those of the store that it has.
  readonly count?: EveryRecord['count']
  readonly entries?: EveryRecord['entries']
  readonly destroyEverything?: EveryRecord['destroyEverything']
  readonly #store: SessionStore
  readonly #deadline: Deadline

  /** `timeout`: how many seconds a call may take. */
  constructor(store: SessionStore, timeout: number) {
    this.loadsAtOnce = store.loadsAtOnce
    this.#store = store
    this.#deadline = new Deadline(timeout * 1000)
    if (store.count) this.count = (cursor) => this.begin().count(cursor)
    if (store.entries) this.entries = (cursor, limit) => this.begin().entries(cursor, limit)
    if (store.destroyEverything) this.destroyEverything = (cursor) => this.begin().destroyEverything(cursor)
  }

  /**
   * Begins an operation of several calls, which have as much time together as a single call has. `replacing`: the key of the record
   * whose place another one takes. `evicted`: see `StoreCall`.
   */
  begin(replacing?: string, evicted?: StoreCall['evicted']): StoreOperation {
    return new StoreOperation(this.#store, this.#deadline, replacing, evicted)
  }

  create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit): MaybePromise<CreateResult> {
    return this.begin().create(key, record, expiresAt, limit)
  }

  load(key: string): MaybePromise<StoredRecord | undefined> {
    return this.begin().load(key)
  }

  commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): MaybePromise<CommitResult> {
    return this.begin().commit(key, changes, expiresAt, version)
  }

  touch(key: string, expiresAt: number, lastSeenAt?: number): MaybePromise<boolean> {
    return this.begin().touch(key, expiresAt, lastSeenAt)
  }

  destroy(key: string): MaybePromise<void> {
    return this.begin().destroy(key)
  }

  list(ownerId: string): MaybePromise<StoredRecord[]> {
    return this.begin().list(ownerId)
  }

  destroyAll(ownerId: string, exceptKey?: string): MaybePromise<number> {
    return this.begin().destroyAll(ownerId, exceptKey)
  }
}

/** Calls of a store that have one deadline. One that begins after it fails at once, and does not reach the store. */
export class StoreOperation implements SessionStore {
  readonly #store: SessionStore
  readonly #deadline: Deadline
  readonly #allowance: Allowance

  constructor(store: SessionStore, deadline: Deadline, replacing?: string, evicted?: StoreCall['evicted']) {
    this.#store = store
    this.#deadline = deadline
    this.#allowance = deadline.begin(replacing, evicted)
  }

  /** How many milliseconds are left; 0 if none are. */
  get timeLeft(): number {
    return Math.max(0, this.#allowance.left)
  }

  create(key: string, record: SessionRecord, expiresAt: number, limit?: OwnerLimit): MaybePromise<CreateResult> {
    return this.#guard(() => this.#store.create(key, record, expiresAt, limit, this.#allowance), isCreateResult)
  }

  load(key: string): MaybePromise<StoredRecord | undefined> {
    return this.#guard(() => this.#load(key), isFound)
  }

  commit(key: string, changes: SessionChanges, expiresAt: number, version?: number): MaybePromise<CommitResult> {
    return this.#guard(() => this.#store.commit(key, changes, expiresAt, version, this.#allowance), isCommitResult)
  }

  touch(key: string, expiresAt: number, lastSeenAt?: number): MaybePromise<boolean> {
    return this.#guard(() => this.#store.touch(key, expiresAt, lastSeenAt, this.#allowance), isBoolean)
  }

  destroy(key: string): MaybePromise<void> {
    return this.#guard(() => this.#store.destroy(key, this.#allowance), isAnything)
  }

  list(ownerId: string): MaybePromise<StoredRecord[]> {
    return this.#guard(() => this.#store.list(ownerId), Array.isArray)
  }

  destroyAll(ownerId: string, exceptKey?: string): MaybePromise<number> {
    return this.#guard(() => this.#store.destroyAll(ownerId, exceptKey, this.#allowance), Number.isInteger)
  }

  // Those that follow are called only where the store has them.

  count(cursor: string | undefined): MaybePromise<StoreStep<number>> {
    return this.#guard(() => (this.#store as EveryRecord).count(cursor), isStepOf(Number.isInteger))
  }

  entries(cursor: string | undefined, limit: number): MaybePromise<StoreStep<StoredRecord[]>> {
    return this.#guard(() => (this.#store as EveryRecord).entries(cursor, limit), isStepOf(Array.isArray))
  }

  destroyEverything(cursor: string | undefined): MaybePromise<StoreStep<number>> {
    const call = (): MaybePromise<StoreStep<number>> =>
      (this.#store as EveryRecord).destroyEverything(cursor, this.#allowance)
    return this.#guard(call, isStepOf(Number.isInteger))
  }

  /** Rejects if `work` is not done in time, for work that waits for more than the store: for its turn, for example. */
  inTime<T>(work: Promise<T>): Promise<T> {
    return this.#deadline.race(this.#allowance, work, isAnything, (cause) =>
      cause instanceof TooLateError ? unavailableError(cause) : (cause as Error)
    )
  }

  /** Runs what the application does in between, whose time does not count. */
  async uncounted<T>(work: () => T): Promise<Awaited<T>> {
    const resume = this.#allowance.pause()
    try {
      return await work()
    } finally {
      resume()
    }
  }

  #load(key: string): MaybePromise<StoredRecord | undefined> {
    const found = this.#store.load(key)
    if (!this.#store.loadsAtOnce || !isPromise(found)) return found
    Promise.resolve(found).catch(() => {})
    throw new TypeError('The store broke its contract: it has loadsAtOnce, and its load returned a promise.')
  }

  #guard<T>(call: () => MaybePromise<T>, accepts: Accepts): MaybePromise<T> {
    if (this.#allowance.isOver) throw unavailableError(this.#deadline.tooLate())
    try {
      const answer = call()
      if (isPromise(answer)) return this.#deadline.race(this.#allowance, answer, accepts, toError)
      if (!accepts(answer)) throw unlikeAnyAnswer(answer)
      return answer
    } catch (cause) {
      throw toError(cause)
    }
  }
}

type EveryRecord = Required<Pick<SessionStore, 'count' | 'entries' | 'destroyEverything'>>

/** Whether a method may return this result. */
type Accepts = (answer: unknown) => boolean

const isCreateResult: Accepts = (answer) => typeof answer === 'boolean' || answer === 'over-limit'
const isCommitResult: Accepts = (answer) => answer === 'committed' || answer === 'gone' || answer === 'conflict'
const isFound: Accepts = (answer) =>
  answer === undefined || typeof (answer as Partial<StoredRecord> | null)?.json === 'string'
const isAnything: Accepts = () => true

/** Does not use `instanceof`, so that it accepts promises of other realms and libraries. */
function isPromise<T>(answer: MaybePromise<T>): answer is Promise<T> {
  return typeof (answer as { then?: unknown } | undefined)?.then === 'function'
}

function isStepOf(accepts: Accepts): Accepts {
  return (answer) => {
    const { found, next } = Object(answer) as Partial<StoreStep<unknown>>
    return accepts(found) && (next === undefined || isString(next))
  }
}

/** Keeps the error if the store refuses the call for a reason of this library, such as a session that is too large. */
function toError(cause: unknown): Error {
  if (!(cause instanceof Error) || cause instanceof StoreUnavailableError) return unavailableError(cause)
  return 'code' in cause && String(cause.code).startsWith('ERR_SESSION_') ? cause : unavailableError(cause)
}
