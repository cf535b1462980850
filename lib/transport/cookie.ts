import type { FastifyRequest } from 'fastify'
import type { OpenRefusal } from '../../types/diagnostics.ts'
import type { EndReason, SessionEnding } from '../../types/endings.ts'
import type { MaybePromise } from '../../types/store.ts'
import { MAX_COOKIE_BYTES } from '../cookie/attributes.ts'
import type { RandomPool } from '../crypto/random.ts'
import type { Announce } from '../endings/endings.ts'
import { endingOf, TELL_NOBODY } from '../endings/endings.ts'
import type { Found } from '../endings/signals.ts'
import type { CookieFormat } from '../format/format.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import { undatedId } from '../revocations/revoked-marks.ts'
import { chain, settled } from '../util/maybe-async.ts'
import { secondsOf } from './clock.ts'
import type { TimeoutSettings } from './expiry.ts'
import { checkExpiry } from './expiry.ts'
import { tooLargeError } from './too-large.ts'
import type {
  EndedRefusal,
  EndResult,
  LoadSession,
  SaveResult,
  Transaction,
  TransactionResult,
  Transport
} from './transport.ts'

const ID_BYTES = 16

export interface CookieTransportSettings extends TimeoutSettings {
  readonly cookieName: string
  /** Returns milliseconds since 1970. */
  readonly clock: () => number
}

/** The data travel in the cookie itself. The server stores nothing, so each reply that changes the session must send it. */
export class CookieTransport implements Transport {
  readonly currentPrefix: string
  readonly limit: number = MAX_COOKIE_BYTES
  readonly readStamp: CookieFormat['readStamp']
  readonly readUsualStamp: CookieFormat['readUsualStamp']
  readonly #format: CookieFormat
  readonly #cookieName: string
  readonly #random: RandomPool
  readonly #settings: CookieTransportSettings
  readonly #announce: Announce
  readonly #now: () => number

  constructor(
    format: CookieFormat,
    settings: CookieTransportSettings,
    random: RandomPool,
    announce: Announce = TELL_NOBODY
  ) {
    this.currentPrefix = format.currentPrefix
    this.readStamp = format.readStamp
    this.readUsualStamp = format.readUsualStamp
    this.#format = format
    this.#cookieName = settings.cookieName
    this.#settings = settings
    this.#now = secondsOf(settings.clock)
    this.#random = random
    this.#announce = announce
  }

  newId(): string {
    return this.#random.text(ID_BYTES)
  }

  idFrom(digest: Buffer): string {
    return undatedId(digest)
  }

  /** The id itself: the data and their seal open the session, not the id. */
  handleOf(id: string): string {
    return id
  }

  /** Waits for the first access: most requests need no session. */
  loadAtStart(): undefined {}

  loadAtAccess<T>(load: LoadSession<T>, request: FastifyRequest): MaybePromise<T> {
    return load(request)
  }

  loadAtEnd<T>(load: LoadSession<T>, request: FastifyRequest, isDue: boolean): MaybePromise<T> | undefined {
    return isDue ? load(request) : undefined
  }

  load(text: string): LoadedRecord | OpenRefusal {
    return this.#format.decode(text)
  }

  notedIn(_text: string, { lastSeenAt }: LoadedRecord): number {
    return lastSeenAt
  }

  activityUntil(now: number): number {
    return now
  }

  latest(persisted: IdentifiedRecord): IdentifiedRecord | EndedRefusal {
    return persisted
  }

  needsCookie(): true {
    return true
  }

  /** Browsers drop a larger cookie, and the session with it: `ERR_SESSION_TOO_LARGE`. */
  seal(record: IdentifiedRecord): string {
    if (record.json.length > this.#format.maxCharacters) throw tooLarge(this.measure(record), record)
    const value = this.#format.encode(record)
    const bytes = this.#cookieName.length + value.length
    if (bytes > MAX_COOKIE_BYTES) throw tooLarge(bytes, record)
    return value
  }

  create(_record: IdentifiedRecord): SaveResult {
    return 'saved'
  }

  update(_record: unknown, persisted: IdentifiedRecord): SaveResult {
    return this.#isOver(persisted) ? 'gone' : 'saved'
  }

  changeId(record: IdentifiedRecord, persisted: IdentifiedRecord): MaybePromise<SaveResult> {
    const result = this.update(record, persisted)
    if (result === 'saved') this.#announce(endingOfOld(persisted, record))
    return result
  }

  replace(record: IdentifiedRecord, persisted: IdentifiedRecord): MaybePromise<SaveResult> {
    const result = this.update(record, persisted)
    if (result === 'saved') this.#leave(persisted, 'replaced')
    return result
  }

  retire(persisted: IdentifiedRecord): MaybePromise<EndResult> {
    return this.#isOver(persisted) ? 'gone' : this.#leave(persisted, 'replaced')
  }

  deleteIfEmpty(_record: IdentifiedRecord, persisted: IdentifiedRecord): MaybePromise<EndResult> {
    return this.#leave(persisted, 'emptied')
  }

  delete(persisted: IdentifiedRecord, reason: EndReason): MaybePromise<EndResult> {
    return this.#leave(persisted, reason)
  }

  /** The server keeps nothing. */
  deleteRefused(_text: string): MaybePromise<void> {}

  /** Only the browser has it. */
  lookUp(_handle: string, _ownerId: string | undefined): Found {
    return undefined
  }

  successorsOf(): readonly string[] {
    return []
  }

  /** No other request can write to these data. What `change` does at once is done at once. */
  transact({ json, change }: Transaction): MaybePromise<TransactionResult> {
    const data: Record<string, unknown> = JSON.parse(json)
    return chain(settled(change(data)), () => ({ data }))
  }

  measure(record: IdentifiedRecord): number {
    return this.#cookieName.length + this.#format.measure(record)
  }

  /** Nothing has been started. */
  close(): MaybePromise<void> {}

  /** A copy of the cookie opens the session until it expires. */
  #leave({ id, ownerId }: IdentifiedRecord, reason: EndReason): EndResult {
    this.#announce(endingOf(id, reason, { ownerId }))
    return 'copied'
  }

  /** A request can take longer than its session lives, and no store forgets that meanwhile. */
  #isOver(persisted: IdentifiedRecord): boolean {
    return checkExpiry(persisted, this.#settings, this.#now()) !== undefined
  }
}

/** The same login goes on under its new id. For everybody else, another session has taken the place of the old one. */
function endingOfOld({ id, ownerId }: IdentifiedRecord, record: IdentifiedRecord): SessionEnding {
  const goesOn = ownerId !== undefined && ownerId === record.ownerId
  return goesOn ? endingOf(id, 'renewed', { ownerId, successor: record.id }) : endingOf(id, 'replaced', { ownerId })
}

function tooLarge(bytes: number, { json }: IdentifiedRecord): Error {
  return tooLargeError(
    `The session cookie would have ${bytes} bytes and browsers keep at most ${MAX_COOKIE_BYTES}`,
    json,
    'Keep ids instead of objects, or keep the session on the server: option store.'
  )
}
