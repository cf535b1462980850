import type { RandomPool } from '../crypto/random.ts'

const TIME_CHARACTERS = 9
const BASE = 36
const RANDOM_BYTES = 9
/** The last character of an id that tells no time has two bits only, and is never this one. */
const MARK = 't'
const MARK_AT = 21

/** Returns an id for a session that tells when it was issued: 22 characters. `at`: milliseconds since 1970. */
export function datedId(at: number, random: RandomPool): string {
  return at.toString(BASE).padStart(TIME_CHARACTERS, '0') + random.text(RANDOM_BYTES) + MARK
}

/** Returns when an id was issued, in milliseconds since 1970; 0 if it does not tell. */
export function issuedAt(id: string): number {
  return id[MARK_AT] === MARK ? Number.parseInt(id.slice(0, TIME_CHARACTERS), BASE) : 0
}
