import { changesTo, diffMembers } from '../data/json-members.ts'
import type { Snapshot } from '../data/snapshot.ts'
import { compareWithSnapshot, updateSnapshot } from '../data/snapshot.ts'
import {
  assertMembersStorable,
  assertSessionStorable,
  assertStorableWithin,
  isSameJson,
  toJson
} from '../data/storable.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import { MigratedRecord } from '../transport/migrated-record.ts'
import { PatchedRecord } from '../transport/patched-record.ts'
import type { SessionState } from './state.ts'

/** How the data of a session differ from the persisted record. Never changes after it was made. */
export interface Changes {
  readonly hasChanged: boolean
  /** Whether the session holds no data now. */
  readonly isEmpty: boolean
  /** The members that differ, if that can be told without the JSON of all data. */
  readonly keys: readonly string[] | undefined
  /** The data as JSON, if not. */
  readonly json: string | undefined
}

const NO_KEYS: readonly string[] = []

/** For sessions of which nothing is saved: their data matter no more. */
const NOT_COMPARED: Changes = { hasChanged: false, isEmpty: true, keys: NO_KEYS, json: '{}' }

/** Nested changes count; the order of members does not. Throws `ERR_SESSION_VALUE` for data that have no JSON. */
export function detectChanges(state: SessionState): Changes {
  if (state.isDestroyed || !state.policy.enabled) return NOT_COMPARED
  const { persisted, session, snapshot } = state
  if (persisted === undefined) {
    const json = session === undefined ? '{}' : toJson(session)
    return { hasChanged: true, isEmpty: json === '{}', keys: undefined, json }
  }
  const before = state.migratedJson ?? persisted.json
  if (session === undefined) {
    return { hasChanged: false, isEmpty: before === '{}', keys: NO_KEYS, json: undefined }
  }
  if (snapshot !== undefined) {
    const keys = compareWithSnapshot(session, snapshot)
    if (keys !== 'unknown') {
      return { hasChanged: keys.length > 0, isEmpty: snapshot.length === 0, keys, json: undefined }
    }
  }
  const json = toJson(session)
  return { hasChanged: !isSameJson(before, json), isEmpty: json === '{}', keys: undefined, json }
}

/** Refuses data that JSON cannot hold: all members, and what is inside those that have changed. */
export function assertChangesStorable({ session }: SessionState, { keys }: Changes, isToBeSaved: boolean): void {
  if (session === undefined) return
  if (isToBeSaved && keys === undefined) {
    assertSessionStorable(session)
    return
  }
  assertMembersStorable(session)
  if (keys !== undefined) assertStorableWithin(session, keys)
}

/** The data as they were compared, for the next comparison, where there is something to go on from: there is seldom a next one. */
export function toSnapshot({ session, snapshot }: SessionState, { keys }: Changes): Snapshot | undefined {
  if (session === undefined || keys === undefined || snapshot === undefined) return undefined
  return updateSnapshot(snapshot, session, keys)
}

/** The record to save: the state of the session with its data as they were compared. */
export function toRecord(state: SessionState, { keys, json }: Changes): IdentifiedRecord {
  const before = state.migratedJson ?? (state.persisted?.json as string)
  const record = patch(recordWith(state, json ?? before), state, keys)
  if (state.migratedJson === undefined && !state.needsMigration) return record
  return new MigratedRecord(record, diffMembers(before, record.json))
}

function patch(record: IdentifiedRecord, { session }: SessionState, keys: Changes['keys']): IdentifiedRecord {
  if (keys === undefined || keys.length === 0 || session === undefined) return record
  return new PatchedRecord(record, changesTo(session, keys))
}

/** The record of a session whose data are `json`. */
export function recordWith(state: SessionState, json: string): IdentifiedRecord {
  const { id, createdAt, lastSeenAt, permanent, ownerId, extensions, referenceExtensions } = state
  return { id, createdAt, lastSeenAt, permanent, ownerId, extensions, referenceExtensions, json }
}
