import { createHash } from 'node:crypto'
import type { Script } from './commands.ts'

// Each script works on one key, because a cluster allows no more. Each returns an array of strings, because those look the same
// in every version of the protocol. The scripts need Redis 6.2.

/** What a script returns that has not been applied, because its time is over. */
export const LATE = 'late'

/** Returns the script that consists of these parts. */
export function define(...parts: readonly string[]): Script {
  const source = `${parts.map((part) => part.trim()).join('\n')}\n`
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/**
 * What begins every script. The first argument is the time in milliseconds by the clock of the application, so that the clock of
 * the server does not matter for the expiry of records.
 */
export const BEGIN: string = `
local key, time = KEYS[1], tonumber(ARGV[1])
local now = math.floor(time / 1000)
-- The milliseconds until a record expires: it lives through its last second. Somebody may have written something else than a number.
local function left(last) return ((tonumber(last) or -1) + 1) * 1000 - time end
-- Something that is no hash has no fields. It is not ours, and must stop nobody: 'is_hash' is false.
local is_hash = true
local function fields(...)
  local found = redis.pcall('HMGET', key, ...)
  is_hash = not found.err
  return is_hash and found or {}
end
`

/** Every script that writes, and `TIME`, begins its reply with the milliseconds since 1970 by the clock of the server. */
export const ANSWER: string = `
local seconds, microseconds = unpack(redis.call('TIME'))
local clock = seconds * 1000 + microseconds / 1000
local function answer(...) return { string.format('%.3f', clock), ... } end
`

/**
 * What follows in every script that writes. Arguments 2 to 5: the name of the writer and the number of its command, which
 * together are the mark of the command; the lowest number that the writer may still send; until when the command may be applied,
 * by the clock of the server, or ''.
 *
 * A mark is kept while a client may send the command again. Ten seconds are added, because a client whose process stood still
 * has more time than Redis knew.
 */
export const WRITES: string = `
local writer, number, lowest, limit = ARGV[2], ARGV[3], tonumber(ARGV[4]), tonumber(ARGV[5])
local is_late = limit and clock > limit
local keep_until = math.ceil(limit and limit / 1000 + 10 or clock / 1000 + 60)
`

/** Returns the time of the server, and nothing else. */
export const TIME: Script = define(ANSWER, 'return answer()')
