import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { EndReason } from '../../types/endings.ts'
import type {
  CommitResult,
  MaybePromise,
  SessionChanges,
  SessionStore,
  StoreCall,
  StoredRecord
} from '../../types/store.ts'
import type { RandomPool } from '../crypto/random.ts'
import { diffMembers, NO_CHANGES, withAllMembers } from '../data/json-members.ts'
import type { Announce } from '../endings/endings.ts'
import { endingOf, TELL_NOBODY } from '../endings/endings.ts'
import type { Found } from '../endings/signals.ts'
import { StoreUnavailableError, unreadableError } from '../errors.ts'
import { refuseExtensions } from '../format/extensions.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import { headEndOf, readLastSeenAt, readUsualStamp } from '../format/record.ts'
import type { ReferenceFormat } from '../format/reference.ts'
import { haveSameTimeouts } from '../format/timeouts.ts'
import { Tombstones } from '../owners/tombstones.ts'
import type { GuardedStore, StoreOperation } from '../stores/guarded.ts'
import { BoundedMap } from '../util/bounded-map.ts'
import { KeyedQueue } from '../util/keyed-queue.ts'
import { chain, rescue } from '../util/maybe-async.ts'
import { secondsOf } from './clock.ts'
import type { CreationSettings } from './create-record.ts'
import { createRecord } from './create-record.ts'
import type { TimeoutSettings } from './expiry.ts'
import { expiresAt } from './expiry.ts'
import { MigratedRecord } from './migrated-record.ts'
import { changesBetween } from './patched-record.ts'
import { pause } from './pause.ts'
import { assertFits, mayExceed } from './size-limit.ts'
import { handleOf, keyOf, loadRecord, StoreRecord } from './store-record.ts'
import { StoreTransactions } from './store-transactions.ts'
import { ENDED, MAX_ATTEMPTS, Succession } from './succession.ts'
import type {
  EndedRefusal,
  EndResult,
  LoadSession,
  SaveResult,
  Transaction,
  TransactionResult,
  Transport
} from './transport.ts'
import { Undo } from './undo.ts'
import { commitWaiting, isWaiting } from './waiting.ts'

/** 256 bits: the id is all that is needed to open the session. */
const ID_BYTES = 32

/** Some 200 bytes each. The map holds between this many and twice as many. */
const RECENT_COOKIES = 2000

/** In milliseconds. An `update()` whose function takes longer, or never ends, does not hold up the other changes of its session. */
const LONGEST_CHANGE = 10_000

export interface StoreTransportSettings extends CreationSettings {
  /** For how many seconds a request with an old id is recognised. */
  readonly renameGrace: number
  /** Returns milliseconds since 1970. */
  readonly clock: () => number
}

/** The cookie holds an id; the store holds the session, under a hash of the id: what is in the store opens nothing. */
export class StoreTransport implements Transport {
  readonly currentPrefix: string
  readonly readStamp: typeof readLastSeenAt = readLastSeenAt
  readonly readUsualStamp: typeof readUsualStamp = readUsualStamp
  readonly limit: number
  readonly #format: ReferenceFormat
  readonly #store: GuardedStore
  readonly #settings: StoreTransportSettings
  readonly #random: RandomPool
  readonly #announce: Announce
  readonly #now: () => number
  readonly #undo: Undo
  /**
   * The keys that genuine cookies lead to, each under a hash of the cookie, so that nothing in memory opens a session. A browser
   * sends the same cookie with every request: to find it here takes one hash instead of three.
   */
  readonly #recentKeys: BoundedMap<string> = new BoundedMap(RECENT_COOKIES)
  /** Changes of one record wait for each other here: in the store they would only conflict. */
  readonly #queue: KeyedQueue = new KeyedQueue(LONGEST_CHANGE)
  readonly #transactions: StoreTransactions
  readonly #evicted: StoreCall['evicted']
  /** Whether a session can have longer timeouts than those of the options, so that another request may have given it some. */
  readonly #mayLastLonger: boolean

