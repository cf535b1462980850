import { setMaxListeners } from 'node:events'
import type { RedisCommands } from './commands.ts'
import { toCached, toFields } from './commands.ts'
import { toNodeOf } from './node-of.ts'

/** How long a command of node-redis may wait until it is sent. This is the default of node-redis since version 6. */
const PATIENCE_MILLISECONDS = 5000
// At most this long, and at most this many, commands share one signal: adding a listener takes a walk along all listeners.
const SHARING_MILLISECONDS = 1000
const SHARING_COMMANDS = 200

export const NODE_REDIS_METHODS = ['evalSha', 'eval', 'hGetAll'] as const

/** The part of a client of node-redis (the package `redis`) that the store calls. It is a client, pool, cluster or sentinel. */
export interface NodeRedisClient extends NodeRedisCommands {
  withCommandOptions(options: { timeout: number; abortSignal: AbortSignal }): NodeRedisCommands
}

/** The commands of a client of node-redis that the store calls. */
export interface NodeRedisCommands {
  hGetAll(key: string): Promise<unknown>
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  /** See `IoredisClient`. */
  info?(section: string): Promise<unknown>
}

/** Returns the commands of the store by a client of node-redis. */
export function fromNodeRedis(client: NodeRedisClient): RedisCommands {
  const sharing = shareSignals(client)
  const run = toCached(
    ({ sha }, name, values) => sharing().evalSha(sha, { keys: [name], arguments: [...values] }),
    ({ source }, name, values) => sharing().eval(source, { keys: [name], arguments: [...values] })
  )
  return {
    run,
    getAll: (name) => sharing().hGetAll(name).then(toFields),
    memoryInfo: async () => String(await sharing().info?.('memory')),
    nodeOf: toNodeOf(client)
  }
}

/**
 * Returns the client with a limit of how long its commands may wait until they are sent. By default, node-redis makes an
 * `AbortSignal` for each command, which may stay in memory for five seconds and costs more than the command.
 */
function shareSignals(client: NodeRedisClient): () => NodeRedisCommands {
  let commands: NodeRedisCommands = client
  let signal: AbortSignal | undefined
  let sharedUntil: number
  let left: number
  return () => {
    const now = performance.now()
    // A signal can be aborted although no time has passed, if a test has stopped the clock.
    if (signal === undefined || signal.aborted || left === 0 || now >= sharedUntil) {
      sharedUntil = now + SHARING_MILLISECONDS
      left = SHARING_COMMANDS
      signal = AbortSignal.timeout(PATIENCE_MILLISECONDS)
      setMaxListeners(0, signal)
      commands = client.withCommandOptions({ timeout: 0, abortSignal: signal })
    }
    left--
    return commands
  }
}
