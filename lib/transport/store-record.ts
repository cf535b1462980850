import { hash } from 'node:crypto'
import type { MaybePromise, SessionStore, StoredRecord } from '../../types/store.ts'
import { parseStored } from '../data/storable.ts'
import { isUnreadable, unreadableError } from '../errors.ts'
import type { Extensions } from '../format/extensions.ts'
import { refuseExtensions } from '../format/extensions.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import { readLastSeenAt } from '../format/record.ts'
import { isCurrent } from '../stores/sealed.ts'
import { rescue } from '../util/maybe-async.ts'

/** Returns the key under which the store has the session with an id. It opens nothing, so it is also what may be shown. */
export function handleOf(id: string): string {
  return hash('sha256', id, 'base64url')
}

/** What a cookie says of a session that a store has. `id`: the secret, which the store does not know. */
export type Reference = Pick<IdentifiedRecord, 'id' | 'referenceExtensions'>

/** A session as the store has it. Its data is parsed when they are first needed. */
export class StoreRecord implements LoadedRecord {
  readonly id: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly permanent: boolean
  readonly ownerId: string | undefined
  readonly extensions: Extensions
  readonly referenceExtensions: Extensions
  readonly json: string
  readonly key: string
  readonly version: number
  readonly needsRekey?: true

  constructor({ id, referenceExtensions }: Reference, record: StoredRecord) {
    this.id = id
    this.referenceExtensions = referenceExtensions
    this.key = record.key
    this.createdAt = record.createdAt
    this.lastSeenAt = record.lastSeenAt
    this.permanent = record.permanent
    this.ownerId = record.ownerId
    this.extensions = record.extensions || undefined
    this.json = record.json
    this.version = record.version
    if (!isCurrent(record)) this.needsRekey = true
  }

  /** Throws `ERR_SESSION_UNREADABLE`. */
  get data(): Readonly<Record<string, unknown>> {
    return parseStored(this.json)
  }
}

/** A session that is in the store, although the store cannot read it. All that is known of it is in its cookie. */
export class UnreadableRecord implements LoadedRecord {
  readonly id: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly permanent: boolean = false
  readonly ownerId: undefined
  readonly extensions: undefined
  /** Not an empty object: a session without data would end. */
  readonly json: string = ''
  readonly #error: unknown

  /** `lastSeenAt`: when the cookie was written. `error`: what the store said. */
  constructor(id: string, lastSeenAt: number, error: unknown) {
    this.id = id
    this.createdAt = lastSeenAt
    this.lastSeenAt = lastSeenAt
    this.#error = error
  }

  get data(): never {
    throw this.#error
  }
}

/**
 * Loads the session of a cookie. If the store has it and cannot read it, its data throw `ERR_SESSION_UNREADABLE`, as damaged data
 * of other stores do: one damaged record is not an outage.
 */
export function loadRecord(
  store: SessionStore,
  key: string,
  reference: Reference,
  cookie: string
): MaybePromise<LoadedRecord | 'not-found' | 'unsupported'> {
  const unreadable = (error: unknown): LoadedRecord => new UnreadableRecord(reference.id, readLastSeenAt(cookie), error)
  return rescue<StoredRecord | undefined, LoadedRecord | 'not-found' | 'unsupported'>(
    () => store.load(key),
    (record) => {
      if (record === undefined) return 'not-found'
      const refusal = refuseExtensions(record.extensions)
      return refusal === 'malformed' ? unreadable(unreadableError()) : (refusal ?? new StoreRecord(reference, record))
    },
    (error) => {
      if (isUnreadable(error)) return unreadable(error)
      throw error
    }
  )
}

/** A record from the store knows its key, which saves a hash. */
export function keyOf(record: IdentifiedRecord): string {
  return record instanceof StoreRecord ? record.key : handleOf(record.id)
}
