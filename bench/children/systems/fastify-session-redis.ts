import { RedisStore } from 'connect-redis'
import type { Start } from './fastify.ts'
import { startFastifySession } from './fastify-session.ts'
import { connect, KEY_PREFIX } from './redis-client.ts'

export const start: Start = startFastifySession(
  async () => new RedisStore({ client: await connect(), prefix: `${KEY_PREFIX}fastify-session:` })
)
