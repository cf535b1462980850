import { RedisStore } from '../../../dist/lib/stores/redis/index.js'
import type { Start } from '../server.ts'
import { startOurs } from './ours.ts'
import { connect, KEY_PREFIX } from './redis-client.ts'

export const start: Start = startOurs(async () => ({
  store: new RedisStore({ client: await connect(), prefix: `${KEY_PREFIX}ours:` })
}))
