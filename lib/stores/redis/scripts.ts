import { createHash } from 'node:crypto'
import type { Script } from './client.ts'

/**
 * Each script works on one key, because a cluster allows no more. Its first argument is the time in milliseconds by the clock
 * of the application, so that the clock of the server does not matter. Each returns an array of strings, because those look the
 * same in every version of the protocol. The scripts need Redis 6.2.
 */
function define(body: string): Script {
  const source = `local key, time = KEYS[1], tonumber(ARGV[1])
local now = math.floor(time / 1000)
-- The milliseconds until a record expires: it lives through its last second.
local function left(last) return (tonumber(last) + 1) * 1000 - time end
${body.trim()}
`
  return { source, sha: createHash('sha1').update(source).digest('hex') }
}

/** Sets the fields and values from argument `first` on, in portions that fit on Lua's stack. */
const SET_FIELDS = `
local function set_fields(first)
  for i = first, #ARGV, 1000 do redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, #ARGV))) end
end`

/**
 * Creates a record. Arguments: expiry; how many milliseconds a pending record is kept, or ''; mark; all fields and values.
 * Returns `1`, or `0` if another record has the key.
 */
export const CREATE: Script = define(`${SET_FIELDS}
local expiry, mark = unpack(redis.call('HMGET', key, 'e', 'm'))
if expiry and left(expiry) > 0 then return { mark == ARGV[4] and '1' or '0' } end
if expiry then redis.call('DEL', key) end
set_fields(5)
local life = left(ARGV[2])
-- This removes the record if its expiry has passed.
redis.call('PEXPIRE', key, math.min(life, tonumber(ARGV[3]) or life))
return { '1' }
`)

/** Makes a pending record live. */
export const GO_LIVE: Script = define(`
if redis.call('HDEL', key, 'n') == 0 then return {} end
redis.call('PEXPIRE', key, left(redis.call('HGET', key, 'e')))
return {}
`)

/** Returns `1` if an owner has the record, live or pending. Arguments: owner. */
export const IS_THERE: Script = define(`
local meta = redis.call('HMGET', key, 'e', 'o')
if meta[1] and left(meta[1]) > 0 and meta[2] == ARGV[2] then return { '1' } end
return {}
`)

/**
 * Changes a live record. Arguments: expiry; the score that the index has been extended to, or 0; version or ''; mark, or '' for
 * a touch; the number of fields to remove; those fields; fields and values to set, expiry and mark among them.
 *
 * Returns `committed`, `gone` or `conflict`; or `ended`, the owner and the time of creation, if the new expiry has passed; or
 * `unlisted` and the same, if the index must be extended first.
 */
export const WRITE: Script = define(`${SET_FIELDS}
local expiry, pending, version, mark, listed = unpack(redis.call('HMGET', key, 'e', 'n', 'v', 'm', 'l'))
if not expiry or pending then return { 'gone' } end
if left(expiry) <= 0 then
  redis.call('DEL', key)
  return { 'gone' }
end
if ARGV[5] == mark then return { 'committed' } end
if ARGV[4] ~= '' and ARGV[4] ~= version then return { 'conflict' } end
local function with_owner(result)
  local owner, created = unpack(redis.call('HMGET', key, 'o', 'c'))
  return { result, owner or '', created }
end
if left(ARGV[2]) <= 0 then
  local reply = with_owner('ended')
  redis.call('DEL', key)
  return reply
end
if listed then
  local extended = tonumber(ARGV[3]) > tonumber(listed)
  if extended then listed = ARGV[3] end
  if tonumber(ARGV[2]) > tonumber(listed) then return with_owner('unlisted') end
  if extended then redis.call('HSET', key, 'l', listed) end
end
local first = 7 + tonumber(ARGV[6])
-- Sets first: a full server refuses that, and must not have removed anything by then.
set_fields(first)
for i = 7, first - 1 do redis.call('HDEL', key, ARGV[i]) end
if ARGV[5] ~= '' then redis.call('HINCRBY', key, 'v', 1) end
if ARGV[2] ~= expiry then redis.call('PEXPIRE', key, left(ARGV[2])) end
return { 'committed' }
`)

/**
 * Ends a record, if it belongs to a given owner. Arguments: owner, or '' for any. Returns whether it was live (`1` or `0`), its
 * owner and its time of creation, or nothing if there was no such record.
 */
export const END: Script = define(`
local meta = redis.call('HMGET', key, 'e', 'n', 'o', 'c')
local expiry, pending, owner, created = unpack(meta)
if not expiry or (ARGV[2] ~= '' and ARGV[2] ~= owner) then return {} end
redis.call('DEL', key)
local live = not pending and left(expiry) > 0
return { live and '1' or '0', owner or '', created }
`)

/** Keeps an index until its highest score has passed. `PEXPIRE … GT` would need Redis 7. */
const KEEP = `
local function keep(score)
  if redis.call('PTTL', key) < left(score) then redis.call('PEXPIRE', key, left(score)) end
end`

/**
 * Adds a record to the index of its owner, within the limit. The rule is that of `admission` in admission.ts.
 *
 * Arguments: score; entry; limit or 0; whether it evicts (1 or 0); the key that does not count; whether stale entries have been
 * looked for (1 or 0); those stale entries. Returns `full` and the entries to examine; or `over-limit`; or `in` and the entries
 * whose records must end.
 */
export const ADMIT: Script = define(`${KEEP}
redis.call('ZREMRANGEBYSCORE', key, '(-' .. now, '(' .. now)
for i = 8, #ARGV do redis.call('ZREM', key, ARGV[i]) end
local max = tonumber(ARGV[4])
if max > 0 then
  local others = {}
  for _, entry in ipairs(redis.call('ZRANGEBYSCORE', key, now, '+inf')) do
    local created, name = string.match(entry, '^(%d+):(.*)$')
    if name ~= ARGV[6] and entry ~= ARGV[3] then table.insert(others, { entry = entry, created = tonumber(created) }) end
  end
  local surplus = #others + 1 - max
  if surplus > 0 and ARGV[7] == '0' then
    local reply = { 'full' }
    for _, other in ipairs(others) do table.insert(reply, other.entry) end
    return reply
  end
  if surplus > 0 and ARGV[5] == '0' then return { 'over-limit' } end
  table.sort(others, function(a, b)
    return a.created < b.created or (a.created == b.created and a.entry < b.entry)
  end)
  for i = 1, surplus do
    local entry = others[i].entry
    redis.call('ZADD', key, '-' .. redis.call('ZSCORE', key, entry), entry)
  end
end
redis.call('ZADD', key, ARGV[2], ARGV[3])
keep(ARGV[2])
local reply = redis.call('ZRANGEBYSCORE', key, '-inf', '-' .. now)
table.insert(reply, 1, 'in')
return reply
`)

/** Extends an entry to a higher score. An entry that is marked to end stays marked. Arguments: score, entry. */
export const EXTEND: Script = define(`${KEEP}
local score = tonumber(redis.call('ZSCORE', key, ARGV[3]) or 0)
if math.abs(score) < tonumber(ARGV[2]) then
  redis.call('ZADD', key, (score < 0 and '-' or '') .. ARGV[2], ARGV[3])
end
keep(ARGV[2])
return {}
`)

/** Removes entries from an index. Arguments: entries. */
export const UNLIST: Script = define(`
for i = 2, #ARGV do redis.call('ZREM', key, ARGV[i]) end
return {}
`)

/** Returns all entries of an index. */
export const ENTRIES: Script = define(`
return redis.call('ZRANGE', key, 0, -1)
`)
