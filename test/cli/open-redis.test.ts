import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import t from 'tap'
import { openRedis, REDIS_CLIENTS } from '../../lib/cli/open-redis.ts'
import { endEvery } from '../../lib/owners/every-session.ts'
import { addressOf, checkEndAll } from '../helpers/cli-stores.ts'
import { openRedis as reachRedis } from '../helpers/redis.ts'
import { freePort } from '../helpers/service.ts'

const client = await reachRedis(t, 'the command line')
if (client !== undefined) {
  const url = `redis://${client.options.host}:${client.options.port}`

  for (const [name, load] of Object.entries(REDIS_CLIENTS)) {
    t.test(`all sessions with a prefix end, by ${name}`, async (t) => {
      const prefix = `cli-[${randomUUID()}]*:`
      const opened = await openRedis(addressOf(url, { prefix }), { [name]: load })
      const other = await openRedis(addressOf(url, { prefix: `${prefix}other:` }), { [name]: load })
      t.same([opened.migrate, opened.prune], [undefined, undefined])
      await checkEndAll(t, opened, other)
      await endEvery(other.store)
      await Promise.all([opened.close(), other.close()])
    })

    t.test(`a server that is down is an error, by ${name}`, async (t) => {
      const port = await freePort()
      await t.rejects(openRedis(addressOf(`redis://127.0.0.1:${port}`), { [name]: load }), { code: 'ECONNREFUSED' })
    })
  }

  t.test('a server that hangs up is an error, too', async (t) => {
    const server = createServer((socket) => socket.on('data', () => socket.end())).listen(0, '127.0.0.1')
    t.teardown(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    for (const [name, load] of Object.entries(REDIS_CLIENTS)) {
      await t.rejects(openRedis(addressOf(`redis://127.0.0.1:${port}`), { [name]: load }), { message: /clos/i }, name)
    }
  })

  t.test('without a prefix it is that of a RedisStore', async (t) => {
    const opened = await openRedis(addressOf(url))
    t.equal(await opened.store.load('A'.repeat(43)), undefined)
    await opened.close()
  })
}
