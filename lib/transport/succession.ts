import type { FastifyRequest } from 'fastify'
import type { CommitResult, OwnerLimit } from '../../types/store.ts'
import { applyChanges, diffMembers, NO_CHANGES } from '../data/json-members.ts'
import type { Announce } from '../endings/endings.ts'
import { endingOf } from '../endings/endings.ts'
import { ConflictError, StoreUnavailableError } from '../errors.ts'
import { withDeviceChange } from '../format/device.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import { withTimeoutsChange, withTimeoutsOf } from '../format/timeouts.ts'
import type { Tombstones } from '../owners/tombstones.ts'
import type { StoreOperation } from '../stores/guarded.ts'
import type { CreationSettings } from './create-record.ts'
import { createRecord } from './create-record.ts'
import { MigratedRecord } from './migrated-record.ts'
import { changesBetween } from './patched-record.ts'
import { pause } from './pause.ts'
import { assertFits } from './size-limit.ts'
import { handleOf, keyOf } from './store-record.ts'
import type { EndResult, SaveResult } from './transport.ts'
import type { Undo } from './undo.ts'
import { keptUntil } from './waiting.ts'

export const MAX_ATTEMPTS = 40

/** A time that has passed, and so ends a record. */
export const ENDED = 0

/**
 * How one record takes the place of another in the store. The new one is there before the old one ends, so that a failure in
 * between loses nothing. It stays only if this request could end the old one: whatever another request has ended stays ended.
 *
 * One instance serves one operation. If the store fails before the operation is known to be complete, the new record does not
 * stay.
 */
export class Succession {
  readonly #store: StoreOperation
  readonly #settings: CreationSettings
  readonly #tombstones: Tombstones
  readonly #undo: Undo
  readonly #announce: Announce

  /** `tombstones`: in the store of the operation. */
  constructor(
    store: StoreOperation,
    settings: CreationSettings,
    tombstones: Tombstones,
    undo: Undo,
    announce: Announce
  ) {
    this.#store = store
    this.#settings = settings
    this.#tombstones = tombstones
    this.#undo = undo
    this.#announce = announce
  }

