import type { CommitResult, SessionChanges, SessionStore } from '../../types/store.ts'
import { applyChanges } from '../data/json-members.ts'
import { NEXT } from '../data/own-keys.ts'
import type { IdentifiedRecord } from '../format/record.ts'
import type { Expiring, TimeoutSettings } from './expiry.ts'
import { expiresAt } from './expiry.ts'

/** Seconds for a visitor to log in. Anybody can begin such sessions by the thousand, without a cookie. */
const MAX_WAIT = 15 * 60

/**
 * Whether a session is that of a stranger, and holds no more than the page to come back to. `set`: the members that have changed,
 * which tell of most sessions that they are not, before their JSON has to be made.
 */
export function isWaiting(record: Pick<IdentifiedRecord, 'ownerId' | 'json'>, set: object = {}): boolean {
  if (record.ownerId !== undefined || !Object.keys(set).every((key) => key === NEXT)) return false
  return record.json.startsWith(`{"${NEXT}"`) && Object.keys(JSON.parse(record.json)).length === 1
}

/** The last second for which a store keeps a session that sees no more activity. */
export function keptUntil(
  record: Expiring & Pick<IdentifiedRecord, 'ownerId' | 'json'>,
  settings: TimeoutSettings
): number {
  const last = expiresAt(record, settings)
  return isWaiting(record) ? Math.min(last, record.lastSeenAt + MAX_WAIT) : last
}

/**
 * Commits changes to a session that is waiting as far as its request knows. What another request has written to it must not end
 * as early: what counts is what the store has, in the version that was looked at.
 */
export async function commitWaiting(
  store: SessionStore,
  key: string,
  record: IdentifiedRecord,
  changes: SessionChanges,
  settings: TimeoutSettings
): Promise<CommitResult> {
  const latest = await store.load(key)
  if (latest === undefined) return 'gone'
  const { createdAt, ownerId } = record
  const { extensions } = latest
  const facts = { createdAt, lastSeenAt: Math.max(record.lastSeenAt, latest.lastSeenAt), extensions }
  const last = keptUntil({ ...facts, ownerId, json: applyChanges(latest.json, changes) }, settings)
  const result = await store.commit(key, changes, last, latest.version)
  return result === 'conflict' ? store.commit(key, changes, expiresAt(facts, settings)) : result
}
