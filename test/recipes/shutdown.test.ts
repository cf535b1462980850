import assert from 'node:assert/strict'
import t from 'tap'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest, until } from '../helpers/service.ts'
import { startRecipe } from './start.ts'

t.test('graceful shutdown', async (t) => {
  const redis = await startRedis()
  if (redis === undefined) return cannotTest(t, 'graceful shutdown', 'no redis-server')
  t.teardown(() => redis.end())
  const settings = {
    REDIS_URL: `redis://127.0.0.1:${redis.ports[0]}`,
    SESSION_SECRET: 'the same secret for both of the processes',
    DRAIN: '1'
  }
  const { url, child, ended } = await startRecipe(t, 'shutdown', settings)
  const health = async (): Promise<number> => (await fetch(`${url}/health`)).status
  t.equal(await health(), 200)

  child.kill('SIGTERM')
  child.kill('SIGTERM')
  await until(async () => assert.equal(await health(), 503))
  const order = await fetch(`${url}/order`, { method: 'POST' })
  t.equal(await order.text(), 'order 1\n', 'a request that came before the end')
  t.same(await ended, [0, null])
  await t.rejects(health())

  const next = await startRecipe(t, 'shutdown', settings)
  const cookie = order.headers.getSetCookie()[0]?.split(';', 1)[0] ?? ''
  const again = await fetch(`${next.url}/order`, { method: 'POST', headers: { cookie } })
  t.equal(await again.text(), 'order 2\n', 'the next process knows the session')
  next.child.kill('SIGINT')
  t.same(await next.ended, [0, null])
})

t.test('a request that never ends', async (t) => {
  const redis = await startRedis()
  if (redis === undefined) return cannotTest(t, 'graceful shutdown', 'no redis-server')
  t.teardown(() => redis.end())
  const settings = { REDIS_URL: `redis://127.0.0.1:${redis.ports[0]}`, DRAIN: '0', GRACE: '0.3' }
  const { url, child, ended } = await startRecipe(t, 'shutdown', settings)
  const order = fetch(`${url}/order`, { method: 'POST' }).catch(() => 'broken')
  await new Promise((resolve) => setTimeout(resolve, 200))
  child.kill('SIGTERM')
  t.same(await ended, [1, null])
  t.equal(await order, 'broken')
})
