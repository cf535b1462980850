import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { OpenRefusal } from '../../types/diagnostics.ts'
import type {
  CommitResult,
  CreateResult,
  MaybePromise,
  OwnerLimit,
  SessionRecord,
  SessionStore,
  StoredRecord
} from '../../types/store.ts'
import type { RandomPool } from '../crypto/random.ts'
import type { MemberChanges } from '../data/json-members.ts'
import { applyChanges, diffMembers, NO_CHANGES } from '../data/json-members.ts'
import { ConflictError, goneError, LimitError } from '../errors.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'
import type { ReferenceFormat } from '../format/reference.ts'
import { BoundedMap } from '../util/bounded-map.ts'
import { chain } from '../util/maybe-async.ts'
import type { Timeouts } from './expiry.ts'
import { expiresAt } from './expiry.ts'
import { PatchedRecord } from './patched-record.ts'
import type { SaveContext, SaveResult, Transport } from './transport.ts'

/** 256 bits: the id is all that somebody needs to open the session. */
const ID_BYTES = 32

/** How often a change is tried before somebody else's are held to be too many. */
const MAX_ATTEMPTS = 40
const MAX_PAUSE_MILLISECONDS = 25

/** Some 200 bytes each. Between this and twice as many are remembered. */
const RECENT_COOKIES = 2000

/** A time that has passed, and so ends a record. */
const ENDED = 0

/** What a transport by reference needs of the settings. */
export interface StoreTransportSettings extends Timeouts {
  readonly ownerLimit: OwnerLimit | undefined
  /** What to note about a new session, as JSON. */
  readonly describe: ((request: FastifyRequest) => string) | undefined
}

/** The key that the store has for an id. It opens nothing, so it is also what may be shown of a session. */
export function handleOf(id: string): string {
  return hash('sha256', id, 'base64url')
}

/** The cookie holds an id, the store the session, under a hash of the id: what is in the store opens nothing. */
export class StoreTransport implements Transport {
  readonly current: string
  readonly loadsBeforeHandler = true
  readonly isSelfContained = false
  readonly limit: number = Number.POSITIVE_INFINITY
  readonly #codec: ReferenceFormat
  readonly #store: SessionStore
  readonly #settings: StoreTransportSettings
  readonly #random: RandomPool
  /**
   * The keys that genuine cookies lead to, each under a hash of the cookie, so that what is remembered opens nothing. The same
   * cookie comes with every request of a session, and to find it here takes one hash instead of three.
   */
  readonly #recent: BoundedMap<string> = new BoundedMap(RECENT_COOKIES)
  /** The last of those who wait for their turn with a record. */
  readonly #queues: Map<string, Promise<unknown>> = new Map()

  constructor(codec: ReferenceFormat, store: SessionStore, settings: StoreTransportSettings, random: RandomPool) {
    this.current = codec.current
    this.#codec = codec
    this.#store = store
    this.#settings = settings
    this.#random = random
  }

  newId(): string {
    return this.#random.text(ID_BYTES)
  }

  handleOf(id: string): string {
    return handleOf(id)
  }

  open(text: string): LoadedRecord | OpenRefusal | Promise<LoadedRecord | OpenRefusal> {
    const id = this.#codec.idOf(text)
    const digest = hash('sha256', text, 'base64url')
    let key = this.#recent.get(digest)
    if (key === undefined) {
      const refusal = this.#codec.verify(text)
      if (refusal !== undefined) return refusal
      key = handleOf(id)
      this.#recent.set(digest, key)
    }
    return chain<StoredRecord | undefined, LoadedRecord | OpenRefusal>(this.#store.load(key), (record) =>
      record === undefined ? 'not-found' : new StoreRecord(id, record)
    )
  }

  save(
    envelope: IdentifiedRecord,
    held: IdentifiedRecord | undefined,
    occasion: SaveContext
  ): MaybePromise<SaveResult> {
    const { request, replaced } = occasion
    if (held === undefined) return this.#create(envelope, request, replaced && this.#keyOf(replaced))
    if (held.id === envelope.id) return this.#commit(envelope, held)
    return this.#inTurn(this.#keyOf(held), () => this.#move(envelope, held, request))
  }

