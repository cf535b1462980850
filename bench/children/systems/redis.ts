import type { Start } from './fastify.ts'
import { importRedisStores } from './library.ts'
import { startOurs } from './ours.ts'
import { connect, KEY_PREFIX } from './redis-client.ts'

export const start: Start = startOurs(async () => {
  const { RedisStore } = await importRedisStores()
  return { store: new RedisStore({ client: await connect(), prefix: `${KEY_PREFIX}ours:` }) }
})
