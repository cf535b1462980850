import type { FastifyRequest } from 'fastify'
import type { OwnerLimit, SessionStore } from '../../types/store.ts'
import { applyChanges, diffMembers, NO_CHANGES } from '../data/json-members.ts'
import { ConflictError } from '../errors.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import type { Tombstones } from '../owners/tombstones.ts'
import { changesBetween } from './patched-record.ts'
import { pause } from './pause.ts'
import type { CreationSettings, RecordCreator } from './record-creator.ts'
import { handleOf, keyOf } from './store-record.ts'
import type { EndResult, SaveResult } from './transport.ts'
import { keptUntil } from './waiting.ts'

export const MAX_ATTEMPTS = 40

/** A time that has passed, and so ends a record. */
export const ENDED = 0

/**
 * How one record takes the place of another in the store. The new one is there before the old one ends, so that a failure in
 * between loses nothing. It stays only if this request could end the old one: whatever another request has ended stays ended.
 */
export class Successions {
  readonly #store: SessionStore
  readonly #settings: CreationSettings
  readonly #creator: RecordCreator
  readonly #tombstones: Tombstones

  constructor(store: SessionStore, settings: CreationSettings, creator: RecordCreator, tombstones: Tombstones) {
    this.#store = store
    this.#settings = settings
    this.#creator = creator
    this.#tombstones = tombstones
  }

  /** Ends the record at `key`. `gone`: another request has ended it before. `successor`: see `Tombstones`. */
  async retire(key: string, successor?: string): Promise<EndResult> {
    await this.#tombstones.add(key, successor)
    if ((await this.#store.commit(key, NO_CHANGES, ENDED)) === 'gone') return 'gone'
    await this.#store.destroy(key)
    return 'ended'
  }

  /** Saves `record` in the place of `persisted`. Nothing that other requests have written moves along. */
  async replace(record: IdentifiedRecord, persisted: IdentifiedRecord, request: FastifyRequest): Promise<SaveResult> {
    const [oldKey, newKey] = [keyOf(persisted), handleOf(record.id)]
    // A session that has ended must not push another one of an owner out.
    if ((await this.#store.load(oldKey)) === undefined) return 'gone'
    await this.#creator.create(record, request, this.#limitFor(record, persisted))
    const result = await this.retire(oldKey, successorOf(record, persisted))
    return result === 'gone' ? this.#giveUp(newKey) : 'saved'
  }

  /**
   * Moves a record to a new id. What other requests write to the old one until then moves along: it is ended only in the version
   * that was copied. If another request ends one of the two, the other ends as well.
   */
  async changeId(record: IdentifiedRecord, persisted: IdentifiedRecord, request: FastifyRequest): Promise<SaveResult> {
    const [oldKey, newKey] = [keyOf(persisted), handleOf(record.id)]
    const { id, createdAt, ownerId } = record
    const mine = changesBetween(persisted, record)
    const limit = this.#limitFor(record, persisted)
    let copied: string | undefined
    for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
      const old = await this.#store.load(oldKey)
      if (old === undefined) return this.#giveUp(newKey)
      const json = applyChanges(old.json, mine)
      // What this request left alone is as another one may have set it.
      const permanent = record.permanent === persisted.permanent ? old.permanent : record.permanent
      const lastSeenAt = Math.max(record.lastSeenAt, old.lastSeenAt)
      const moved = { id, createdAt, lastSeenAt, permanent, ownerId, json }
      if (copied === undefined) {
        await this.#creator.create(moved, request, limit, old.json)
        await this.#tombstones.add(oldKey, successorOf(record, persisted))
      } else {
        const result = await this.#store.commit(newKey, diffMembers(copied, json), keptUntil(moved, this.#settings))
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

  /** The same owner has no more sessions than before, so that a limit does not apply. */
  #limitFor({ ownerId }: IdentifiedRecord, persisted: IdentifiedRecord): OwnerLimit | undefined {
    const { ownerLimit } = this.#settings
    return ownerId === persisted.ownerId ? undefined : ownerLimit && { ...ownerLimit, replacing: keyOf(persisted) }
  }

  async #giveUp(otherKey: string): Promise<'gone'> {
    await this.#store.destroy(otherKey)
    return 'gone'
  }
}

/** The key of the new record, if it is of the same login: a logout with the old id then ends it. */
function successorOf(record: IdentifiedRecord, { ownerId }: IdentifiedRecord): string | undefined {
  return ownerId !== undefined && ownerId === record.ownerId ? handleOf(record.id) : undefined
}
