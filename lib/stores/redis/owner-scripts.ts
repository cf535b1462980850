import type { Script } from './commands.ts'
import { ANSWER, BEGIN, define, LATE, WRITES } from './lua.ts'

/**
 * What follows in the scripts on the index of an owner. Its entries have seconds as their scores. What has a score above
 * FIRST_MARK is the mark of a command, to be kept until that millisecond.
 */
const INDEX = `
local FIRST_MARK = 1e11
`

const KEEP = `
-- Keeps the index until a score has passed. PEXPIRE with GT would need Redis 7.
local function keep(score)
  if redis.call('PTTL', key) < left(score) then redis.call('PEXPIRE', key, left(score)) end
end
`

/**
 * Adds a record to the index of its owner, within the limit. The rule is that of `admission` in admission.ts.
 *
 * Arguments from 6 on: score; entry; limit or 0; whether it evicts (1 or 0); the key that does not count; whether stale entries
 * have been looked for (1 or 0); those stale entries. Returns `full` and the entries to examine; or `over-limit`; or `in` and
 * the entries whose records must end.
 */
export const ADMIT: Script = define(
  BEGIN,
  ANSWER,
  WRITES,
  INDEX,
  KEEP,
  `
local function admitted()
  local reply = answer('in')
  for _, entry in ipairs(redis.call('ZRANGEBYSCORE', key, '-inf', '-' .. now)) do table.insert(reply, entry) end
  return reply
end
local mark = 'm:' .. writer .. ':' .. number
-- The entry may have been evicted since. To add it once more would evict another one.
if redis.call('ZSCORE', key, mark) then return admitted() end
if is_late then return answer('${LATE}') end
redis.call('ZREMRANGEBYSCORE', key, '(-' .. now, '(' .. now)
redis.call('ZREMRANGEBYSCORE', key, FIRST_MARK, clock)
for i = 12, #ARGV do redis.call('ZREM', key, ARGV[i]) end
local max = tonumber(ARGV[8])
if max > 0 then
  local others = {}
  for _, entry in ipairs(redis.call('ZRANGEBYSCORE', key, now, FIRST_MARK)) do
    local created, name = string.match(entry, '^(%d+):(.*)$')
    if name ~= ARGV[10] and entry ~= ARGV[7] then table.insert(others, { entry = entry, created = tonumber(created) }) end
  end
  local surplus = #others + 1 - max
  if surplus > 0 and ARGV[11] == '0' then
    local reply = answer('full')
    for _, other in ipairs(others) do table.insert(reply, other.entry) end
    return reply
  end
  if surplus > 0 and ARGV[9] == '0' then return answer('over-limit') end
  table.sort(others, function(a, b)
    return a.created < b.created or (a.created == b.created and a.entry < b.entry)
  end)
  for i = 1, surplus do
    local entry = others[i].entry
    redis.call('ZADD', key, '-' .. redis.call('ZSCORE', key, entry), entry)
  end
end
redis.call('ZADD', key, ARGV[6], ARGV[7], keep_until * 1000, mark)
keep(ARGV[6])
return admitted()
`
)

/** Extends an entry to a higher score, or adds it. An entry that is marked to end stays marked. Arguments from 6 on: score, entry. */
export const EXTEND: Script = define(
  BEGIN,
  ANSWER,
  WRITES,
  KEEP,
  `
if is_late then return answer('${LATE}') end
local score = tonumber(redis.call('ZSCORE', key, ARGV[7]) or 0)
if math.abs(score) < tonumber(ARGV[6]) then
  redis.call('ZADD', key, (score < 0 and '-' or '') .. ARGV[6], ARGV[7])
end
keep(ARGV[6])
return answer()
`
)

/** Removes entries from an index. Arguments from 6 on: entries. */
export const UNLIST: Script = define(
  BEGIN,
  ANSWER,
  INDEX,
  `
for i = 6, #ARGV do redis.call('ZREM', key, ARGV[i]) end
local lowest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')[2]
if lowest and tonumber(lowest) > FIRST_MARK then
  -- There are only marks left.
  redis.call('PEXPIREAT', key, redis.call('ZRANGE', key, -1, -1, 'WITHSCORES')[2])
end
return answer()
`
)

/** Returns all entries of an index. */
export const ENTRIES: Script = define(
  BEGIN,
  INDEX,
  `
return redis.call('ZRANGEBYSCORE', key, '-inf', FIRST_MARK)
`
)
