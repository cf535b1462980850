import type { RedisCommands } from './commands.ts'
import { toCached, toFields } from './commands.ts'
import { toNodeOf } from './node-of.ts'

export const IOREDIS_METHODS = ['evalsha', 'eval', 'hgetall'] as const

/** The part of a client of ioredis or iovalkey (`Redis` or `Cluster`) that the store calls. */
export interface IoredisClient {
  /** The state of its connection, which what only imitates ioredis does not have. */
  readonly status: string
  hgetall(key: string): Promise<unknown>
  evalsha(sha: string, numkeys: number, ...values: string[]): Promise<unknown>
  eval(script: string, numkeys: number, ...values: string[]): Promise<unknown>
  /** Used once, to learn whether Redis removes sessions when its memory is full. */
  info?(section: string): Promise<unknown>
}

/** Returns the commands of the store by a client of ioredis or iovalkey. */
export function fromIoredis(client: IoredisClient): RedisCommands {
  const run = toCached(
    ({ sha }, name, values) => client.evalsha(sha, 1, name, ...values),
    ({ source }, name, values) => client.eval(source, 1, name, ...values)
  )
  return {
    run,
    getAll: (name) => client.hgetall(name).then(toFields),
    memoryInfo: async () => String(await client.info?.('memory')),
    nodeOf: toNodeOf(client)
  }
}
