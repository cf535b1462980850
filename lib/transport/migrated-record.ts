import type { MemberChanges } from '../data/json-members.ts'
import type { Extensions } from '../format/extensions.ts'
import type { IdentifiedRecord } from '../format/record.ts'

/**
 * A record whose data were of another version of the schema when it was loaded. A store may have them in the present one by now, so
 * that only what the request itself has changed is applied to what the store has.
 */
export class MigratedRecord implements IdentifiedRecord {
  readonly id: string
  readonly createdAt: number
  readonly lastSeenAt: number
  readonly permanent: boolean
  readonly ownerId: string | undefined
  readonly extensions: Extensions
  readonly referenceExtensions: Extensions
  readonly json: string
  /** What the request has changed in the data of the present version. */
  readonly mine: MemberChanges

  constructor(record: IdentifiedRecord, mine: MemberChanges) {
    this.id = record.id
    this.createdAt = record.createdAt
    this.lastSeenAt = record.lastSeenAt
    this.permanent = record.permanent
    this.ownerId = record.ownerId
    this.extensions = record.extensions
    this.referenceExtensions = record.referenceExtensions
    this.json = record.json
    this.mine = mine
  }
}
