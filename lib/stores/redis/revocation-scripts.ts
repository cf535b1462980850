import type { Script } from './commands.ts'
import { define } from './lua.ts'

// The list is one hash. `epoch`: a text of this list, which another one that begins after a loss does not have. `first` and `last`:
// the numbers of the oldest and the newest entry. Under its number each entry is a text of four parts: the second until which it is
// kept; a mark of the command that has added it; the session, or `-`; and JSON. Under `s:` and a session is the number of its entry.

/** How many entries a page has. */
export const PAGE = 1000
/** How many entries that are over each new one removes. */
const SURPLUS = 100

const LIST = `
local key, now = KEYS[1], tonumber(ARGV[1])
local first, last = tonumber(redis.call('HGET', key, 'first') or '1'), tonumber(redis.call('HGET', key, 'last') or '0')
local function read(number)
  local text = redis.call('HGET', key, number) or '0 - - {}'
  local stays, mark, session, json = string.match(text, '^(%d+) (%S+) (%S+) (.*)$')
  return tonumber(stays), mark, session, json
end
`

/**
 * Adds an entry. Arguments from 2 on: a new epoch, the mark, the last second, the session or `-`, JSON. Returns the JSON of the entry
 * that the list has of this session, or an empty text.
 */
export const ADD: Script = define(
  LIST,
  `
for _ = 1, ${SURPLUS} do
  local stays, _, session = read(first)
  if first > last or stays >= now then break end
  redis.call('HDEL', key, first)
  if redis.call('HGET', key, 's:' .. session) == tostring(first) then redis.call('HDEL', key, 's:' .. session) end
  first = first + 1
end
redis.call('HSETNX', key, 'epoch', ARGV[2])
redis.call('HSET', key, 'first', first)
local mark, session, json = ARGV[3], ARGV[5], ARGV[6]
local known = session ~= '-' and redis.call('HGET', key, 's:' .. session)
if known then
  local stays, other, _, there = read(known)
  -- The client may send the command again.
  if other == mark then return { '' } end
  if stays >= now then return { there } end
end
last = last + 1
redis.call('HSET', key, 'last', last, last, ARGV[4] .. ' ' .. mark .. ' ' .. session .. ' ' .. json)
if session ~= '-' then redis.call('HSET', key, 's:' .. session, last) end
redis.call('PUBLISH', key, json)
return { '' }
`
)

/**
 * Returns what comes after a position, a page at a time. Arguments from 2 on: epoch, number and mark of the position. Returns the new
 * position in three parts, `1` if there is more, and the JSON of each entry.
 */
export const SINCE: Script = define(
  LIST,
  `
local epoch, from = redis.call('HGET', key, 'epoch') or '-', tonumber(ARGV[3])
local _, mark = read(from)
-- After a failover another entry may have the number.
if epoch ~= ARGV[2] or from > last or (from >= first and mark ~= ARGV[4]) then from = 0 end
from = math.max(from, first - 1)
local to = math.min(from + ${PAGE}, last)
local reply = { epoch, tostring(to), '-', to < last and '1' or '' }
for number = from + 1, to do
  local stays, _, _, json = read(number)
  if stays >= now then table.insert(reply, json) end
end
if to >= first then _, reply[3] = read(to) end
return reply
`
)
