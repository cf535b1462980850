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
import { applyChanges } from '../data/json-members.ts'
import { isSession } from '../data/no-session.ts'
import { TooLargeError } from '../errors.ts'
import { assertKnown, readClock, readPruneInterval, readWholeOption } from '../util/check.ts'
import { admission } from './admission.ts'
import { assertInTime } from './assert-in-time.ts'
import { PruneTimer } from './prune-timer.ts'

const MEBIBYTE = 1_048_576

/** The options of a `MemoryStore`. */
export interface MemoryStoreOptions {
  /**
   * The maximum number of sessions, 1 to 16 000 000. Default 100 000.
   *
   * @example
   * ```ts
   * const store = new MemoryStore({ maxSessions: 10_000 })
   * ```
   */
  maxSessions?: number | undefined
  /**
   * The maximum number of bytes of data (as JSON), owners and descriptions together. Default 134 217 728 (128 MiB).
   *
   * @example
   * ```ts
   * const store = new MemoryStore({ maxBytes: 16 * 1024 * 1024 })
   * ```
   */
  maxBytes?: number | undefined
  /**
   * Seconds between two searches for expired sessions; 0 turns them off. Default 3 600. The first search comes within 30 seconds
   * of the start, or within the interval if that is shorter.
   *
   * @example
   * ```ts
   * const store = new MemoryStore({ pruneInterval: 600 })
   * ```
   */
  pruneInterval?: number | undefined
  /**
   * Returns the time in milliseconds since 1970. For tests. Default `() => Date.now()`.
   *
   * @example
   * ```ts
   * import { FakeClock } from 'fastify-typed-session/testing'
   *
   * const clock = new FakeClock()
   * const store = new MemoryStore({ clock: clock.now })
   * ```
   */
  clock?: (() => number) | undefined
}

interface Entry extends Omit<StoredRecord, 'key'> {
  json: string
  lastSeenAt: number
  permanent: boolean
  extensions: string | undefined
  expiresAt: number
  version: number
  /** The order in which the entries came. That of the maps changes with each use. */
  readonly place: number
  // The neighbours among the entries of the same owner. A chain needs less memory than a set for each owner.
  older: string | undefined
  newer: string | undefined
}

interface Listener {
  readonly onMessage: (message: string) => void
  readonly onExpired: (key: string, ownerId: string | undefined) => void
}

/**
 * Keeps sessions in the memory of this process: for development, tests, and applications of one process whose restart may log
 * everybody out. It is bounded: when it is full, it removes expired sessions, then the least recently used ones, those without
 * an owner first, and warns about that once (`SESSION_MEMORY_STORE_FULL`).
 *
 * The constructor throws `ERR_SESSION_OPTION_UNKNOWN` and `ERR_SESSION_OPTION_INVALID`; a session larger than `maxBytes` throws
 * `ERR_SESSION_TOO_LARGE`.
 *
 * @example
 * ```ts
 * const store = new MemoryStore({ maxSessions: 10_000 })
 * await app.register(session, { secret: process.env.SESSION_SECRET, store })
 * ```
 */
export class MemoryStore implements SessionStore {
  readonly loadsAtOnce: true = true
  /** The sessions that have an owner, least recently used first. */
  readonly #owned: Map<string, Entry> = new Map()
  /** The sessions without an owner, least recently used first. They make room first: anybody can start many of them. */
  readonly #ownerless: Map<string, Entry> = new Map()
  /** The one that was used last, if it is still there: mostly it is asked for again by the same request. */
  #latest = ''
  /** The newest session of each owner, which is the head of its chain. */
  readonly #owners: Map<string, string> = new Map()
  readonly #maxSessions: number
  readonly #maxBytes: number
  readonly #clock: () => number
  readonly #timer: PruneTimer
  readonly #listeners: Set<Listener> = new Set()
  #bytes = 0
  #lastPlace = 0
  /** No entry expires before this second. */
  #nextExpiry: number = Number.POSITIVE_INFINITY
  #hasWarned = false

