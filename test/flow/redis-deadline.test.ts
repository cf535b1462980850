import type { Redis } from 'ioredis'
import { createClient } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import type { RedisStoreOptions } from '../../lib/stores/redis/index.ts'
import { when } from '../helpers/fake-time.ts'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest } from '../helpers/service.ts'
import { connect, createShakyApp, Visitor } from '../helpers/shaky-redis.ts'
import { TcpProxy } from '../helpers/tcp-proxy.ts'

const SERVED = 200
const UNAVAILABLE = 503
const isScript = (text: string): boolean => /\bevalsha\b/i.test(text)
const OPTIONS = { storeTimeout: 0.3 }

const server = await startRedis()
if (server === undefined) {
  cannotTest(t, 'writes after their deadline', 'there is no redis-server to start')
} else {
  const [port] = server.ports as [number]
  t.teardown(() => server.end())

  const ioredis = async (t: Test, at: number): Promise<Redis> => connect(t, at)

  const nodeRedis = async (t: Test, at: number): Promise<RedisStoreOptions['client']> => {
    const client = createClient({ url: `redis://127.0.0.1:${at}` })
    client.on('error', () => {})
    await client.connect()
    t.teardown(() => client.destroy())
    return client
  }

  for (const [name, open] of [
    ['ioredis', ioredis],
    ['node-redis', nodeRedis]
  ] as const) {
    t.test(`a write that waits in ${name} or in the network until its 503 is not applied later`, async (t) => {
      const proxy = await TcpProxy.start(port)
      const steady = await createShakyApp(connect(t, port), OPTIONS)
      const shaky = await createShakyApp(await open(t, proxy.port), OPTIONS)
      t.teardown(() => proxy.end())
      for (const isWarm of [false, true]) {
        const visitor = new Visitor()
        await visitor.visit(steady, '/set/before')
        if (isWarm) await visitor.visit(shaky, '/set/warm')
        // The load is answered, the write waits.
        const held = proxy.holdAt(isScript)
        const status = visitor.visit(shaky, '/set/old')
        await held
        t.equal(await status, UNAVAILABLE)
        t.equal(await visitor.visit(steady, '/set/new'), SERVED)
        proxy.release()
        t.same(await visitor.read(shaky), { name: 'new' }, 'whatever was sent before has arrived by now')
        t.equal(await visitor.visit(shaky, '/set/next'), SERVED)
        t.same(await visitor.read(steady), { name: 'next' })
      }
    })

    t.test(`a write that a frozen server gets from ${name} is not applied when it thaws`, async (t) => {
      const proxy = await TcpProxy.start(port)
      const steady = await createShakyApp(connect(t, port), OPTIONS)
      const shaky = await createShakyApp(await open(t, proxy.port), OPTIONS)
      t.teardown(() => proxy.end())
      const visitor = new Visitor()
      await visitor.visit(shaky, '/set/before')
      const held = proxy.holdAt(isScript)
      const status = visitor.visit(shaky, '/set/old')
      await held
      server.pause()
      proxy.release()
      t.equal(await status, UNAVAILABLE)
      server.resume()
      t.same(await visitor.read(shaky), { name: 'before' })
      t.equal(await visitor.visit(steady, '/set/new'), SERVED)
      t.same(await visitor.read(shaky), { name: 'new' })
    })
  }

  t.test('an end that waits until its 503 is applied later', async (t) => {
    const proxy = await TcpProxy.start(port)
    const steady = await createShakyApp(connect(t, port), OPTIONS)
    const shaky = await createShakyApp(connect(t, proxy.port), OPTIONS)
    t.teardown(() => proxy.end())
    const visitor = new Visitor()
    await visitor.visit(shaky, '/set/before')
    const held = proxy.holdAt(isScript)
    const status = visitor.visit(shaky, '/logout')
    await held
    t.equal(await status, UNAVAILABLE)
    proxy.release()
    await when(async () => (await visitor.read(steady)).name === undefined)
  })
}
