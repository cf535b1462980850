import type { Start } from './fastify.ts'
import { importRedisStores } from './library.ts'
import { startOurs } from './ours.ts'
import { connectNodeRedis, KEY_PREFIX } from './redis-clients.ts'

export const start: Start = startOurs(async () => {
  const { RedisStore } = await importRedisStores()
  const store = new RedisStore({ client: await connectNodeRedis(), prefix: `${KEY_PREFIX}encrypted:` })
  return { store, encrypt: true }
})
