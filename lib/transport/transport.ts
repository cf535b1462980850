import type { FastifyRequest } from 'fastify'
import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { EndReason } from '../../types/endings.ts'
import type { MaybePromise } from '../../types/store.ts'
import type { Found } from '../endings/signals.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'

/** Why a genuine cookie opens nothing in the store, or nothing any more. */
export type EndedRefusal = Extract<OpenRefusal, 'not-found' | 'renamed' | 'revoked' | 'unsupported'>

/** `gone`: another request has ended the session, so nothing was saved. */
export type SaveResult = 'saved' | 'gone'

/**
 * `ended`: no cookie opens the session any more. `copied`: a copy of its cookie still does. `gone`: another request has ended it
 * before.
 */
export type EndResult = 'ended' | 'copied' | 'gone'

/** Loads the session of a request. */
export type LoadSession<T> = (request: FastifyRequest) => MaybePromise<T>

/** Changes data in place. */
export type ChangeData = (data: Record<string, unknown>) => unknown

/** One call of `session.update()`. */
export interface Transaction {
  /** What the transport has; undefined for a session that was never saved. */
  readonly persisted: IdentifiedRecord | undefined
  /** What it has as JSON of the present version of the schema, where that differs. */
  readonly migratedJson?: string | undefined
  /** The data in this request, as JSON. */
  readonly json: string
  /** Whether the transport knows the session under another id. */
  readonly hasNewId: boolean
  /** Saves the session under its new id, and returns the record. */
  save(): Promise<IdentifiedRecord | undefined>
  readonly change: ChangeData
}

/** What a transaction has made of the data. */
export interface TransactionResult {
  readonly data: Record<string, unknown>
  /** The record before and after, where the transport has written it. */
  readonly written?: { readonly base: IdentifiedRecord; readonly record: IdentifiedRecord }
}

/**
 * How a session travels: in the cookie, or in a store to which the cookie refers. Each mode answers the same questions, so that the
 * code that handles requests does not ask which one it has. Times are seconds since 1970.
 *
 * Methods that return a `MaybePromise` reject with `ERR_SESSION_STORE_UNAVAILABLE` when a store fails.
 */
export interface Transport {
  /** What the value of every cookie starts with that is sealed as new ones are. Others are sent again under the newest key. */
  readonly currentPrefix: string
  /** Returns the time stamp of the cookie value that starts at `from`, as it claims; NaN if there is none. */
  readonly readStamp: (text: string, from?: number) => number
  /** The same if the idle timeout of the options holds for the session; otherwise NaN. */
  readonly readUsualStamp: (text: string, from?: number) => number
  /** The most bytes that `measure` may return for a session that is to be saved. */
  readonly limit: number

  newId(): string

  /** Returns the id that follows from 32 bytes: the same in every process. It tells no time. */
  idFrom(digest: Buffer): string

  /** What may be shown of an id. It opens nothing. */
  handleOf(id: string): string

  /** Called when a request starts. Loads its session, or leaves that to the first access. */
  loadAtStart<T>(load: LoadSession<T>, request: FastifyRequest): MaybePromise<T | undefined>

  /** Called if the session is accessed before it is loaded. Loads it, or returns undefined if that takes time. */
  loadAtAccess<T>(load: LoadSession<T>, request: FastifyRequest): MaybePromise<T> | undefined

  /**
   * Called when a request with a cookie ends whose session was not loaded. Loads it, or returns undefined. `isDue`: whether the
   * cookie is to be sent again. `isCleared`: returns whether the application has cleared it by hand.
   */
  loadAtEnd<T>(
    load: LoadSession<T>,
    request: FastifyRequest,
    isDue: boolean,
    isCleared: () => boolean
  ): MaybePromise<T | undefined>

  /** Returns the record behind a cookie value, or why there is none. A bad value is no error. */
  load(text: string): MaybePromise<LoadedRecord | OpenRefusal>

  /** The last activity of which a cookie value tells. `record`: what it has opened. */
  notedIn(text: string, record: LoadedRecord): number

  /** The latest second that a session may tell as its last activity, of a request that came at `now`. */
  activityUntil(now: number): number

  /** Returns the record as it is now, or why there is none. */
  latest(persisted: IdentifiedRecord): MaybePromise<IdentifiedRecord | EndedRefusal>

  /** Whether a session is lost if the reply sets no cookie for `record`. */
  needsCookie(record: IdentifiedRecord, persisted: IdentifiedRecord | undefined): boolean

  /** Returns the cookie value that stands for a record. Throws `ERR_SESSION_TOO_LARGE`. */
  seal(record: IdentifiedRecord): string

  /**
   * Saves a record that is not there yet. `request`: undefined where no request creates it. `isShared`: whether other requests may
   * save it under the same id, so that a failure here must not take it back.
   */
  create(record: IdentifiedRecord, request: FastifyRequest | undefined, isShared?: boolean): MaybePromise<SaveResult>

  /** Saves what differs from `persisted`, under the same id. */
  update(record: IdentifiedRecord, persisted: IdentifiedRecord): MaybePromise<SaveResult>

  /** Moves a record to the id of `record`, with what other requests have written to it. */
  changeId(record: IdentifiedRecord, persisted: IdentifiedRecord, request: FastifyRequest): MaybePromise<SaveResult>

  /**
   * Saves `record` in the place of `persisted`, which ends. Nothing that other requests have written moves along. `isShared`: see
   * `create`.
   */
  replace(
    record: IdentifiedRecord,
    persisted: IdentifiedRecord,
    request: FastifyRequest,
    isShared?: boolean
  ): MaybePromise<SaveResult>

  /** Ends a session of which nothing goes on, and in whose place another one begins. */
  retire(persisted: IdentifiedRecord): MaybePromise<EndResult>

  /**
   * Ends a session without data. If it still has its id, and another request has written to it in the meantime, it stays: then
   * `saved`.
   */
  deleteIfEmpty(record: IdentifiedRecord, persisted: IdentifiedRecord): MaybePromise<'saved' | EndResult>

  /** Ends the session. One that another request has ended before is no error. */
  delete(persisted: IdentifiedRecord, reason: EndReason): MaybePromise<EndResult>

  /**
   * Ends what `text`, the value of a cookie that opens nothing here, stands for: a login that has got a new id, or a session that a
   * newer version has written.
   */
  deleteRefused(text: string): MaybePromise<void>

  /** Returns what there is of a session by its handle, for whoever does not have its id. */
  lookUp(handle: string, ownerId: string | undefined): MaybePromise<Found>

  /** Returns the keys that the session under an old key may have now. A key is what `handleOf` returns. */
  successorsOf(key: string): MaybePromise<readonly string[]>

  /** Changes the data as one step, on the latest of them where other requests can write, too. Throws `ERR_SESSION_GONE`. */
  transact(transaction: Transaction): MaybePromise<TransactionResult>

  /** Returns the bytes of a record that count against `limit`. */
  measure(record: IdentifiedRecord): number

  /** Stops what it has started, such as timers: the application closes. */
  close(): MaybePromise<void>
}