  constructor(options: MemoryStoreOptions = {}) {
    assertKnown(options, ['maxSessions', 'maxBytes', 'pruneInterval', 'clock'], 'MemoryStore')
    // A Map holds at most 2^24 entries.
    this.#maxSessions = readWholeOption(options.maxSessions, 100_000, 'maxSessions', 'sessions', 1, 16_000_000)
    this.#maxBytes = readWholeOption(options.maxBytes, 128 * MEBIBYTE, 'maxBytes', 'bytes', 1, Number.MAX_SAFE_INTEGER)
    this.#clock = readClock(options.clock)
    const interval = readPruneInterval(options.pruneInterval)
    this.#timer = new PruneTimer(interval, () => this.prune())
  }

  /** The number of sessions in memory, including expired ones that have not been removed yet. */
  get size(): number {
    return this.#owned.size + this.#ownerless.size
  }

  create(
    key: string,
    record: SessionRecord,
    expiresAt: number,
    limit?: OwnerLimit,
    call?: StoreCall
  ): MaybePromise<CreateResult> {
    assertInTime(call)
    this.#timer.start()
    if (this.#find(key) !== undefined) return false
    const { json, createdAt, lastSeenAt, permanent, ownerId, description, extensions } = record
    const bytes = this.#assertFits(sizeOf(record))
    if (ownerId !== undefined && limit !== undefined && !this.#admit(ownerId, limit, call)) return 'over-limit'
    this.#makeRoom(bytes, 1, key, call)
    const older = ownerId === undefined ? undefined : this.#owners.get(ownerId)
    if (older !== undefined) (this.#owned.get(older) as Entry).newer = key
    this.#mapOf(ownerId).set(key, {
      json,
      createdAt,
      lastSeenAt,
      permanent,
      ownerId,
      description,
      extensions,
      expiresAt,
      version: 0,
      place: ++this.#lastPlace,
      older,
      newer: undefined
    })
    this.#latest = key
    if (ownerId !== undefined) this.#owners.set(ownerId, key)
    this.#bytes += bytes
    this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt)
    return true
  }

  load(key: string): StoredRecord | undefined {
    const entry = this.#find(key)
    return entry && toRecord(key, entry)
  }

  commit(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    version?: number,
    call?: StoreCall
  ): MaybePromise<CommitResult> {
    assertInTime(call)
    const entry = this.#find(key)
    if (entry === undefined) return 'gone'
    if (version !== undefined && version !== entry.version) return 'conflict'
    const json = applyChanges(entry.json, changes)
    const growth = Buffer.byteLength(json) - Buffer.byteLength(entry.json)
    // A session that fits beside all others is smaller than the maximum.
    if (this.#bytes + growth > this.#maxBytes) this.#assertFits(sizeOf(entry) + growth)
    if (growth > 0) this.#makeRoom(growth, 0, key, call)
    entry.json = json
    entry.version++
    if (changes.permanent !== undefined) entry.permanent = changes.permanent
    if (changes.extensions !== undefined) entry.extensions = changes.extensions
    this.#bytes += growth
    this.#move(entry, expiresAt, changes.lastSeenAt)
    return 'committed'
  }

  touch(key: string, expiresAt: number, lastSeenAt?: number, call?: StoreCall): MaybePromise<boolean> {
    assertInTime(call)
    const entry = this.#find(key)
    if (entry !== undefined) this.#move(entry, expiresAt, lastSeenAt)
    return entry !== undefined
  }

  destroy(key: string): MaybePromise<void> {
    this.#remove(key)
  }

  list(ownerId: string): MaybePromise<StoredRecord[]> {
    return this.#listOwned(ownerId)
  }

  destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): MaybePromise<number> {
    assertInTime(call)
    const others = this.#listOwned(ownerId).filter(({ key }) => key !== exceptKey)
    for (const { key } of others) this.#remove(key)
    return others.length
  }

