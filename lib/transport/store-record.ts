import { hash } from 'node:crypto'
import type { StoredRecord } from '../../types/store.ts'
import type { IdentifiedRecord, LoadedRecord } from '../format/record.ts'

/** Returns the key under which the store has the session with an id. It opens nothing, so it is also what may be shown. */
export function handleOf(id: string): string {
  return hash('sha256', id, 'base64url')
}

/** A session as the store has it. Its data is parsed when they are first needed. */
export class StoreRecord implements LoadedRecord {
  readonly id: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly permanent: boolean
  readonly ownerId: string | undefined
  readonly json: string
  readonly key: string

  /** `id`: the secret, which the store does not know. */
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

/** A record from the store knows its key, which saves a hash. */
export function keyOf(record: IdentifiedRecord): string {
  return record instanceof StoreRecord ? record.key : handleOf(record.id)
}
