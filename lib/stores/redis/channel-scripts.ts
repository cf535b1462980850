import type { Script } from './commands.ts'
import { define } from './lua.ts'

/** Returns the name of a key as the server has it, which is that of a channel. */
export const NAME: Script = define('return { KEYS[1] }')

/** Sends a message to the channel with the name of the key. */
export const PUBLISH: Script = define(`
redis.call('PUBLISH', KEYS[1], ARGV[1])
return {}
`)