  count(): MaybePromise<StoreStep<number>> {
    return { found: this.#sessionsAfter(0).length, next: undefined }
  }

  /** In the order in which the sessions came. A cursor is the place of the last one. */
  entries(cursor: string | undefined, limit: number): MaybePromise<StoreStep<StoredRecord[]>> {
    const later = this.#sessionsAfter(Number(cursor ?? 0)).sort(([, a], [, b]) => a.place - b.place)
    const found = later.slice(0, limit)
    const last = found.at(-1)?.[1].place
    return {
      found: found.map(([key, entry]) => toRecord(key, entry)),
      next: later.length > limit ? String(last) : undefined
    }
  }

  /** Ends all at once. */
  destroyEverything(_cursor?: string, call?: StoreCall): MaybePromise<StoreStep<number>> {
    assertInTime(call)
    const found = this.size
    for (const entries of [this.#owned, this.#ownerless, this.#owners]) entries.clear()
    this.#bytes = 0
    return { found, next: undefined }
  }

  /**
   * Removes expired sessions and returns how many it removed. The store calls it soon after the start, then every
   * `pruneInterval` seconds, and when it is full.
   *
   * @example
   * ```ts
   * const store = new MemoryStore({ pruneInterval: 0 })
   * console.log(`${store.prune()} sessions removed`)
   * ```
   */
  prune(): number {
    const now = this.#now()
    if (now <= this.#nextExpiry) return 0
    const before = this.size
    this.#nextExpiry = Number.POSITIVE_INFINITY
    for (const entries of [this.#ownerless, this.#owned]) {
      for (const [key, entry] of entries) {
        if (entry.expiresAt < now) this.#expire(key, entry)
        else this.#nextExpiry = Math.min(this.#nextExpiry, entry.expiresAt)
      }
    }
    return before - this.size
  }

  /** Stops pruning. The sessions stay, and another application that shares the store can go on using it. */
  close(): MaybePromise<void> {
    this.#timer.stop()
  }

  /** Applications of this process can share the store. */
  publish(message: string): void {
    for (const { onMessage } of this.#listeners) onMessage(message)
  }

  listen(
    onMessage: Listener['onMessage'],
    _onLost?: () => void,
    onExpired: Listener['onExpired'] = () => {}
  ): () => void {
    // An object of its own: the same functions may listen twice.
    const listener = { onMessage, onExpired }
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  /** Returns a live entry and makes it the most recently used one. */
  #find(key: string): Entry | undefined {
    const entry = this.#get(key)
    if (entry === undefined) return undefined
    if (entry.expiresAt < this.#now()) {
      this.#expire(key, entry)
      return undefined
    }
    if (key !== this.#latest) {
      const entries = this.#mapOf(entry.ownerId)
      entries.delete(key)
      entries.set(key, entry)
      this.#latest = key
    }
    return entry
  }

  #get(key: string): Entry | undefined {
    return this.#owned.get(key) ?? this.#ownerless.get(key)
  }

  #mapOf(ownerId: string | undefined): Map<string, Entry> {
    return ownerId === undefined ? this.#ownerless : this.#owned
  }

  #move(entry: Entry, expiresAt: number, lastSeenAt: number | undefined): void {
    entry.expiresAt = expiresAt
    this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt)
    if (lastSeenAt !== undefined) entry.lastSeenAt = lastSeenAt
  }

  #evict(key: string, call: StoreCall | undefined): void {
    const ownerId = this.#get(key)?.ownerId
    this.#remove(key)
    call?.evicted?.(key, ownerId)
  }

  #expire(key: string, entry: Entry): void {
    this.#remove(key)
    const { ownerId, expiresAt, lastSeenAt } = entry
    // One that a commit has ended was over before its last activity, and has been told of.
    if (expiresAt < lastSeenAt || !isSession(entry)) return
    for (const { onExpired } of this.#listeners) onExpired(key, ownerId)
  }

  #remove(key: string): void {
    const entry = this.#get(key)
    if (entry === undefined) return
    this.#mapOf(entry.ownerId).delete(key)
    this.#bytes -= sizeOf(entry)
    if (entry.ownerId !== undefined) this.#unchain(entry.ownerId, entry)
  }

