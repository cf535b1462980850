// An application process that shares a Redis with others: `node counting-app.ts <port of Redis> <secret>`. It sends its port to
// its parent process.
import fastify from 'fastify'
import { Redis } from 'ioredis'
import { session } from '../../lib/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import './session-data.ts'

const [, , port, secret] = process.argv
const client = new Redis({ port: Number(port), host: '127.0.0.1' })
const app = fastify()
await app.register(session, { secret, store: new RedisStore({ client }) })

app.post('/login', async ({ session }) => {
  session.visits = 0
  session.cart = {}
  return ''
})

/** Some turns of the event loop in a handler, so that requests overlap. */
async function work(): Promise<void> {
  for (let turns = Math.random() * 20; turns > 0; turns--) await new Promise(setImmediate)
}

app.post('/increment', async ({ session }) => {
  await work()
  return session.update((data) => {
    data.visits = (data.visits ?? 0) + 1
    return data.visits
  })
})

app.post<{ Params: { key: string } }>('/set/:key', async ({ session, params }) => {
  await work()
  Object.assign(session, { [params.key]: params.key })
  await session.commit()
  return ''
})

app.get('/data', async ({ session }) => session.data())

await app.listen({ port: 0, host: '127.0.0.1' })
process.send?.((app.server.address() as { port: number }).port)
// The parent process has ended.
process.on('disconnect', () => process.exit())
