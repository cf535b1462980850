import type { RandomPool } from '../crypto/random.ts'

const TIME_CHARACTERS = 9
const BASE = 36
const RANDOM_BYTES = 9
/** The last character of an id that tells no time has two bits only, and is never this one. */
const MARK = 't'
const MARK_AT = 21
/** Comes after every character of an id. */
const LAST = '~'

/** Returns an id for a session that tells when it was issued: 22 characters. `at`: milliseconds since 1970. */
export function datedId(at: number, random: RandomPool): string {
  return encodeTime(at) + random.text(RANDOM_BYTES) + MARK
}

/** A text that stands for a time, to compare ids with: that takes less than to decode them. */
export type TimeLimit = string

export function limitOf(at: number): TimeLimit {
  return encodeTime(at) + LAST
}

/** Whether an id was issued at a time or before. One that tells no time was issued before every time. */
export function isWithin(limit: TimeLimit, id: string): boolean {
  return id < limit || !isDated(id)
}

/** Whether an id tells when it was issued. That of a session of another library does not. */
export function isDated(id: string): boolean {
  return id[MARK_AT] === MARK
}

/** The texts of times have the order of the times. */
function encodeTime(at: number): string {
  return at.toString(BASE).padStart(TIME_CHARACTERS, '0')
}
