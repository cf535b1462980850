import { NO_SESSION } from '../../data/no-session.ts'
import type { Script } from './commands.ts'
import { BEGIN, define } from './lua.ts'

/**
 * Takes one step through the names of one server: those of the names that begin as the key does. It is a script because a key leads
 * to one node of a cluster with every client, and shows the prefix that the client puts in front of it.
 *
 * Arguments: how many characters of the key are not the prefix; the cursor; how many names to look at. Returns the next cursor, which
 * is `0` after the last step, and the names without the prefix.
 */
export const SCAN: Script = define(`
local prefix = string.sub(KEYS[1], 1, -1 - tonumber(ARGV[1]))
local pattern = string.gsub(prefix, '[%*%?%[%]\\\\%^%-]', '\\\\%0') .. '*'
local reply = redis.call('SCAN', ARGV[2], 'MATCH', pattern, 'COUNT', ARGV[3])
local found = { reply[1] }
for _, name in ipairs(reply[2]) do table.insert(found, string.sub(name, #prefix + 1)) end
return found
`)

/** Returns `1` if the key is a live session. */
export const IS_SESSION: Script = define(
  BEGIN,
  `
local expiry, pending, extensions = unpack(fields('e', 'n', 'x'))
if expiry and not pending and left(expiry) > 0 and extensions ~= '${NO_SESSION}' then return { '1' } end
return {}
`
)
