import type { FoundSession } from '../../types/adopt.ts'
import { assertStorable, parseStored, toJson } from '../data/storable.ts'
import { withoutJudgement } from '../format/extensions.ts'
import type { LoadedRecord } from '../format/record.ts'
import type { Settings } from '../options.ts'
import { assertOwnerId } from '../owners/owner-id.ts'
import type { InvalidData } from '../schema/data-schema.ts'
import type { TimeoutSettings } from '../transport/expiry.ts'
import { checkExpiry } from '../transport/expiry.ts'

/** What becomes of a session of another library. */
type AdoptedRecord =
  | { readonly kind: 'record'; readonly record: LoadedRecord }
  | { readonly kind: 'over' }
  | InvalidData

const OVER: AdoptedRecord = { kind: 'over' }

/**
 * Returns the record of ours that takes the place of a session of another library; `over` if it has ended by the rules of that library
 * or by ours, or if there is nothing in it. `now`: seconds since 1970.
 *
 * Throws `ERR_SESSION_VALUE` for data that JSON cannot hold, and for an owner that is none.
 */
export function adoptedRecord(
  found: FoundSession,
  id: string,
  settings: TimeoutSettings & Pick<Settings, 'permanent' | 'schema'>,
  now: number
): AdoptedRecord {
  const { lastSeenAt = now, createdAt = lastSeenAt, expiresAt = now, permanent = settings.permanent, ownerId } = found
  if (expiresAt < now || checkExpiry({ createdAt, lastSeenAt }, settings, now) !== undefined) return OVER
  assertStorable(found.data, 'data')
  if (ownerId !== undefined) assertOwnerId(ownerId, 'ownerOf()')
  const given = toJson(found.data)
  // A session without data is none.
  if (given === '{}' && ownerId === undefined) return OVER
  // As data of the present version that nobody has judged yet.
  const { schema } = settings
  const unjudged = { json: given, extensions: withoutJudgement(schema?.extensions) }
  const opened = schema === undefined ? unjudged : schema.open(unjudged)
  if ('kind' in opened && opened.kind === 'invalid') return opened
  const { json, extensions } = opened
  const facts = { id, createdAt: Math.min(createdAt, now), lastSeenAt: now, permanent, ownerId, extensions }
  return { kind: 'record', record: { ...facts, json, data: parseStored(json) } }
}
