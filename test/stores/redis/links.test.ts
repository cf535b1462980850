import { GlideClient, GlideClusterClient } from '@valkey/valkey-glide'
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import type { Link } from '../../../lib/stores/redis/links.ts'
import { openerOf } from '../../../lib/stores/redis/links.ts'
import { when } from '../../helpers/fake-time.ts'
import type { RedisServers } from '../../helpers/redis.ts'
import { startCluster, startRedis } from '../../helpers/redis.ts'
import { cannotTest } from '../../helpers/service.ts'

const HOST = '127.0.0.1'
const SET = "return redis.call('SET', KEYS[1], ARGV[1])"

t.test('a client that chooses a connection for each command is refused', async (t) => {
  const url = `redis://${HOST}:1`
  const refused = [
    createClientPool({ url }),
    createCluster({ rootNodes: [{ url }] }),
    createSentinel({ name: 'sessions', sentinelRootNodes: [{ host: HOST, port: 1 }] }),
    // A client is made by a connection.
    Object.create(GlideClient.prototype) as GlideClient,
    Object.create(GlideClusterClient.prototype) as GlideClusterClient,
    {}
  ]
  for (const client of refused) {
    t.throws(() => openerOf(client), {
      code: 'ERR_SESSION_OPTION_INVALID',
      message:
        /^The option waitForReplicas needs a client of ioredis or iovalkey, or one that createClient\(\) of node-redis/
    })
  }
  const fit = [
    new Redis({ lazyConnect: true }),
    new Redis({ lazyConnect: true, sentinels: [{ host: HOST, port: 1 }], name: 'sessions' }),
    new Cluster([{ host: HOST, port: 1 }], { lazyConnect: true }),
    createClient({ url })
  ]
  for (const client of fit) t.ok(openerOf(client))
})

const master = await startRedis()
if (master === undefined) {
  cannotTest(t, 'replicas of Redis', 'there is no redis-server to start')
} else {
  const [port] = master.ports as [number]
  const copy = (await startRedis('--replicaof', HOST, String(port))) as RedisServers
  const [redis, replica] = [port, copy.ports[0] as number].map((port) => new Redis({ host: HOST, port })) as [
    Redis,
    Redis
  ]
  t.teardown(async () => {
    redis.disconnect()
    replica.disconnect()
    await copy.end()
    await master.end()
  })
  await when(async () => (await replica.info('replication')).includes('master_link_status:up'))

  const checkLink = async (t: Test, open: (node: string) => Promise<Link>, prefix = ''): Promise<void> => {
    const link = await open('')
    t.teardown(() => link.close())
    t.equal(await link.confirm(SET, ['a', 'b'], 'first', 1, 10_000), 1)
    t.same(await replica.mget(`${prefix}a`, `${prefix}b`), ['first', 'first'], 'the replica has it')
    t.equal(await link.confirm(SET, ['a'], 'second', 2, 1), 1, 'there is no second replica')
    t.ok(link.isOpen())
    // What is not written to anything but the own connection does not count.
    await redis.call('CLIENT', 'KILL', 'SKIPME', 'yes', 'TYPE', 'normal')
    await when(() => !link.isOpen())
    await t.rejects(link.confirm(SET, ['a'], 'third', 1, 10_000), 'it never connects again')
    const next = await open('')
    t.equal(await next.confirm(SET, ['a'], 'fourth', 1, 10_000), 1)
    next.close()
    t.notOk(next.isOpen())
  }

  t.test('a link of ioredis', async (t) => {
    const client = new Redis({ host: HOST, port, keyPrefix: 'app:', enableOfflineQueue: false, lazyConnect: true })
    client.on('error', () => {})
    t.teardown(() => client.disconnect())
    await client.connect()
    await checkLink(t, openerOf(client), 'app:')
  })

  t.test('a link of node-redis', async (t) => {
    const client = createClient({ url: `redis://${HOST}:${port}` })
    client.on('error', () => {})
    await client.connect()
    t.teardown(() => client.destroy())
    await checkLink(t, openerOf(client))
  })

  t.test('a link to one node of a cluster', async (t) => {
    const servers = await startCluster()
    const cluster = new Cluster([{ host: HOST, port: servers.ports[0] as number }], { keyPrefix: 'app:' })
    t.teardown(async () => {
      cluster.disconnect()
      await servers.end()
    })
    const open = openerOf(cluster)
    await cluster.set('a', 'old')
    const slot = await cluster.cluster('KEYSLOT', 'app:a')
    const link = await open(cluster.slots[slot]?.[0] as string)
    t.equal(await link.confirm(SET, ['a'], 'new', 1, 1), 0, 'it has no replica')
    t.equal(await cluster.get('a'), 'new')
    link.close()
    const plain = new Cluster([{ host: HOST, port: servers.ports[0] as number }])
    t.teardown(() => plain.disconnect())
    await plain.set('app:a', 'old')
    const other = await openerOf(plain)(plain.slots[slot]?.[0] as string)
    t.equal(await other.confirm(SET, ['app:a'], 'newer', 1, 1), 0)
    t.equal(await cluster.get('a'), 'newer', 'without a prefix')
    other.close()
    await t.rejects(open('127.0.0.1:1'), { message: 'The client has no connection to the node of the session.' })
  })
}
