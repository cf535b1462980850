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
import { fromMembers, toMembers } from '../data/json-members.ts'
import { isSession } from '../data/no-session.ts'
import { parseStored } from '../data/storable.ts'
import { unreadableError } from '../errors.ts'
import type { Extensions } from '../format/extensions.ts'
import { openedExtensions, sealedExtensions } from '../format/extensions.ts'
import type { Place, Sealing } from '../format/sealed-member.ts'
import { sealedLength } from '../format/sealed-member.ts'
import { chain, settled } from '../util/maybe-async.ts'

/**
 * A store that keeps what another one must not be able to read: the values of members are sealed on the way in and opened on the way
 * out. Each is sealed on its own, so that changes remain changes of members, and for its place, so that it opens nowhere else.
 */
export class SealedStore implements SessionStore {
  readonly loadsAtOnce: true | undefined
  // Those of the store that it has.
  readonly count?: NonNullable<SessionStore['count']>
  readonly entries?: NonNullable<SessionStore['entries']>
  readonly destroyEverything?: NonNullable<SessionStore['destroyEverything']>
  readonly #store: SessionStore
  readonly #seal: Sealing
  readonly #isSealed: (record: StoredRecord) => boolean

  /** `isSealed`: whether a record is to be opened. Default: each, so that one which somebody else has put there is unreadable. */
  constructor(store: SessionStore, seal: Sealing, isSealed: (record: StoredRecord) => boolean = () => true) {
    const { entries } = store
    this.loadsAtOnce = store.loadsAtOnce
    this.#store = store
    this.#seal = seal
    this.#isSealed = isSealed
    if (store.count) this.count = store.count.bind(store)
    if (entries) this.entries = (...given) => this.#openStep(entries.apply(store, given))
    if (store.destroyEverything) this.destroyEverything = store.destroyEverything.bind(store)
  }

  create(
    key: string,
    record: SessionRecord,
    expiresAt: number,
    limit?: OwnerLimit,
    call?: StoreCall
  ): MaybePromise<CreateResult> {
    const { description } = record
    const sealed = {
      ...record,
      json: this.#sealAll(`data:${key}`, record.json),
      description: description && this.#sealAll(`description:${key}`, description),
      // A store does not count what is no session, and knows it by these very extensions.
      extensions: isSession(record) ? sealedExtensions(record.extensions) : record.extensions
    }
    return this.#store.create(key, sealed, expiresAt, limit, call)
  }