  /** Ends a record. `gone`: another request has ended it before. */
  async retire(persisted: IdentifiedRecord): Promise<EndResult> {
    const key = keyOf(persisted)
    await this.#tombstones.add(key, undefined)
    if ((await this.#end(key)) === 'gone') return 'gone'
    this.#announce(endingOf(key, 'replaced', { ownerId: persisted.ownerId }))
    return 'ended'
  }

  /** See `Transport`. */
  async replace(
    record: IdentifiedRecord,
    persisted: IdentifiedRecord,
    request: FastifyRequest,
    isShared: boolean
  ): Promise<SaveResult> {
    const [oldKey, newKey] = [keyOf(persisted), handleOf(record.id)]
    // A session that has ended must not push another one of an owner out.
    if ((await this.#store.load(oldKey)) === undefined) return 'gone'
    try {
      await this.#create(record, persisted, request)
      if ((await this.#end(oldKey)) === 'gone') return this.#giveUp(newKey)
    } catch (error) {
      throw isShared ? error : this.#failed(error, record)
    }
    this.#announce(endingOf(oldKey, 'replaced', { ownerId: persisted.ownerId }))
    return 'saved'
  }

  /**
   * Moves a record to a new id. What other requests write to the old one until then moves along: it is ended only in the version
   * that was copied. If another request ends one of the two, the other ends as well.
   */
  async changeId(record: IdentifiedRecord, persisted: IdentifiedRecord, request: FastifyRequest): Promise<SaveResult> {
    const [oldKey, newKey] = [keyOf(persisted), handleOf(record.id)]
    const { id, createdAt, ownerId, referenceExtensions } = record
    const mine = changesBetween(persisted, record)
    const { schema } = this.#settings
    let copied: string | undefined
    try {
      for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
        const old = await this.#store.load(oldKey)
        if (old === undefined) return this.#giveUp(newKey)
        // What another request has migrated is not migrated again.
        const present = record instanceof MigratedRecord ? schema?.present(old) : old
        if (present === undefined) return this.#giveUp(newKey)
        const json = applyChanges(present.json, mine)
        // What this request left alone is as another one may have set it.
        const permanent = record.permanent === persisted.permanent ? old.permanent : record.permanent
        const isStamped = record.extensions !== persisted.extensions && present === old
        const base = isStamped ? record.extensions : withDeviceChange(present.extensions, persisted, record)
        const extensions = withTimeoutsOf(base, withTimeoutsChange(old.extensions, persisted, record))
        const lastSeenAt = Math.max(record.lastSeenAt, old.lastSeenAt)
        const moved = { id, createdAt, lastSeenAt, permanent, ownerId, extensions, referenceExtensions, json }
        if (copied === undefined) {
          await this.#create(moved, persisted, request, old.json)
        } else {
          const changes = { ...diffMembers(copied, json), extensions: extensions ?? '' }
          const result = await this.#store.commit(newKey, changes, keptUntil(moved, this.#settings))
          if (result === 'gone') {
            this.#announce(endingOf(oldKey, 'gone', { ownerId: persisted.ownerId }))
            return this.#giveUp(oldKey)
          }
        }
        copied = json
        const result = await this.#end(oldKey, old.version)
        if (result === 'gone') return this.#giveUp(newKey)
        if (result === 'committed') return this.#renamed(record, persisted)
        await pause(attempt)
      }
    } catch (error) {
      throw this.#failed(error, record)
    }
    await this.#giveUp(newKey)
    throw new ConflictError('Others changed the session again and again while it was to get a new id. Try again.')
  }

  #renamed(record: IdentifiedRecord, persisted: IdentifiedRecord): 'saved' {
    const [key, { ownerId }] = [keyOf(persisted), persisted]
    const successor = successorOf(record, persisted)
    this.#announce(endingOf(key, successor === undefined ? 'replaced' : 'renewed', { ownerId, successor }))
    return 'saved'
  }

  /**
   * Adds the new record, after the tombstone of the old one: a store that has no room for all three ends the tombstone. `before`:
   * the data that the record takes over, as JSON. Throws `ERR_SESSION_TOO_LARGE`, and what `createRecord` throws.
   */
  async #create(
    record: IdentifiedRecord,
    persisted: IdentifiedRecord,
    request: FastifyRequest,
    before = ''
  ): Promise<void> {
    assertFits(record.json, before, this.#settings)
    await this.#tombstones.add(keyOf(persisted), successorOf(record, persisted))
    await createRecord(this.#store, this.#settings, record, request, this.#limitFor(record, persisted))
  }

  /**
   * Ends a record. It has ended by the commit. Nobody waits for the removal of its text: if that took longer than the operation may
   * take, the request would fail although all is done.
   */
  async #end(key: string, version?: number): Promise<CommitResult> {
    const result = await this.#store.commit(key, NO_CHANGES, ENDED, version)
    if (result === 'committed') void this.#destroy(key)
    return result
  }

  /** The same owner has no more sessions than before, so that a limit does not apply. */
  #limitFor({ ownerId }: IdentifiedRecord, persisted: IdentifiedRecord): OwnerLimit | undefined {
    return ownerId === persisted.ownerId ? undefined : this.#settings.ownerLimit
  }

  /** Another request has ended one of the two records, so that the other one must not stay. */
  async #giveUp(otherKey: string): Promise<'gone'> {
    await this.#destroy(otherKey)
    return 'gone'
  }

  /** Removes a record, later if the store fails. */
  async #destroy(key: string): Promise<void> {
    try {
      await this.#store.destroy(key)
    } catch {
      this.#undo.removal(this.#store, key)
    }
  }

  /**
   * Returns the error. If it leaves the outcome unknown, the new record is removed later. The old one may have ended, and then it
   * does not come back: nobody can tell whether this request has ended it or another one, which meant it.
   */
  #failed(error: unknown, record: IdentifiedRecord): unknown {
    if (error instanceof StoreUnavailableError) this.#undo.removal(this.#store, handleOf(record.id))
    return error
  }
}

/** The key of the new record, if it is of the same login: a logout with the old id then ends it. */
function successorOf(record: IdentifiedRecord, { ownerId }: IdentifiedRecord): string | undefined {
  return ownerId !== undefined && ownerId === record.ownerId ? handleOf(record.id) : undefined
}
