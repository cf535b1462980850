import { InvalidOptionError } from '../../errors.ts'
import { isString } from '../../util/check.ts'
import type { RedisCommands } from './commands.ts'
import { hasMethods } from './commands.ts'
import { fromGlide, isGlide } from './glide.ts'
import type { IoredisClient } from './ioredis.ts'
import { fromIoredis, IOREDIS_METHODS } from './ioredis.ts'
import type { NodeRedisClient } from './node-redis.ts'
import { fromNodeRedis, NODE_REDIS_METHODS } from './node-redis.ts'

/** Recognizes the client by its methods. No other part of the store knows which client it is. */
export function toCommands(client: unknown): RedisCommands {
  if (hasMethods<IoredisClient>(client, ...IOREDIS_METHODS) && isString(client.status)) return fromIoredis(client)
  if (hasMethods<NodeRedisClient>(client, ...NODE_REDIS_METHODS, 'withCommandOptions')) return fromNodeRedis(client)
  if (isGlide(client)) return fromGlide(client)
  throw new InvalidOptionError(
    `The option client must be a client of ioredis, iovalkey, node-redis or valkey-glide; it is ${describe(client)}.`
  )
}

/** Says what a wrong client is. Does not show it: it could be a URL that contains a password. */
function describe(client: unknown): string {
  if (client === undefined) return 'missing'
  if (client instanceof Promise) return 'a promise, which must be awaited first'
  if (hasMethods<NodeRedisClient>(client, ...NODE_REDIS_METHODS)) {
    return 'a client of redis 4 or older: install redis 5 or later'
  }
  if (hasMethods<IoredisClient>(client, ...IOREDIS_METHODS)) {
    return 'something that has its methods and is no client of ioredis: @upstash/redis (use ioredis with the rediss:// address of the same database), ioredis-mock (use a MemoryStore in tests) or redis 3'
  }
  return 'something else'
}