  #unchain(ownerId: string, { older, newer }: Entry): void {
    if (older !== undefined) (this.#owned.get(older) as Entry).newer = newer
    if (newer !== undefined) (this.#owned.get(newer) as Entry).older = older
    else if (older !== undefined) this.#owners.set(ownerId, older)
    else this.#owners.delete(ownerId)
  }

  /** Returns the live records of an owner, newest first. */
  #listOwned(ownerId: string): StoredRecord[] {
    const now = this.#now()
    const records: StoredRecord[] = []
    let key = this.#owners.get(ownerId)
    while (key !== undefined) {
      const entry = this.#owned.get(key) as Entry
      if (entry.expiresAt >= now) records.push(toRecord(key, entry))
      key = entry.older
    }
    return records
  }

  /** Whether the owner may have one more session; if so, ends those that have to make room. */
  #admit(ownerId: string, limit: OwnerLimit, call: StoreCall | undefined): boolean {
    const evicted = admission(this.#listOwned(ownerId).reverse(), limit, call?.replacing)
    if (evicted === 'refuse') return false
    for (const { key } of evicted) this.#evict(key, call)
    return true
  }

  /** Returns the live sessions that came after a place, in any order. */
  #sessionsAfter(place: number): (readonly [key: string, entry: Entry])[] {
    const now = this.#now()
    const all = [...this.#ownerless, ...this.#owned]
    return all.filter(([, entry]) => entry.place > place && entry.expiresAt >= now && isSession(entry))
  }

  #assertFits(bytes: number): number {
    if (bytes > this.#maxBytes) {
      throw new TooLargeError(
        `The session would need ${bytes} bytes; the MemoryStore holds at most ${this.#maxBytes} bytes (maxBytes). Store less in the session, or raise maxBytes.`
      )
    }
    return bytes
  }

  /**
   * `key`: that of the session that needs the room. One whose place it takes leaves room by itself, soon: until then the store may
   * be fuller than allowed.
   */
  #makeRoom(bytes: number, sessions: number, key: string, call: StoreCall | undefined): void {
    const replacing = call?.replacing ?? ''
    if (this.#hasRoom(bytes, sessions)) return
    this.prune()
    const leaving = this.#get(replacing)
    const [moreBytes, more] = leaving === undefined ? [bytes, sessions] : [bytes - sizeOf(leaving), sessions - 1]
    for (const entries of [this.#ownerless, this.#owned]) {
      for (const other of entries.keys()) {
        if (this.#hasRoom(moreBytes, more)) return
        if (other === key || other === replacing) continue
        this.#evict(other, call)
        this.#warn()
      }
    }
  }

  #hasRoom(bytes: number, sessions: number): boolean {
    return this.#bytes + bytes <= this.#maxBytes && this.size + sessions <= this.#maxSessions
  }

  #warn(): void {
    if (this.#hasWarned) return
    this.#hasWarned = true
    process.emitWarning(
      `The MemoryStore is full (${this.#maxSessions} sessions, ${this.#maxBytes} bytes): it ends the least recently used sessions to make room, those without an owner first. Raise maxSessions or maxBytes, or use a store outside the process.`,
      { type: 'SessionStoreWarning', code: 'SESSION_MEMORY_STORE_FULL' }
    )
  }

  #now(): number {
    return Math.floor(this.#clock() / 1000)
  }
}

/** The bytes whose number the application and its visitors decide: data, owner and description. */
function sizeOf({ json, ownerId = '', description = '' }: SessionRecord): number {
  return Buffer.byteLength(json) + Buffer.byteLength(ownerId) + Buffer.byteLength(description)
}

function toRecord(key: string, entry: Entry): StoredRecord {
  const { json, createdAt, lastSeenAt, permanent, ownerId, description, extensions, expiresAt, version } = entry
  return { key, json, createdAt, lastSeenAt, permanent, ownerId, description, extensions, expiresAt, version }
}
