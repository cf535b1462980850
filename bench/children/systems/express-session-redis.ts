import { RedisStore } from 'connect-redis'
import type { Start } from '../server.ts'
import { startExpressSession } from './express-session.ts'
import { connect, KEY_PREFIX } from './redis-client.ts'

export const start: Start = startExpressSession(
  async () => new RedisStore({ client: await connect(), prefix: `${KEY_PREFIX}express-session:` })
)
