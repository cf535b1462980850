import { RedisStore } from 'connect-redis'
import type { Start } from './fastify.ts'
import { startFastifySession } from './fastify-session.ts'
import { connectIoredis, KEY_PREFIX } from './redis-clients.ts'

/** The calls of connect-redis 9, which knows node-redis only, in the words of ioredis. */
export const start: Start = startFastifySession(async () => {
  const redis = connectIoredis()
  const client = {
    get: (key: string) => redis.get(key),
    set: (key: string, text: string, { expiration: { value } }: { expiration: { value: number } }) =>
      redis.set(key, text, 'EX', value),
    expire: (key: string, seconds: number) => redis.expire(key, seconds),
    del: (keys: string[]) => redis.del(keys)
  }
  return new RedisStore({ client, prefix: `${KEY_PREFIX}fastify-session:` })
})
