import { Cluster, Redis } from 'ioredis'
import { createCluster, createSentinel } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import type { RedisStoreOptions } from '../../lib/stores/redis/index.ts'
import { when } from '../helpers/fake-time.ts'
import type { RedisServers } from '../helpers/redis.ts'
import { startCluster, startRedis, startSentinel } from '../helpers/redis.ts'
import { cannotTest } from '../helpers/service.ts'
import { createShakyApp, Visitor } from '../helpers/shaky-redis.ts'
import { TcpProxy } from '../helpers/tcp-proxy.ts'

const HOST = '127.0.0.1'
const SERVED = 200
const UNAVAILABLE = 503

/** Through which port each node is reached, by its own port. */
type Addresses = ReadonlyMap<number, number>

/** A failover takes longer than requests usually wait. */
const OPTIONS = { storeTimeout: 20 }

const isCommit = (text: string): boolean => /\bevalsha\b[\s\S]*\r\n\./i.test(text)

const there = await startRedis()
await there?.end()
if (there === undefined) {
  cannotTest(t, 'commands that come again after a failover', 'there is no redis-server to start')
} else {
  const openIoredis = async (t: Test, addresses: Addresses): Promise<Cluster> => {
    const natMap = Object.fromEntries(
      [...addresses].map(([port, via]) => [`${HOST}:${port}`, { host: HOST, port: via }])
    )
    const cluster = new Cluster(
      [...addresses.keys()].map((port) => ({ host: HOST, port })),
      { natMap }
    )
    cluster.on('error', () => {})
    t.teardown(() => cluster.disconnect())
    return cluster
  }

  const openNodeRedis = async (t: Test, addresses: Addresses): Promise<RedisStoreOptions['client']> => {
    const cluster = createCluster({
      rootNodes: [...addresses.values()].map((via) => ({ url: `redis://${HOST}:${via}` })),
      nodeAddressMap: Object.fromEntries(
        [...addresses].map(([port, via]) => [`${HOST}:${port}`, { host: HOST, port: via }])
      )
    })
    cluster.on('error', () => {})
    await cluster.connect()
    t.teardown(() => cluster.destroy())
    return cluster
  }

  for (const how of ['MOVED', 'ASK'] as const) {
    for (const [name, open] of [
      ['ioredis', openIoredis],
      ['node-redis', openNodeRedis]
    ] as const) {
      t.test(`an update() whose answer is lost counts once although its slot moves: ${how}, ${name}`, async (t) => {
        const servers = await startCluster()
        t.teardown(() => servers.end())
        const proxies = await Promise.all(servers.ports.map((port) => TcpProxy.start(port)))
        t.teardown(() => Promise.all(proxies.map((proxy) => proxy.end())))
        const direct = new Map(servers.ports.map((port) => [port, port]))
        const broken = new Map(servers.ports.map((port, index) => [port, proxies[index]?.port as number]))
        const shaky = await createShakyApp(await open(t, broken), OPTIONS)
        const steady = await createShakyApp(await open(t, direct), OPTIONS)
        const visitor = new Visitor()
        await visitor.visit(steady, '/count')
        await visitor.visit(shaky, '/count')

        const { from, name: key } = await findSession(servers.ports)
        const lost = (proxies[from] as TcpProxy).loseAnswer(isCommit)
        const status = visitor.visit(shaky, '/count')
        await lost
        const finish = await moveSlot(servers.ports, from, key)
        if (how === 'MOVED') await finish()
        t.equal(await visitor.visit(steady, '/count'), SERVED)
        proxies[from]?.release()
        // node-redis tells that it does not know.
        t.equal(await status, name === 'ioredis' ? SERVED : UNAVAILABLE)
        if (how === 'ASK') await finish()
        t.same(await visitor.read(steady), { visits: 4 })
      })
    }
  }

  /** A master with a replica that has all of it, and a sentinel that knows both. */
  const startWatched = async (t: Test) => {
    const servers = await startSentinel()
    const [port, watcherPort] = servers.ports as [number, number]
    const copy = (await startRedis('--replicaof', HOST, String(port))) as RedisServers
    const watcher = new Redis({ host: HOST, port: watcherPort })
    const master = new Redis({ host: HOST, port })
    t.teardown(async () => {
      watcher.disconnect()
      master.disconnect()
      await copy.end()
      await servers.end()
    })
    // Else a sentinel sees new replicas only every ten seconds. Redis 6.2 does not know it.
    await watcher.call('SENTINEL', 'DEBUG', 'INFO-PERIOD', '100').catch(() => {})
    await when(async () => {
      const known = String(await watcher.call('SENTINEL', 'REPLICAS', 'sessions'))
      return known.includes(`${HOST}:${copy.ports[0]}`) && known.includes('master-link-status,ok')
    })
    const failOver = async (): Promise<void> => {
      // The replica has all that was acknowledged.
      await master.set('last', '1')
      t.equal(await master.wait(1, 5000), 1)
      await watcher.call('SENTINEL', 'FAILOVER', 'sessions')
      await when(async () => {
        const [, now] = (await watcher.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'sessions')) as string[]
        return now === String(copy.ports[0])
      })
    }
    return { port, watcherPort, failOver }
  }

  /** Opens a client behind a sentinel. `via`: through which port it reaches the first master. */
  type OpenWatched = (t: Test, watcherPort: number, port: number, via: number) => Promise<RedisStoreOptions['client']>

  const openWatchedIoredis: OpenWatched = async (t, watcherPort, port, via) => {
    const natMap = { [`${HOST}:${port}`]: { host: HOST, port: via } }
    const redis = new Redis({ sentinels: [{ host: HOST, port: watcherPort }], name: 'sessions', natMap })
    redis.on('error', () => {})
    t.teardown(() => redis.disconnect())
    return redis
  }

  const openWatchedNodeRedis: OpenWatched = async (t, watcherPort, port, via) => {
    const sentinel = createSentinel({
      name: 'sessions',
      sentinelRootNodes: [{ host: HOST, port: watcherPort }],
      nodeAddressMap: { [`${HOST}:${port}`]: { host: HOST, port: via } },
      scanInterval: 100
    })
    sentinel.on('error', () => {})
    await sentinel.connect()
    t.teardown(() => sentinel.destroy())
    return sentinel
  }

  for (const [name, open] of [
    ['ioredis', openWatchedIoredis],
    ['node-redis', openWatchedNodeRedis]
  ] as const) {
    t.test(`an update() whose answer is lost counts once although a replica takes over: ${name}`, async (t) => {
      const { port, watcherPort, failOver } = await startWatched(t)
      const proxy = await TcpProxy.start(port)
      t.teardown(() => proxy.end())
      const shaky = await createShakyApp(await open(t, watcherPort, port, proxy.port), OPTIONS)
      const steady = await createShakyApp(await open(t, watcherPort, port, port), OPTIONS)
      const visitor = new Visitor()
      await visitor.visit(steady, '/count')
      await visitor.visit(shaky, '/count')

      const lost = proxy.loseAnswer(isCommit)
      const status = visitor.visit(shaky, '/count')
      await lost
      t.equal(await visitor.visit(steady, '/count'), SERVED)
      await failOver()
      proxy.release()
      proxy.reset()
      t.equal(await status, SERVED)
      t.same(await visitor.read(shaky), { visits: 4 }, 'on the new master')
    })
  }
}

