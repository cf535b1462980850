import type { Start } from './fastify.ts'
import { importRedisStores } from './library.ts'
import { startOurs } from './ours.ts'
import { connectIoredis, KEY_PREFIX } from './redis-clients.ts'

export const start: Start = startOurs(async () => {
  const { RedisStore } = await importRedisStores()
  return { store: new RedisStore({ client: connectIoredis(), prefix: `${KEY_PREFIX}ours:` }) }
})
