import type { FastifyRequest } from 'fastify'
import type { CreateResult, MaybePromise, OwnerLimit, SessionRecord, SessionStore } from '../../types/store.ts'
import { ConflictError, LimitError } from '../errors.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import { chain } from '../util/maybe-async.ts'
import type { Timeouts } from './expiry.ts'
import { assertFits } from './size-limit.ts'
import { handleOf } from './store-record.ts'
import { keptUntil } from './waiting.ts'

export interface CreationSettings extends Timeouts {
  /** The most bytes of the data of one session, as JSON. */
  readonly maxBytes: number
  readonly ownerLimit: OwnerLimit | undefined
  /** Describes a new session, as JSON. */
  readonly describe: ((request: FastifyRequest) => string) | undefined
}

/** Adds records to the store. */
export class RecordCreator {
  readonly #store: SessionStore
  readonly #settings: CreationSettings

  constructor(store: SessionStore, settings: CreationSettings) {
    this.#store = store
    this.#settings = settings
  }

  /**
   * `before`: the data that the record takes over, as JSON. Throws `ERR_SESSION_LIMIT`, `ERR_SESSION_TOO_LARGE`, and
   * `ERR_SESSION_CONFLICT` if the id is taken.
   */
  create(
    record: IdentifiedRecord,
    request: FastifyRequest | undefined,
    ownerLimit: OwnerLimit | undefined,
    before = ''
  ): MaybePromise<'saved'> {
    const { json, createdAt, lastSeenAt, permanent, ownerId } = record
    assertFits(json, before, this.#settings.maxBytes)
    const description = request && this.#settings.describe?.(request)
    const facts: SessionRecord = { json, createdAt, lastSeenAt, permanent, ownerId, description }
    const limit = ownerId === undefined ? undefined : ownerLimit
    const created = this.#store.create(handleOf(record.id), facts, keptUntil(record, this.#settings), limit)
    return chain<CreateResult, 'saved'>(created, (result) => {
      if (result === true) return 'saved'
      if (result === false) throw new ConflictError('The store has a session with the new id already.')
      throw new LimitError('This owner has as many sessions as maxPerOwner allows. One of them has to end first.')
    })
  }
}
