import type { Script } from './commands.ts'
import { ANSWER, BEGIN, define, LATE, WRITES } from './lua.ts'

/**
 * What follows in every script that changes a record: its fields, whether this command has been applied to it before, and the
 * marks to write, which are the new one and the older ones that may still be needed.
 *
 * Each field for marks but the last has two of them: a value of more than 64 bytes makes the hash take several times as much
 * memory (`hash-max-listpack-value`).
 *
 * An ended record leaves a stub: a hash without an expiry, which no script and no load takes for a record. In it a command that
 * comes again finds its mark.
 */
const RECORD = `
-- Seconds. No mark is kept for longer; what says so is none.
local LONGEST = 86400
local MARK_FIELDS = { 'm', 'm2', 'm3', 'm4' }
local found = fields('m', 'm2', 'm3', 'm4', 'e', 'n', 'v', 'l', 'o', 'c', 'w')
local expiry, pending, version, listed, owner, created, was_live = unpack(found, 5)
owner, created = owner or '', created or ''
if listed and not tonumber(listed) then listed = '0' end
local marks, repeated, last_mark = { writer .. ':' .. number .. ':' .. keep_until }, false, keep_until
for i = 1, #MARK_FIELDS do
  for mark, name, count, kept_until in string.gmatch(found[i] or '', '((%S+):(%d+):(%d+))') do
    local is_own, lasts = name == writer, tonumber(kept_until) - tonumber(seconds)
    if is_own and count == number then
      repeated = true
    elseif lasts >= 0 and lasts <= LONGEST and not (is_own and tonumber(count) < lowest) then
      table.insert(marks, mark)
      last_mark = math.max(last_mark, tonumber(kept_until))
    end
  end
end
local is_stub = not expiry and found[1]
-- Appends the fields of the marks and their values to a list. Returns the field that is the first without marks.
local function add_marks(list)
  for i, field in ipairs(MARK_FIELDS) do
    local first = 2 * i - 1
    if first > #marks then return i end
    table.insert(list, field)
    table.insert(list, table.concat(marks, ' ', first, i == #MARK_FIELDS and #marks or math.min(first + 1, #marks)))
  end
end
local function finish()
  was_live = not pending and left(expiry) > 0 and '1' or '0'
  local stub = { 'w', was_live, 'o', owner, 'c', created }
  add_marks(stub)
  -- Removes first: on a full server that is allowed, and so is what follows.
  redis.call('DEL', key)
  redis.call('HSET', key, unpack(stub))
  redis.call('EXPIREAT', key, last_mark)
end
`

/** Sets the fields and values from argument `first` on, and the marks, in portions that fit on Lua's stack. */
const SET_FIELDS = `
local function set_fields(first)
  local unused = add_marks(ARGV)
  for i = first, #ARGV, 1000 do redis.call('HSET', key, unpack(ARGV, i, math.min(i + 999, #ARGV))) end
  if unused and found[unused] then redis.call('HDEL', key, unpack(MARK_FIELDS, unused)) end
end
`

/**
 * Creates a record. Arguments from 6 on: expiry; how many milliseconds a pending record is kept, or ''; all fields and values.
 * Returns `1`, or `0` if another record has the key.
 */
export const CREATE: Script = define(
  BEGIN,
  ANSWER,
  WRITES,
  RECORD,
  SET_FIELDS,
  `
if repeated then return answer('1') end
if is_late then return answer('${LATE}') end
if expiry and left(expiry) > 0 then return answer('0') end
if expiry or is_stub then redis.call('DEL', key) end
set_fields(8)
local life = left(ARGV[6])
-- This removes the record if its expiry has passed.
redis.call('PEXPIRE', key, math.min(life, tonumber(ARGV[7]) or life))
return answer('1')
`
)

/** Makes a pending record live. Returns `1`, also for a record that has ended; or `0` if there was none. */
export const GO_LIVE: Script = define(
  BEGIN,
  ANSWER,
  WRITES,
  RECORD,
  `
if is_late then return answer('${LATE}') end
if not pending then return answer((expiry or is_stub) and '1' or '0') end
redis.call('HDEL', key, 'n')
redis.call('PEXPIRE', key, left(expiry))
return answer('1')
`
)

/** Returns `1` if an owner has the record, live or pending. Arguments: owner. */
export const IS_THERE: Script = define(
  BEGIN,
  `
local expiry, owner = unpack(fields('e', 'o'))
if expiry and left(expiry) > 0 and owner == ARGV[2] then return { '1' } end
return {}
`
)

/**
 * Changes a live record. Arguments from 6 on: expiry; the score that the index has been extended to, or 0; version or ''; `1` for
 * a commit, '' for a touch; the number of fields to remove; those fields; fields and values to set, the expiry among them.
 *
 * Returns `gone` or `conflict`; or `committed`, and for a record with an owner the owner, the time of creation and the score of its
 * entry; or `ended`, the owner and the time of creation, if the new expiry has passed; or `unlisted` and the same, if the index must
 * be extended first.
 */
export const WRITE: Script = define(
  BEGIN,
  ANSWER,
  WRITES,
  RECORD,
  SET_FIELDS,
  `
if repeated and expiry then return answer('committed') end
if repeated then return answer('ended', owner, created) end
if is_late then return answer('${LATE}') end
if not expiry or pending then return answer('gone') end
if left(expiry) <= 0 then
  finish()
  return answer('gone')
end
if ARGV[8] ~= '' and ARGV[8] ~= version then return answer('conflict') end
if left(ARGV[6]) <= 0 then
  finish()
  return answer('ended', owner, created)
end
if listed then
  local extended = tonumber(ARGV[7]) > tonumber(listed)
  if extended then listed = ARGV[7] end
  if tonumber(ARGV[6]) > tonumber(listed) then return answer('unlisted', owner, created) end
  if extended then redis.call('HSET', key, 'l', listed) end
end
local first = 11 + tonumber(ARGV[10])
-- Sets first: a full server refuses that, and must not have removed anything by then.
set_fields(first)
for i = 11, first - 1 do redis.call('HDEL', key, ARGV[i]) end
if ARGV[9] ~= '' then redis.call('HINCRBY', key, 'v', 1) end
if ARGV[6] ~= expiry then redis.call('PEXPIRE', key, left(ARGV[6])) end
if listed then return answer('committed', owner, created, listed) end
return answer('committed')
`
)

/**
 * Ends a record, if it belongs to a given owner. Arguments from 6 on: owner, or '' for any. Returns whether it was live (`1` or
 * `0`), its owner and its time of creation, or nothing if there was no such record.
 */
export const END: Script = define(
  BEGIN,
  ANSWER,
  WRITES,
  RECORD,
  `
if repeated and expiry then return answer() end
if repeated then return answer(was_live, owner, created) end
if is_late then return answer('${LATE}') end
if not is_hash then redis.call('DEL', key) end
if not expiry or (ARGV[6] ~= '' and ARGV[6] ~= owner) then return answer() end
finish()
return answer(was_live, owner, created)
`
)

/**
 * Ends a record that has ended already, unless a failover has undone that, and writes in any case, so that `WAIT` has something
 * to wait for. Arguments: owner, or '' for any.
 */
export const CONFIRM: Script = define(`
local key = KEYS[1]
local found = redis.pcall('HMGET', key, 'e', 'o')
if found.err or (found[1] and (ARGV[1] == '' or ARGV[1] == found[2])) then redis.call('DEL', key) end
redis.call('HSET', key, 'r', '1')
if redis.call('PTTL', key) < 0 then redis.call('PEXPIRE', key, 60000) end
return {}
`)