  constructor(
    format: ReferenceFormat,
    store: GuardedStore,
    settings: StoreTransportSettings,
    random: RandomPool,
    announce: Announce = TELL_NOBODY
  ) {
    this.currentPrefix = format.currentPrefix
    this.limit = settings.maxBytes
    this.#format = format
    this.#store = store
    this.#settings = settings
    this.#mayLastLonger = mayLastLonger(settings)
    this.#random = random
    this.#announce = announce
    this.#now = secondsOf(settings.clock)
    this.#undo = new Undo(store)
    this.#transactions = new StoreTransactions(() => this.#begin(), settings, this.#queue)
    this.#evicted = (key, ownerId) => void this.#ended(key, 'over-limit', ownerId)
  }

  newId(): string {
    return this.#random.text(ID_BYTES)
  }

  idFrom(digest: Buffer): string {
    return digest.toString('base64url')
  }

  handleOf(id: string): string {
    return handleOf(id)
  }

  /** Loads now, because handlers read data without waiting; except from a store that answers at once. */
  loadAtStart<T>(load: LoadSession<T>, request: FastifyRequest): MaybePromise<T | undefined> {
    return this.#store.loadsAtOnce ? undefined : load(request)
  }

  /** Who accesses it does not wait. */
  loadAtAccess<T>(load: LoadSession<T>, request: FastifyRequest): MaybePromise<T> | undefined {
    return this.#store.loadsAtOnce && load(request)
  }

  /** Where the store takes time, a request without a session at this point came without a cookie of it. */
  loadAtEnd<T>(
    load: LoadSession<T>,
    request: FastifyRequest,
    isDue: boolean,
    isCleared: () => boolean
  ): MaybePromise<T> | undefined {
    return this.#store.loadsAtOnce && (isDue || isCleared()) ? load(request) : undefined
  }

