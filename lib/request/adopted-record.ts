import type { FoundSession } from '../../types/adopt.ts'
import { assertStorable, parseStored, toJson } from '../data/storable.ts'
import { InvalidValueError } from '../errors.ts'
import { withoutJudgement } from '../format/extensions.ts'
import type { LoadedRecord } from '../format/record.ts'
import { MAX_SECONDS } from '../format/record.ts'
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
 * Throws `ERR_SESSION_VALUE` for data that JSON cannot hold, and for an owner or a time that is none.
 */
export function adoptedRecord(
  found: FoundSession,
  id: string,
  settings: TimeoutSettings & Pick<Settings, 'permanent' | 'schema'>,
  now: number
): AdoptedRecord {
  assertSeconds(found, 'createdAt', MAX_SECONDS)
  assertSeconds(found, 'lastSeenAt', MAX_SECONDS)
  assertSeconds(found, 'expiresAt', Number.MAX_SAFE_INTEGER)
  const { lastSeenAt = now, createdAt = lastSeenAt, expiresAt = now, permanent = settings.permanent, ownerId } = found
  if (expiresAt < now || checkExpiry({ createdAt, lastSeenAt }, settings, now) !== undefined) return OVER
  // As a member: a class instance that has no members itself is refused, too.
  assertStorable({ data: found.data }, 'found')
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

/** A fraction, or milliseconds, would make a cookie that does not open. */
function assertSeconds(found: FoundSession, name: 'createdAt' | 'lastSeenAt' | 'expiresAt', max: number): void {
  const { [name]: value } = found
  if (value === undefined || (Number.isInteger(value) && value >= 0 && value <= max)) return
  throw new InvalidValueError(
    `A reader of old sessions must give ${name} in whole seconds since 1970, or leave it out.`
  )
}
