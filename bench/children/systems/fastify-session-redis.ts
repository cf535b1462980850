import { RedisStore } from 'connect-redis'
import type { Start } from './fastify.ts'
import { startFastifySession } from './fastify-session.ts'
import { connectNodeRedis, KEY_PREFIX } from './redis-clients.ts'

export const start: Start = startFastifySession(
  async () => new RedisStore({ client: await connectNodeRedis(), prefix: `${KEY_PREFIX}fastify-session:` })
)
