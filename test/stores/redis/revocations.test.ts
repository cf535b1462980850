import { Cluster, Redis } from 'ioredis'
import { createClient, createCluster } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import type { RedisRevocationsOptions } from '../../../lib/stores/redis/revocations.ts'
import { RedisRevocations } from '../../../lib/stores/redis/revocations.ts'
import { testRevocations } from '../../../lib/testing/index.ts'
import type { Revocation } from '../../../types/revocations.ts'
import { when } from '../../helpers/fake-time.ts'
import { openGlide } from '../../helpers/glide.ts'
import { startCluster, startRedis } from '../../helpers/redis.ts'
import { cannotTest } from '../../helpers/service.ts'

const NOW = 1_763_640_000
const HOST = '127.0.0.1'
let lists = 0

function contract(t: Test, options: RedisRevocationsOptions): void {
  const prefix = `test:${lists++}:`
  testRevocations({
    test: (name, run) => t.test(name, run),
    open: (clock) => new RedisRevocations({ prefix, ...options, clock })
  })
}

function entryOf(id: string, until = NOW + 60): Revocation {
  return { kind: 'session', id, until }
}

const servers = await startRedis()
if (servers === undefined) {
  cannotTest(t, 'RedisRevocations', 'there is no redis-server to start')
} else {
  t.teardown(() => servers.end())
  const port = servers.ports[0] as number
  const redis = new Redis({ host: HOST, port })
  const nodeRedis = createClient({ url: `redis://${HOST}:${port}` })
  nodeRedis.on('error', () => {})
  await nodeRedis.connect()
  t.teardown(async () => {
    redis.disconnect()
    nodeRedis.destroy()
  })

  t.test('with ioredis', async (t) => contract(t, { client: redis }))
  t.test('with node-redis', async (t) => contract(t, { client: nodeRedis }))
  t.test('with valkey-glide, and a subscriber of ioredis', async (t) => {
    const client = await openGlide(t, port)
    const subscriber = redis.duplicate()
    t.teardown(() => subscriber.disconnect())
    t.throws(() => new RedisRevocations({ client }), {
      code: 'ERR_SESSION_OPTION_INVALID',
      message: /option subscriber/
    })
    await t.test('the contract', async (t) => contract(t, { client, subscriber }))
  })

  t.test('with a prefix of ioredis, and subscribers of the user', async (t) => {
    const client = new Redis({ host: HOST, port, keyPrefix: 'app:' })
    const subscriber = new Redis({ host: HOST, port, keyPrefix: 'app:' })
    const other = nodeRedis.duplicate()
    await other.connect()
    t.teardown(() => {
      client.disconnect()
      subscriber.disconnect()
      other.destroy()
    })
    await t.test('of ioredis', async (t) => contract(t, { client, subscriber }))
    await t.test('of node-redis', async (t) => contract(t, { client: nodeRedis, subscriber: other }))
  })

  t.test('it says when its connection breaks, and leaves that of the user open', async (t) => {
    const clock = (): number => NOW * 1000
    const subscriber = new Redis({ host: HOST, port })
    const other = nodeRedis.duplicate()
    other.on('error', () => {})
    await other.connect()
    t.teardown(() => {
      subscriber.disconnect()
      other.destroy()
    })
    for (const [index, options] of [
      { client: redis },
      { client: nodeRedis },
      { client: redis, subscriber },
      { client: redis, subscriber: other }
    ].entries()) {
      const list = new RedisRevocations({ ...options, prefix: `loss:${index}:`, clock })
      const heard: Revocation[] = []
      let losses = 0
      const listen = () =>
        list.listen(
          (entry) => heard.push(entry),
          () => losses++
        )
      await listen()
      await list.add(entryOf('a'))
      await when(() => heard.length === 1)
      await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await when(() => losses === 1)
      await list.add(entryOf('b'))
      const stop = await listen()
      await list.add(entryOf('c'))
      await when(() => heard.length === 2)
      t.match(heard, [{ id: 'a' }, { id: 'c' }], 'what came in between is to be asked for')
      stop()
      await list.add(entryOf('d'))
      t.equal(heard.length, 2)
      t.equal(losses, 1)
    }
  })

  t.test('a command that the client sends twice adds one entry', async (t) => {
    let isTwice = false
    const twice = {
      status: 'ready',
      hgetall: (key: string) => redis.hgetall(key),
      async evalsha(sha: string, numkeys: number, ...values: string[]): Promise<unknown> {
        if (isTwice) await redis.evalsha(sha, numkeys, ...values)
        return redis.evalsha(sha, numkeys, ...values)
      },
      eval: (script: string, numkeys: number, ...values: string[]) => redis.eval(script, numkeys, ...values)
    }
    const list = new RedisRevocations({ client: twice, subscriber: redis, prefix: 'twice:', clock: () => NOW * 1000 })
    await list.add(entryOf('before'))
    isTwice = true
    t.equal(await list.add(entryOf('a')), undefined)
    t.match(await list.add(entryOf('a', NOW + 9)), entryOf('a'))
    t.equal((await list.since()).entries.length, 2)
  })

  t.test('what is over makes room for what comes', async (t) => {
    let now = NOW
    const list = new RedisRevocations({ client: redis, prefix: 'room:', clock: () => now * 1000 })
    for (let index = 0; index < 150; index++) await list.add(entryOf(String(index), NOW + 1))
    await list.add({ kind: 'all', before: 1, until: NOW + 1 })
    const { position } = await list.since()
    now += 2
    t.equal(await list.add(entryOf('149')), undefined, 'one that is over, and added again before that is removed')
    await list.add(entryOf('new'))
    await list.add(entryOf('newer'))
    t.equal(await redis.hlen('room:revocations'), 3 + 2 * 3)
    t.same((await list.since(position)).entries, [entryOf('149'), entryOf('new'), entryOf('newer')])
    t.equal(await redis.hget('room:revocations', 's:149'), '152')
  })

  t.test('after a loss, or a failover to a server that had less, everything is read anew', async (t) => {
    const list = new RedisRevocations({ client: redis, prefix: 'lost:', clock: () => NOW * 1000 })
    for (const id of ['a', 'b', 'c']) await list.add(entryOf(id))
    const { position } = await list.since()
    const snapshot = await redis.dumpBuffer('lost:revocations')
    await redis.del('lost:revocations')
    for (const id of ['d', 'e', 'f', 'g']) await list.add(entryOf(id))
    t.equal((await list.since(position)).entries.length, 4, 'another epoch')
    await redis.restore('lost:revocations', 0, snapshot as Buffer, 'REPLACE')
    await list.add(entryOf('lost'))
    const later = await list.since()
    await redis.restore('lost:revocations', 0, snapshot as Buffer, 'REPLACE')
    t.equal((await list.since(later.position)).entries.length, 3, 'fewer entries')
    await list.add(entryOf('other'))
    t.equal((await list.since(later.position)).entries.length, 4, 'another entry under the number')
    t.equal((await list.since((await list.since()).position)).entries.length, 0)
  })

  t.test('wrong options are refused', (t) => {
    const INVALID = { code: 'ERR_SESSION_OPTION_INVALID' }
    t.throws(() => new RedisRevocations({ client: 'redis://localhost' as never }), INVALID)
    t.throws(() => new RedisRevocations({ client: redis, subscriber: {} }), INVALID)
    t.throws(() => new RedisRevocations({ client: redis, prefix: 1 as never }), INVALID)
    t.throws(() => new RedisRevocations({ client: redis, clock: 1 as never }), INVALID)
    t.throws(() => new RedisRevocations({ client: redis, host: '' } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
    t.end()
  })

  t.test('in a cluster', async (t) => {
    const cluster = await startCluster()
    t.teardown(() => cluster.end())
    const nodes = cluster.ports.map((port) => ({ host: HOST, port }))
    const io = new Cluster(nodes)
    const node = createCluster({ rootNodes: nodes.map(({ port }) => ({ url: `redis://${HOST}:${port}` })) })
    node.on('error', () => {})
    await node.connect()
    t.teardown(() => {
      io.disconnect()
      node.destroy()
    })
    await t.test('with ioredis', async (t) => contract(t, { client: io }))
    await t.test('with node-redis', async (t) => contract(t, { client: node as never }))
  })
}