  load(text: string): MaybePromise<LoadedRecord | OpenRefusal> {
    const id = this.#format.idOf(text)
    const digest = hash('sha256', text, 'base64url')
    let key = this.#recentKeys.get(digest)
    if (key === undefined) {
      const refusal = this.#format.verify(text)
      if (refusal !== undefined) return refusal
      key = handleOf(id)
      this.#recentKeys.set(digest, key)
    }
    const store = this.#store.begin()
    const reference = { id, referenceExtensions: this.#format.extensionsOf(text, id) }
    return chain<LoadedRecord | EndedRefusal, LoadedRecord | EndedRefusal>(
      loadRecord(store, key, reference, text),
      (found) => (found === 'not-found' ? this.#whyEnded(store, key) : found)
    )
  }

  /** The store may know of later activity. */
  notedIn(text: string): number {
    return readLastSeenAt(text)
  }

  activityUntil(now: number): number {
    return now
  }

  latest(persisted: IdentifiedRecord): MaybePromise<IdentifiedRecord | EndedRefusal> {
    const key = keyOf(persisted)
    const store = this.#store.begin()
    return chain<StoredRecord | undefined, IdentifiedRecord | EndedRefusal>(store.load(key), (record) => {
      if (record === undefined) return this.#whyEnded(store, key)
      const refusal = refuseExtensions(record.extensions)
      if (refusal === 'malformed') throw unreadableError()
      return refusal ?? new StoreRecord(persisted, record)
    })
  }

  needsCookie(record: IdentifiedRecord, persisted: IdentifiedRecord | undefined): boolean {
    return (
      persisted === undefined ||
      persisted.id !== record.id ||
      persisted.permanent !== record.permanent ||
      persisted.referenceExtensions !== record.referenceExtensions ||
      !haveSameTimeouts(persisted.extensions, record.extensions)
    )
  }

  seal({ id, lastSeenAt, extensions, referenceExtensions }: IdentifiedRecord): string {
    return this.#format.encode(id, lastSeenAt, referenceExtensions, headEndOf(extensions))
  }

  create(record: IdentifiedRecord, request: FastifyRequest | undefined, isShared = false): MaybePromise<SaveResult> {
    assertFits(record.json, '', this.#settings)
    const operation = this.#begin()
    return rescue<'saved', SaveResult>(
      () => createRecord(operation, this.#settings, record, request, this.#settings.ownerLimit),
      (result) => result,
      (error) => {
        if (error instanceof StoreUnavailableError && !isShared) this.#undo.removal(operation, keyOf(record))
        throw error
      }
    )
  }

  update(record: IdentifiedRecord, persisted: IdentifiedRecord): MaybePromise<SaveResult> {
    if (record instanceof MigratedRecord || record.extensions !== persisted.extensions) {
      return this.#transactions.updateLatest(record, persisted)
    }
    const key = keyOf(persisted)
    const lastSeenAt = record.lastSeenAt === persisted.lastSeenAt ? undefined : record.lastSeenAt
    const permanent = record.permanent === persisted.permanent ? undefined : record.permanent
    const { set, unset } = changesBetween(persisted, record)
    const changes = { set, unset, permanent, lastSeenAt }
    const resultOf = (result: CommitResult): SaveResult => (result === 'committed' ? 'saved' : 'gone')
    if (mayExceed(persisted.json, set, this.#settings)) assertFits(record.json, persisted.json, this.#settings)
    const store = this.#begin()
    if (isWaiting(record, set)) return commitWaiting(store, key, record, changes, this.#settings).then(resultOf)
    const isTouch = permanent === undefined && unset.length === 0 && Object.keys(set).length === 0
    const write = (last: number): MaybePromise<CommitResult> =>
      isTouch ? touch(store, key, last, lastSeenAt) : store.commit(key, changes, last)
    const result = chain<number, CommitResult>(this.#untilOf(store, record, key), (last) =>
      persisted instanceof StoreRecord && (persisted.needsRekey || this.#mayLastLonger)
        ? this.#writeInVersion(store, record, persisted, changes, last, write)
        : write(last)
    )
    return chain(result, resultOf)
  }

  changeId(record: IdentifiedRecord, persisted: IdentifiedRecord, request: FastifyRequest): MaybePromise<SaveResult> {
    const key = keyOf(persisted)
    const operation = this.#begin(key)
    const succession = this.#succession(operation)
    return operation.inTime(this.#queue.run(key, () => succession.changeId(record, persisted, request)))
  }

  replace(
    record: IdentifiedRecord,
    persisted: IdentifiedRecord,
    request: FastifyRequest,
    isShared = false
  ): MaybePromise<SaveResult> {
    return this.#succession(this.#begin(keyOf(persisted))).replace(record, persisted, request, isShared)
  }

  retire(persisted: IdentifiedRecord): MaybePromise<EndResult> {
    const key = keyOf(persisted)
    const operation = this.#begin(key)
    return chain<EndResult, EndResult>(this.#succession(operation).retire(persisted), (result) =>
      result === 'gone' ? chain(this.#deleteSuccessors(operation, key, 'replaced'), () => result) : result
    )
  }

  async deleteIfEmpty(record: IdentifiedRecord, persisted: IdentifiedRecord): Promise<'saved' | EndResult> {
    // It began anew or got a new id, and then nothing was put into it, as at a logout: nobody may go on under the old id.
    if (persisted.id !== record.id) return this.delete(persisted, 'emptied')
    const key = keyOf(persisted)
    const store = this.#store.begin()
    const removal = diffMembers(persisted.json, record.json)
    const last = await this.#untilOf(store, record, key)
    if ((await store.commit(key, removal, last)) === 'gone') return 'gone'
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const left = await store.load(key)
      if (left === undefined) return this.#ended(key, 'emptied')
      if (left.json !== '{}') return 'saved'
      if ((await store.commit(key, NO_CHANGES, ENDED, left.version)) !== 'conflict') {
        await store.destroy(key)
        return this.#ended(key, 'emptied')
      }
      await pause(attempt)
    }
    return 'saved'
  }

  delete(persisted: IdentifiedRecord, reason: EndReason): MaybePromise<EndResult> {
    const key = keyOf(persisted)
    const store = this.#store.begin()
    return chain<void, EndResult>(store.destroy(key), () => {
      const result = this.#ended(key, reason, persisted.ownerId)
      // It may have got a new id since it was loaded.
      return chain<void, EndResult>(this.#deleteSuccessors(store, key, reason), () => result)
    })
  }

  deleteRefused(text: string): MaybePromise<void> {
    const refusal = this.#format.verify(text)
    if (refusal !== undefined && refusal !== 'unsupported') return undefined
    const key = handleOf(this.#format.idOf(text))
    const store = this.#store.begin()
    return chain(store.destroy(key), () => {
      this.#ended(key, 'destroyed')
      return this.#deleteSuccessors(store, key, 'destroyed')
    })
  }

  lookUp(handle: string): MaybePromise<Found> {
    const store = this.#store.begin()
    return chain<StoredRecord | undefined, Found>(
      store.load(handle),
      (record) => record ?? this.#whyEnded(store, handle)
    )
  }

  successorsOf(key: string): Promise<readonly string[]> {
    return this.#tombstonesIn(this.#store.begin()).successorsOf(key)
  }

  transact(transaction: Transaction): MaybePromise<TransactionResult> {
    return this.#transactions.run(transaction)
  }

  measure({ json }: IdentifiedRecord): number {
    return this.#settings.scale.bytesOf(json)
  }

  close(): void {
    this.#undo.close()
  }

  /** Begins an operation that may end other sessions to make room. */
  #begin(replacing?: string): StoreOperation {
    return this.#store.begin(replacing, this.#evicted)
  }

  #succession(operation: StoreOperation): Succession {
    return new Succession(operation, this.#settings, this.#tombstonesIn(operation), this.#undo, this.#announce)
  }

  #tombstonesIn(store: SessionStore): Tombstones {
    return new Tombstones(store, this.#settings.renameGrace, this.#now)
  }

  async #deleteSuccessors(store: SessionStore, key: string, reason: EndReason): Promise<void> {
    for (const next of await this.#tombstonesIn(store).successorsOf(key)) {
      await store.destroy(next)
      this.#ended(next, reason)
    }
  }

  #ended(key: string, reason: EndReason, ownerId?: string): 'ended' {
    this.#announce(endingOf(key, reason, { ownerId }))
    return 'ended'
  }

  /** The last second of a record. A request that is no activity does not know of that which others have noted meanwhile. */
  #untilOf(store: SessionStore, record: IdentifiedRecord, key: string): MaybePromise<number> {
    const last = expiresAt(record, this.#settings)
    if (record.lastSeenAt >= this.#now()) return last
    return chain(store.load(key), (latest) => Math.max(last, latest?.expiresAt ?? 0))
  }

  /**
   * Commits changes to what was loaded. If another request has written meanwhile, it may have given the session other timeouts: then
   * `write` writes the changes with the last second of those.
   */
  #writeInVersion(
    store: SessionStore,
    { createdAt, lastSeenAt }: IdentifiedRecord,
    { key, json, version, needsRekey }: StoreRecord,
    changes: SessionChanges,
    last: number,
    write: (last: number) => MaybePromise<CommitResult>
  ): MaybePromise<CommitResult> {
    // All members, so that a store that seals them does so with its newest key.
    const all = needsRekey ? withAllMembers(json, changes) : changes
    return chain<CommitResult, CommitResult>(store.commit(key, all, last, version), (result) => {
      if (result !== 'conflict') return result
      return chain<StoredRecord | undefined, CommitResult>(store.load(key), (latest) => {
        if (latest === undefined) return 'gone'
        const { extensions } = latest
        const facts = { createdAt, lastSeenAt: Math.max(lastSeenAt, latest.lastSeenAt), extensions }
        return write(expiresAt(facts, this.#settings))
      })
    })
  }

  #whyEnded(store: SessionStore, key: string): MaybePromise<EndedRefusal> {
    return chain(this.#tombstonesIn(store).has(key), (isRenamed) => (isRenamed ? 'renamed' : 'not-found'))
  }
}

function touch(
  store: SessionStore,
  key: string,
  expiresAt: number,
  lastSeenAt: number | undefined
): MaybePromise<CommitResult> {
  return chain<boolean, CommitResult>(store.touch(key, expiresAt, lastSeenAt), (isThere) =>
    isThere ? 'committed' : 'gone'
  )
}

function mayLastLonger({ idleTimeout, absoluteTimeout, maxIdleTimeout, maxAbsoluteTimeout }: TimeoutSettings): boolean {
  return maxIdleTimeout > idleTimeout || maxAbsoluteTimeout > absoluteTimeout
}
