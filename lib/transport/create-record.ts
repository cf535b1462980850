import type { FastifyRequest } from 'fastify'
import type { CreateResult, MaybePromise, OwnerLimit, SessionRecord, SessionStore } from '../../types/store.ts'
import { ConflictError, LimitError } from '../errors.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import type { DataSchema } from '../schema/data-schema.ts'
import { chain } from '../util/maybe-async.ts'
import type { TimeoutSettings } from './expiry.ts'
import type { SizeSettings } from './size-limit.ts'
import { handleOf } from './store-record.ts'
import { keptUntil } from './waiting.ts'

export interface CreationSettings extends TimeoutSettings, SizeSettings {
  readonly ownerLimit: OwnerLimit | undefined
  readonly schema?: DataSchema | undefined
  /** Describes a new session, as JSON. */
  readonly describe: ((request: FastifyRequest) => string) | undefined
}

/** Adds a record to the store. Throws `ERR_SESSION_LIMIT`, and `ERR_SESSION_CONFLICT` if the id is taken. */
export function createRecord(
  store: SessionStore,
  settings: CreationSettings,
  record: IdentifiedRecord,
  request: FastifyRequest | undefined,
  ownerLimit: OwnerLimit | undefined
): MaybePromise<'saved'> {
  const { json, createdAt, lastSeenAt, permanent, ownerId, extensions } = record
  const description = request && settings.describe?.(request)
  const facts: SessionRecord = { json, createdAt, lastSeenAt, permanent, ownerId, description, extensions }
  const limit = ownerId === undefined ? undefined : ownerLimit
  const created = store.create(handleOf(record.id), facts, keptUntil(record, settings), limit)
  return chain<CreateResult, 'saved'>(created, (result) => {
    if (result === true) return 'saved'
    if (result === false) throw new ConflictError('The store has a session with the new id already.')
    throw new LimitError('This owner has as many sessions as maxPerOwner allows. One of them has to end first.')
  })
}
