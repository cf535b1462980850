import { hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { OpenRefusal } from '../../types/diagnostics.ts'
import type {
  Answer,
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionRecord,
  SessionStore,
  StoredRecord
} from '../../types/store.ts'
import type { RandomPool } from '../crypto/random.ts'
import type { MemberChanges } from '../data/json-members.ts'
import { applyChanges, diffMembers, NO_CHANGES } from '../data/json-members.ts'
import { ConflictError, goneError, LimitError } from '../errors.ts'
import type { Envelope, OpenEnvelope } from '../format/record.ts'
import type { ReferenceCodec } from '../format/reference.ts'
import { Recent } from '../util/bounded-map.ts'
import { whenDone } from '../util/maybe-async.ts'
import type { Timeouts } from './expiry.ts'
import { lastSecond } from './expiry.ts'
import { ChangedEnvelope } from './patched-record.ts'
import type { Occasion, SaveResult, Transport } from './transport.ts'

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
export interface ReferenceSettings extends Timeouts {
  readonly ownerLimit: OwnerLimit | undefined
  /** What to note about a new session, as JSON. */
  readonly describe: ((request: FastifyRequest) => string) | undefined
}

/** The key that the store has for an id. It opens nothing, so it is also what may be shown of a session. */
export function handleOf(id: string): string {
  return hash('sha256', id, 'base64url')
}

/** The cookie holds an id, the store the session, under a hash of the id: what is in the store opens nothing. */
export class ByReference implements Transport {
  readonly current: string
  readonly opensEarly = true
  readonly isSelfContained = false
  readonly limit: number = Number.POSITIVE_INFINITY
  readonly #codec: ReferenceCodec
  readonly #store: SessionStore
  readonly #settings: ReferenceSettings
  readonly #random: RandomPool
  /**
   * The keys that genuine cookies lead to, each under a hash of the cookie, so that what is remembered opens nothing. The same
   * cookie comes with every request of a session, and to find it here takes one hash instead of three.
   */
  readonly #recent: Recent<string> = new Recent(RECENT_COOKIES)
  /** The last of those who wait for their turn with a record. */
  readonly #queues: Map<string, Promise<unknown>> = new Map()

  constructor(codec: ReferenceCodec, store: SessionStore, settings: ReferenceSettings, random: RandomPool) {
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

  open(text: string): OpenEnvelope | OpenRefusal | Promise<OpenEnvelope | OpenRefusal> {
    const id = this.#codec.idOf(text)
    const digest = hash('sha256', text, 'base64url')
    let key = this.#recent.get(digest)
    if (key === undefined) {
      const refusal = this.#codec.verify(text)
      if (refusal !== undefined) return refusal
      key = handleOf(id)
      this.#recent.set(digest, key)
    }
    return whenDone<StoredRecord | undefined, OpenEnvelope | OpenRefusal>(this.#store.load(key), (record) =>
      record === undefined ? 'not-found' : new StoredEnvelope(id, record)
    )
  }

  save(envelope: Envelope, held: Envelope | undefined, occasion: Occasion): Answer<SaveResult> {
    const { request, replaced } = occasion
    if (held === undefined) return this.#create(envelope, request, replaced && this.#keyOf(replaced))
    if (held.id === envelope.id) return this.#commit(envelope, held)
    return this.#inTurn(this.#keyOf(held), () => this.#move(envelope, held, request))
  }

  seal({ id, stampedAt }: Envelope): string {
    return this.#codec.encode(id, stampedAt)
  }

  async vacate(envelope: Envelope, held: Envelope): Promise<'ended' | SaveResult> {
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

  drop(held: Envelope): Answer<void> {
    return this.#store.destroy(this.#keyOf(held))
  }

  async latest(held: Envelope): Promise<Envelope | undefined> {
    const record = await this.#store.load(this.#keyOf(held))
    return record && new StoredEnvelope(held.id, record)
  }

  readonly amend = (held: Envelope, change: (json: string) => Promise<string>): Promise<Envelope> => {
    const key = this.#keyOf(held)
    return this.#inTurn(key, () => this.#amend(key, held, change))
  }

  measure({ json }: Envelope): number {
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
    envelope: Envelope,
    request: FastifyRequest | undefined,
    replacing: string | undefined,
    isLimited = true
  ): Answer<SaveResult> {
    const { json, createdAt, stampedAt, permanent, ownerId } = envelope
    const description = request && this.#settings.describe?.(request)
    const record: SessionRecord = { json, createdAt, seenAt: stampedAt, permanent, ownerId, description }
    const { ownerLimit } = this.#settings
    const isUnlimited = ownerId === undefined || ownerLimit === undefined || !isLimited
    const limit = isUnlimited ? undefined : { ...ownerLimit, replacing }
    const created = this.#store.create(handleOf(envelope.id), record, this.#expiryOf(envelope), limit)
    return whenDone<CreateResult, SaveResult>(created, (result) => {
      if (result === true) return 'saved'
      if (result === false) throw new ConflictError('The store has a session with the new id already.')
      throw new LimitError('This owner has as many sessions as maxPerOwner allows. One of them has to end first.')
    })
  }

  #commit(envelope: Envelope, held: Envelope): Answer<SaveResult> {
    const key = this.#keyOf(held)
    const expiresAt = this.#expiryOf(envelope)
    const seenAt = envelope.stampedAt === held.stampedAt ? undefined : envelope.stampedAt
    const permanent = envelope.permanent === held.permanent ? undefined : envelope.permanent
    const { set, unset } = this.#changesBetween(held, envelope)
    const isSame = permanent === undefined && unset.length === 0 && Object.keys(set).length === 0
    if (isSame) {
      const touched = this.#store.touch(key, expiresAt, seenAt)
      return whenDone<boolean, SaveResult>(touched, (isThere) => (isThere ? 'saved' : 'gone'))
    }
    const committed = this.#store.commit(key, { set, unset, permanent, seenAt }, expiresAt)
    return whenDone<CommitResult, SaveResult>(committed, (result) => (result === 'committed' ? 'saved' : 'gone'))
  }

  #changesBetween(held: Envelope, envelope: Envelope): MemberChanges {
    if (envelope instanceof ChangedEnvelope) return envelope.changes
    return envelope.json === held.json ? NO_CHANGES : diffMembers(held.json, envelope.json)
  }

  /**
   * Puts the session under its new id before it ends the old one. What others have written to the old one until then moves
   * along: it is ended only in the version that was copied. Ended by somebody else, it takes the new one with it.
   */
  async #move(envelope: Envelope, held: Envelope, request: FastifyRequest | undefined): Promise<SaveResult> {
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
      const stampedAt = Math.max(envelope.stampedAt, old.seenAt)
      const moved = { id: envelope.id, createdAt, stampedAt, permanent, ownerId, json }
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

  async #amend(key: string, held: Envelope, change: (json: string) => Promise<string>): Promise<Envelope> {
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const record = await this.#store.load(key)
      if (record === undefined) throw goneError()
      const latest = new StoredEnvelope(held.id, record)
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
  #keyOf(held: Envelope): string {
    return held instanceof StoredEnvelope ? held.key : handleOf(held.id)
  }

  #expiryOf(envelope: Envelope): number {
    return lastSecond(envelope, this.#settings)
  }
}

/** A session as it was found in the store. The data are parsed when somebody asks for them. */
class StoredEnvelope implements OpenEnvelope {
  readonly id: string
  readonly createdAt: number
  readonly stampedAt: number
  readonly permanent: boolean
  readonly ownerId: string | undefined
  readonly json: string
  readonly key: string

  constructor(id: string, record: StoredRecord) {
    this.id = id
    this.key = record.key
    this.createdAt = record.createdAt
    this.stampedAt = record.seenAt
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
