import type { OpenReason } from '../../types/diagnostics.ts'
import type { LoadedRecord } from '../format/record.ts'

/** What the cookies of a request stand for. */
export interface LoadResult {
  readonly reason: OpenReason
  readonly record: LoadedRecord | undefined
  /** What other cookies of the request open, which are older. The newest is the first. */
  readonly losers: readonly LoadedRecord[]
  /** Whether the cookie was sealed in an older way than new ones are, or the browser has none yet. */
  readonly needsRekey: boolean
  /** Whether the only cookie of the request leads to a session that is gone, so that the browser can forget it. */
  readonly isStale: boolean
  /** Whether the noted activity is `refreshAfter` seconds old. */
  readonly isDue: boolean
  /** When the browser last proved that it is the device to which the session is bound. Undefined if it did not, or is bound to none. */
  readonly provedAt: number | undefined
  /** The key to which a session is bound whose cookie has lost that, because another reply came later than the one that bound it. */
  readonly lostKey: string | undefined
}

const NO_LOSERS: readonly LoadedRecord[] = []

/** All results have one shape, which keeps it cheap to read them. */
export function createResult(
  reason: OpenReason,
  record: LoadedRecord | undefined,
  needsRekey: boolean,
  isDue: boolean,
  losers: readonly LoadedRecord[] = NO_LOSERS,
  provedAt?: number,
  lostKey?: string
): LoadResult {
  return { reason, record, losers, needsRekey, isDue, isStale: false, provedAt, lostKey }
}

/** The cookies of a request stand for nothing. */
export function nothing(reason: OpenReason): LoadResult {
  return createResult(reason, undefined, false, false)
}
