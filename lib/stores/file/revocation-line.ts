import type { Revocation } from '../../../types/revocations.ts'
import { isObject, isString } from '../../util/check.ts'

/** Returns the line of an entry. JSON has no line break in it. */
export function encodeRevocation(entry: Revocation): string {
  return `${JSON.stringify(entry)}\n`
}

/** The inverse of `encodeRevocation`. Returns undefined for a line that is damaged, or that no list has written. */
export function decodeRevocation(line: string): Revocation | undefined {
  try {
    const entry = JSON.parse(line)
    return isRevocation(entry) ? entry : undefined
  } catch {
    return undefined
  }
}

function isRevocation(value: unknown): value is Revocation {
  if (!isObject(value)) return false
  const { kind, id, until, renamedUntil = 0, before, except, ...others } = value as Record<string, unknown>
  if (!isTime(until)) return false
  if (kind === 'session') {
    const { successor = '', ownerId = '', reason = '' } = others
    return isString(id) && isTime(renamedUntil) && [successor, ownerId, reason].every(isString)
  }
  if (kind === 'owner') return isString(id) && isTime(before) && Array.isArray(except) && except.every(isString)
  if (kind === 'all') return isTime(before)
  // A newer version may have other kinds. They stay in the list.
  return isString(kind)
}

function isTime(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0
}