  seal({ id, lastSeenAt }: IdentifiedRecord): string {
    return this.#codec.encode(id, lastSeenAt)
  }

  async deleteIfEmpty(envelope: IdentifiedRecord, held: IdentifiedRecord): Promise<'ended' | SaveResult> {
    const key = this.#keyOf(held)
    if (held.id !== envelope.id) {
      await this.#store.destroy(key)
      return 'ended'
    }
    const removal = diffMembers(held.json, envelope.json)
    if ((await this.#store.commit(key, removal, this.#expiryOf(envelope))) === 'gone') return 'gone'
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const left = await this.#store.load(key)
      if (left === undefined) return 'ended'
      if (left.json !== '{}') return 'saved'
      if ((await this.#store.commit(key, NO_CHANGES, ENDED, left.version)) !== 'conflict') {
        await this.#store.destroy(key)
        return 'ended'
      }
      await pause(attempt)
    }
    return 'saved'
  }

  drop(held: IdentifiedRecord): MaybePromise<void> {
    return this.#store.destroy(this.#keyOf(held))
  }

  async latest(held: IdentifiedRecord): Promise<IdentifiedRecord | undefined> {
    const record = await this.#store.load(this.#keyOf(held))
    return record && new StoreRecord(held.id, record)
  }

  readonly amend = (held: IdentifiedRecord, change: (json: string) => Promise<string>): Promise<IdentifiedRecord> => {
    const key = this.#keyOf(held)
    return this.#inTurn(key, () => this.#amend(key, held, change))
  }

  measure({ json }: IdentifiedRecord): number {
    return Buffer.byteLength(json)
  }

  /** One after the other here: those who change one record would only get into each other's way. */
  async #inTurn<T>(key: string, run: () => Promise<T>): Promise<T> {
    const previous = this.#queues.get(key)
    const turn = previous === undefined ? run() : previous.then(run)
    const settled = turn.catch(() => {})
    this.#queues.set(key, settled)
    try {
      return await turn
    } finally {
      if (this.#queues.get(key) === settled) this.#queues.delete(key)
    }
  }

  #create(
    envelope: IdentifiedRecord,
    request: FastifyRequest | undefined,
    replacing: string | undefined,
    isLimited = true
  ): MaybePromise<SaveResult> {
    const { json, createdAt, lastSeenAt, permanent, ownerId } = envelope
    const description = request && this.#settings.describe?.(request)
    const record: SessionRecord = { json, createdAt, lastSeenAt: lastSeenAt, permanent, ownerId, description }
    const { ownerLimit } = this.#settings
    const isUnlimited = ownerId === undefined || ownerLimit === undefined || !isLimited
    const limit = isUnlimited ? undefined : { ...ownerLimit, replacing }
    const created = this.#store.create(handleOf(envelope.id), record, this.#expiryOf(envelope), limit)
    return chain<CreateResult, SaveResult>(created, (result) => {
      if (result === true) return 'saved'
      if (result === false) throw new ConflictError('The store has a session with the new id already.')
      throw new LimitError('This owner has as many sessions as maxPerOwner allows. One of them has to end first.')
    })
  }

  #commit(envelope: IdentifiedRecord, held: IdentifiedRecord): MaybePromise<SaveResult> {
    const key = this.#keyOf(held)
    const expiresAt = this.#expiryOf(envelope)
    const lastSeenAt = envelope.lastSeenAt === held.lastSeenAt ? undefined : envelope.lastSeenAt
    const permanent = envelope.permanent === held.permanent ? undefined : envelope.permanent
    const { set, unset } = this.#changesBetween(held, envelope)
    const isSame = permanent === undefined && unset.length === 0 && Object.keys(set).length === 0
    if (isSame) {
      const touched = this.#store.touch(key, expiresAt, lastSeenAt)
      return chain<boolean, SaveResult>(touched, (isThere) => (isThere ? 'saved' : 'gone'))
    }
    const committed = this.#store.commit(key, { set, unset, permanent, lastSeenAt }, expiresAt)
    return chain<CommitResult, SaveResult>(committed, (result) => (result === 'committed' ? 'saved' : 'gone'))
  }