  /** Throws `ERR_SESSION_UNREADABLE` if one of the data was not sealed for its place, or with a key that is not known. */
  load(key: string): MaybePromise<StoredRecord | undefined> {
    return chain(settled(this.#store.load(key)), (record) =>
      // GuardedStore refuses an answer that is no record, as it does for every store.
      typeof record?.json === 'string' && this.#isSealed(record)
        ? new OpenedRecord(record, key, this.#seal).open()
        : record
    )
  }

  commit(
    key: string,
    changes: SessionChanges,
    expiresAt: number,
    version?: number,
    call?: StoreCall
  ): MaybePromise<CommitResult> {
    const { set, extensions } = changes
    const names = Object.keys(set)
    const sealed = {
      ...changes,
      set: names.length === 0 ? set : this.#sealMembers(`data:${key}`, Object.entries(set)),
      extensions: extensions === undefined ? undefined : sealedExtensions(extensions)
    }
    return this.#store.commit(key, sealed, expiresAt, version, call)
  }

  touch(key: string, expiresAt: number, lastSeenAt?: number, call?: StoreCall): MaybePromise<boolean> {
    return this.#store.touch(key, expiresAt, lastSeenAt, call)
  }

  destroy(key: string, call?: StoreCall): MaybePromise<void> {
    return this.#store.destroy(key, call)
  }

  /** Nothing is opened until it is read. */
  list(ownerId: string): MaybePromise<StoredRecord[]> {
    return chain(settled(this.#store.list(ownerId)), (records) => records.map(this.#open))
  }

  destroyAll(ownerId: string, exceptKey?: string, call?: StoreCall): MaybePromise<number> {
    return this.#store.destroyAll(ownerId, exceptKey, call)
  }

  readonly #open = (record: StoredRecord): StoredRecord =>
    this.#isSealed(record) ? new OpenedRecord(record, record.key, this.#seal) : record

  #openStep(step: MaybePromise<StoreStep<StoredRecord[]>>): MaybePromise<StoreStep<StoredRecord[]>> {
    return chain(settled(step), ({ found, next }) => ({ found: found.map(this.#open), next }))
  }

  #sealAll(place: Place, json: string): string {
    return fromMembers(Object.entries(this.#sealMembers(place, toMembers(json))))
  }

  /** Returns the members with their values sealed, as JSON. */
  #sealMembers(place: Place, members: Iterable<readonly [name: string, text: string]>): Record<string, string> {
    return Object.fromEntries(Array.from(members, ([name, text]) => [name, `"${this.#seal.seal(place, name, text)}"`]))
  }
}

/** A record as it was before it was sealed. Each of its texts is opened when it is first read. */
class OpenedRecord implements StoredRecord {
  readonly key: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly permanent: boolean
  readonly ownerId: string | undefined
  readonly extensions: Extensions
  readonly expiresAt: number
  readonly version: number
  readonly #sealed: StoredRecord
  readonly #seal: Sealing
  #isCurrent = true
  #json: string | undefined
  #description: string | undefined

  /** `key`: that under which the record was found, whatever it says itself. */
  constructor(record: StoredRecord, key: string, seal: Sealing) {
    this.key = key
    this.createdAt = record.createdAt
    this.lastSeenAt = record.lastSeenAt
    this.permanent = record.permanent
    this.ownerId = record.ownerId
    this.extensions = openedExtensions(record.extensions)
    this.expiresAt = record.expiresAt
    this.version = record.version
    this.#sealed = record
    this.#seal = seal
  }

  get json(): string {
    return this.open().#json as string
  }

  get description(): string | undefined {
    const { description } = this.#sealed
    this.#description ??= description && this.#openAll(`description:${this.key}`, description)
    return this.#description
  }

  /** Returns the record itself, with its data opened. */
  open(): this {
    this.#json ??= this.#openAll(`data:${this.key}`, this.#sealed.json)
    return this
  }

  /** Whether all that was read so far is sealed with the newest key. */
  get isCurrent(): boolean {
    return this.#isCurrent
  }

  /** Throws `ERR_SESSION_UNREADABLE`, also for a value that is not sealed: who can write to the store could have put it there. */
  #openAll(place: Place, json: string): string {
    const members = Object.entries(parseStored(json))
    return fromMembers(members.map(([name, sealed]) => [name, this.#openMember(place, name, sealed)]))
  }

  #openMember(place: Place, name: string, sealed: unknown): string {
    const text = typeof sealed === 'string' ? this.#seal.open(place, name, sealed) : undefined
    if (text === undefined) throw unreadableError()
    this.#isCurrent &&= this.#seal.isCurrent(sealed as string)
    return text
  }
}

/** Whether the data of a record, which were read, are sealed as new ones are. Those that are not sealed are. */
export function isCurrent(record: StoredRecord): boolean {
  return !(record instanceof OpenedRecord) || record.isCurrent
}

/** The colon, the comma and the quotes of a member. */
const PUNCTUATION = 4

/**
 * What counts as the size of data that are sealed: the JSON that the store gets. The smallest member, `"":0` and a comma, has five
 * UTF-16 units and at most 78 bytes; of a longer one, each further unit adds at most four.
 */
export const SEALED_SCALE: { readonly maxBytesPerUnit: number; readonly bytesOf: (json: string) => number } = {
  maxBytesPerUnit: 16,
  bytesOf: sealedBytes
}

function sealedBytes(json: string): number {
  let bytes = 1
  for (const [name, text] of toMembers(json)) {
    bytes += Buffer.byteLength(JSON.stringify(name)) + sealedLength(text) + PUNCTUATION
  }
  return Math.max(bytes, '{}'.length)
}
