import t from 'tap'
import { isCluster, isGlideCluster, isIoredisCluster, slotOf, toNodeOf } from '../../../lib/stores/redis/node-of.ts'

t.test('the slot of a key is that of the specification', async (t) => {
  t.equal(slotOf('123456789'), 0x31_c3 & 0x3f_ff)
  t.equal(slotOf('foo'), 12_182)
  t.equal(slotOf('{foo}.following'), 12_182)
  t.equal(slotOf('x{foo}{bar}'), 12_182)
  t.equal(slotOf('foo{}'), 5542, 'empty braces do not count')
  t.equal(slotOf('foo{bar'), slotOf('foo{bar'.slice(0)))
  t.not(slotOf('foo{bar'), slotOf('bar'))
  t.not(slotOf('}foo{bar'), slotOf('bar'))
  t.equal(slotOf(''), 0)
})

t.test('a client of a cluster tells the node of a key', async (t) => {
  const slots: string[][] = []
  slots[slotOf('foo')] = ['10.0.0.1:6379', '10.0.0.2:6379']
  slots[slotOf('app:foo')] = ['10.0.0.3:6379']
  const ioredis = { isCluster: true, slots }
  t.ok(isIoredisCluster(ioredis))
  t.ok(isCluster(ioredis))
  t.equal(toNodeOf(ioredis)('foo'), '10.0.0.1:6379')
  t.equal(toNodeOf(ioredis)('unknown'), '')
  t.equal(toNodeOf({ ...ioredis, options: {} })('foo'), '10.0.0.1:6379')
  t.equal(toNodeOf({ ...ioredis, options: { keyPrefix: 'app:' } })('foo'), '10.0.0.3:6379')
  const shards: object[] = []
  shards[slotOf('foo')] = { master: { address: '10.0.0.4:6379' } }
  const nodeRedis = { slots: shards, nodeClient() {} }
  t.ok(isCluster(nodeRedis))
  t.equal(toNodeOf(nodeRedis)('foo'), '10.0.0.4:6379')
  t.equal(toNodeOf(nodeRedis)('unknown'), '')
  const glide = { invokeScriptWithRoute() {} }
  t.ok(isCluster(glide))
  t.ok(isGlideCluster(glide))
})

t.test('without a cluster there is one node', async (t) => {
  for (const client of [{}, { isCluster: false, slots: [] }, { isCluster: true }]) {
    t.equal(toNodeOf(client)('foo'), '')
    t.notOk(isCluster(client))
  }
})