  #changesBetween(held: IdentifiedRecord, envelope: IdentifiedRecord): MemberChanges {
    if (envelope instanceof PatchedRecord) return envelope.changes
    return envelope.json === held.json ? NO_CHANGES : diffMembers(held.json, envelope.json)
  }

  /**
   * Puts the session under its new id before it ends the old one. What others have written to the old one until then moves
   * along: it is ended only in the version that was copied. Ended by somebody else, it takes the new one with it.
   */
  async #move(
    envelope: IdentifiedRecord,
    held: IdentifiedRecord,
    request: FastifyRequest | undefined
  ): Promise<SaveResult> {
    const [oldKey, newKey] = [this.#keyOf(held), handleOf(envelope.id)]
    const { createdAt, ownerId } = envelope
    const mine = this.#changesBetween(held, envelope)
    let copied: string | undefined
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const old = await this.#store.load(oldKey)
      if (old === undefined) return this.#giveUp(newKey)
      const json = applyChanges(old.json, mine)
      // What this request left alone is as somebody else may have left it.
      const permanent = envelope.permanent === held.permanent ? old.permanent : envelope.permanent
      const lastSeenAt = Math.max(envelope.lastSeenAt, old.lastSeenAt)
      const moved = { id: envelope.id, createdAt, lastSeenAt, permanent, ownerId, json }
      if (copied === undefined) {
        // Of the same owner there is not one more: a limit has no say.
        await this.#create(moved, request, oldKey, ownerId !== held.ownerId)
      } else {
        const result = await this.#store.commit(newKey, diffMembers(copied, json), this.#expiryOf(moved))
        if (result === 'gone') return this.#giveUp(oldKey)
      }
      copied = json
      const result = await this.#store.commit(oldKey, NO_CHANGES, ENDED, old.version)
      if (result === 'gone') return this.#giveUp(newKey)
      if (result === 'committed') {
        await this.#store.destroy(oldKey)
        return 'saved'
      }
      await pause(attempt)
    }
    await this.#giveUp(newKey)
    throw new ConflictError('Others changed the session again and again while it was to get a new id. Try again.')
  }

  /** One of two records has been ended by somebody: so must be the other. */
  async #giveUp(otherKey: string): Promise<'gone'> {
    await this.#store.destroy(otherKey)
    return 'gone'
  }

  async #amend(
    key: string,
    held: IdentifiedRecord,
    change: (json: string) => Promise<string>
  ): Promise<IdentifiedRecord> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const record = await this.#store.load(key)
      if (record === undefined) throw goneError()
      const latest = new StoreRecord(held.id, record)
      const json = await change(record.json)
      if (json === record.json) return latest
      const changes = diffMembers(record.json, json)
      const result = await this.#store.commit(key, changes, record.expiresAt, record.version)
      if (result === 'gone') throw goneError()
      if (result === 'committed') return { ...latest, json }
      await pause(attempt)
    }
    throw new ConflictError('Others changed the session again and again, so session.update() has given up. Try again.')
  }

  /** What was found in the store says its key, which saves a hash. */
  #keyOf(held: IdentifiedRecord): string {
    return held instanceof StoreRecord ? held.key : handleOf(held.id)
  }

  #expiryOf(envelope: IdentifiedRecord): number {
    return expiresAt(envelope, this.#settings)
  }
}

/** A session as it was found in the store. The data are parsed when somebody asks for them. */
class StoreRecord implements LoadedRecord {
  readonly id: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly permanent: boolean
  readonly ownerId: string | undefined
  readonly json: string
  readonly key: string

  constructor(id: string, record: StoredRecord) {
    this.id = id
    this.key = record.key
    this.createdAt = record.createdAt
    this.lastSeenAt = record.lastSeenAt
    this.permanent = record.permanent
    this.ownerId = record.ownerId
    this.json = record.json
  }

  get data(): Readonly<Record<string, unknown>> {
    return JSON.parse(this.json)
  }
}

/** Longer after each attempt, and not the same for two who met. */
function pause(attempt: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.random() * Math.min(attempt, MAX_PAUSE_MILLISECONDS)))
}