/** Returns the name of the only session, and the index of the node that has it. */
async function findSession(ports: readonly number[]): Promise<{ from: number; name: string }> {
  const found = await Promise.all(ports.map((port) => onNode(port, (node) => node.keys('session:*'))))
  const from = found.findIndex((names) => names.length > 0)
  return { from, name: found[from]?.[0] as string }
}

/** Moves a session to the next node. Until the slot is given away with the returned function, its old node answers ASK. */
async function moveSlot(ports: readonly number[], from: number, name: string): Promise<() => Promise<unknown>> {
  const [source, target] = [ports[from], ports[(from + 1) % ports.length]] as [number, number]
  const idOf = (port: number): Promise<string> =>
    onNode(port, async (node) => String(await node.call('CLUSTER', 'MYID')))
  const [sourceId, targetId] = [await idOf(source), await idOf(target)]
  const slot = await onNode(source, (node) => node.cluster('KEYSLOT', name))
  await onNode(target, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', sourceId))
  await onNode(source, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'MIGRATING', targetId))
  await onNode(source, (node) => node.migrate(HOST, target, name, 0, 5000))
  return async () => {
    for (const port of [target, source, ...ports]) {
      await onNode(port, (node) => node.call('CLUSTER', 'SETSLOT', slot, 'NODE', targetId))
    }
  }
}

async function onNode<T>(port: number, use: (node: Redis) => Promise<T>): Promise<T> {
  const node = new Redis({ host: HOST, port })
  try {
    return await use(node)
  } finally {
    node.disconnect()
  }
}
