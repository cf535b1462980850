import type { CommitReason, OpenReason } from '../../types/diagnostics.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import type { Changes } from './changes.ts'

/** What to do with the session of a request, and why. */
export type Plan =
  /** Save nothing. The cookie stays as the reply has it so far. */
  | { readonly kind: 'nothing'; readonly reason: CommitReason }
  /** Save a record that is not there yet, under a new id. */
  | { readonly kind: 'create'; readonly reason: 'created' | 'renewed' }
  /** Change the record under its id. */
  | { readonly kind: 'update'; readonly reason: 'changed' }
  /** Move the record to a new id, with what other requests have written to it. */
  | { readonly kind: 'rename'; readonly reason: 'renewed' }
  /** Save a new record in the place of one that ends with it. */
  | { readonly kind: 'replace'; readonly reason: 'renewed' }
  /** Note activity, seal the cookie under the newest key or for the first time, or save data in the present version. What they say stays. */
  | { readonly kind: 'touch'; readonly reason: 'restamped' | 'rekeyed' | 'migrated' | 'adopted' }
  /** End the session; if it was emptied, only if no other request has written to it. */
  | { readonly kind: 'end'; readonly reason: 'destroyed' | 'emptied' }
  /** The session has ended. Only the browser still has its cookie. */
  | { readonly kind: 'forget'; readonly reason: 'emptied' | 'stale' }

/** What a decision depends on besides the changes of the data: a part of `SessionState`. */
export interface Facts {
  readonly openReason: OpenReason
  readonly policy: { readonly enabled: boolean }
  readonly persisted: Pick<IdentifiedRecord, 'permanent' | 'ownerId'> | undefined
  readonly accessed: boolean
  readonly isStale: boolean
  readonly isDestroyed: boolean
  readonly goesOnElsewhere: boolean
  readonly regenerated: boolean
  readonly ending: { readonly hasEnded: boolean; readonly isGone: boolean }
  readonly hasNewId: boolean
  readonly permanent: boolean
  readonly ownerId: string | undefined
  readonly needsRekey: boolean
  readonly needsMigration: boolean
  readonly isAmended: boolean
  readonly touched: boolean
  readonly reply: { readonly reason: CommitReason | undefined }
}

const nothing = (reason: CommitReason): Plan => ({ kind: 'nothing', reason })

const STORE_UNAVAILABLE: Plan = nothing('store-unavailable')
const NOT_LOADED: Plan = nothing('not-loaded')
const DISABLED: Plan = nothing('disabled')
const TOKEN: Plan = nothing('token')
const UNTOUCHED: Plan = nothing('untouched')
const UNCHANGED: Plan = nothing('unchanged')
const EMPTY: Plan = nothing('empty')
const RENAMED: Plan = nothing('renamed')
const UNPROVEN: Plan = nothing('device-unproven')
const GONE: Plan = nothing('gone')
const DESTROY: Plan = { kind: 'end', reason: 'destroyed' }
const DELETE_IF_EMPTY: Plan = { kind: 'end', reason: 'emptied' }
const FORGET: Plan = { kind: 'forget', reason: 'emptied' }
const FORGET_STALE: Plan = { kind: 'forget', reason: 'stale' }
const CREATE: Plan = { kind: 'create', reason: 'created' }
const RECREATE: Plan = { kind: 'create', reason: 'renewed' }
const REPLACE: Plan = { kind: 'replace', reason: 'renewed' }
const RENAME: Plan = { kind: 'rename', reason: 'renewed' }
const UPDATE: Plan = { kind: 'update', reason: 'changed' }
const MIGRATE: Plan = { kind: 'touch', reason: 'migrated' }
const ADOPT: Plan = { kind: 'touch', reason: 'adopted' }
const REKEY: Plan = { kind: 'touch', reason: 'rekeyed' }
const RESTAMP: Plan = { kind: 'touch', reason: 'restamped' }

/** The rules, most important first: the first that applies decides. */
export function decide(facts: Facts, { hasChanged, isEmpty }: Changes): Plan {
  const { persisted, ownerId } = facts

  if (facts.openReason === 'store-unavailable') return STORE_UNAVAILABLE
  if (facts.openReason === 'not-loaded') return NOT_LOADED
  if (!facts.policy.enabled && !facts.accessed) return UNTOUCHED
  if (!facts.policy.enabled) return facts.openReason === 'token' ? TOKEN : DISABLED
  if (!facts.accessed && !facts.needsRekey && !facts.touched) return facts.isStale ? FORGET_STALE : UNTOUCHED
  if (facts.isDestroyed) return facts.reply.reason === 'destroyed' ? UNCHANGED : DESTROY

  if (facts.goesOnElsewhere) return facts.openReason === 'renamed' ? RENAMED : UNPROVEN

  if (isEmpty && ownerId === undefined) {
    if (persisted !== undefined) return DELETE_IF_EMPTY
    if (facts.isStale) return FORGET_STALE
    // `regenerate()` has ended the session of an old id without knowing it.
    const hasEnded = facts.ending.hasEnded || (facts.regenerated && facts.openReason === 'renamed')
    return hasEnded && facts.reply.reason !== 'emptied' ? FORGET : EMPTY
  }
  if (facts.ending.isGone) return GONE
  if (persisted === undefined) return facts.ending.hasEnded ? RECREATE : CREATE
  if (facts.regenerated) return REPLACE
  if (facts.hasNewId) return RENAME
  if (hasChanged || persisted.permanent !== facts.permanent || persisted.ownerId !== ownerId) return UPDATE
  if (facts.isAmended) return UPDATE

  if (facts.needsMigration) return MIGRATE
  if (facts.needsRekey) return facts.openReason === 'adopted' ? ADOPT : REKEY
  return facts.touched ? RESTAMP : UNCHANGED
}
