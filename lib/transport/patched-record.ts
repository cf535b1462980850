import type { MemberChanges } from '../data/json-members.ts'
import { applyChanges, diffMembers, NO_CHANGES } from '../data/json-members.ts'
import type { Extensions } from '../format/extensions.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import { MigratedRecord } from './migrated-record.ts'

/** A record given as old data plus changes. Stores need only the changes; the full JSON is built on demand. */
export class PatchedRecord implements IdentifiedRecord {
  readonly id: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly permanent: boolean
  readonly ownerId: string | undefined
  readonly extensions: Extensions
  readonly referenceExtensions: Extensions
  readonly changes: MemberChanges
  readonly #before: string
  #json: string | undefined

  /** `facts.json`: the data before the changes. */
  constructor(facts: IdentifiedRecord, changes: MemberChanges) {
    this.id = facts.id
    this.createdAt = facts.createdAt
    this.lastSeenAt = facts.lastSeenAt
    this.permanent = facts.permanent
    this.ownerId = facts.ownerId
    this.extensions = facts.extensions
    this.referenceExtensions = facts.referenceExtensions
    this.changes = changes
    this.#before = facts.json
  }

  get json(): string {
    this.#json ??= applyChanges(this.#before, this.changes)
    return this.#json
  }
}

/** Returns the changes that lead from the persisted data to those of a record. */
export function changesBetween(persisted: IdentifiedRecord, record: IdentifiedRecord): MemberChanges {
  if (record instanceof PatchedRecord) return record.changes
  if (record instanceof MigratedRecord) return record.mine
  return record.json === persisted.json ? NO_CHANGES : diffMembers(persisted.json, record.json)
}
