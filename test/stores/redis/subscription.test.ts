import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster } from 'redis'
import t from 'tap'
import { hearing } from '../../../lib/stores/redis/subscription.ts'
import { when } from '../../helpers/fake-time.ts'
import { openRedis, startCluster } from '../../helpers/redis.ts'
import { freePort } from '../../helpers/service.ts'

const INVALID = { code: 'ERR_SESSION_OPTION_INVALID' }
const ignore = (): void => {}

const redis = await openRedis(t, 'what is published in Redis')
if (redis !== undefined) {
  const { port } = redis.options
  const nodeRedis = createClient({ url: `redis://127.0.0.1:${port}` })
  nodeRedis.on('error', ignore)
  await nodeRedis.connect()
  t.teardown(() => nodeRedis.destroy())

  t.test('it hears its channel alone, and ends its own connection', async (t) => {
    const subscriber = redis.duplicate()
    const other = nodeRedis.duplicate()
    await other.connect()
    t.teardown(() => {
      subscriber.disconnect()
      other.destroy()
    })
    await subscriber.subscribe('another')
    for (const [index, hear] of [
      hearing(redis, undefined),
      hearing(nodeRedis, undefined),
      hearing(redis, subscriber),
      hearing(redis, other)
    ].entries()) {
      const heard: string[] = []
      const lost = (): void => void heard.push('lost')
      const channel = `channel ${index}`
      const stop = await hear(channel, (message) => heard.push(message), lost)
      await redis.publish('another', 'no')
      await redis.publish(channel, 'yes')
      await when(() => heard.length > 0)
      stop()
      await redis.publish(channel, 'late')
      const clients = String(await redis.client('LIST'))
      t.equal(clients.includes(`name=`), true)
      t.same(heard, ['yes'])
    }
    t.equal(subscriber.status, 'ready')
    t.equal(other.isReady, true)
  })

  t.test('a client as connect() returns it is left alone, too', async (t) => {
    const connected = await createClient({ url: `redis://127.0.0.1:${port}` }).connect()
    const stop = await hearing(redis, connected)('channel', ignore, () => t.fail('it had stopped'))
    stop()
    connected.destroy()
    t.equal(connected.isOpen, false)
  })

  t.test('it says once that it hears no more', async (t) => {
    const subscriber = redis.duplicate()
    const other = nodeRedis.duplicate()
    other.on('error', ignore)
    await other.connect()
    t.teardown(() => {
      subscriber.disconnect()
      other.destroy()
    })
    for (const [client, ear] of [
      [redis, undefined],
      [nodeRedis, undefined],
      [redis, subscriber],
      [redis, other]
    ] as const) {
      let losses = 0
      const heard: string[] = []
      await hearing(client, ear)(
        'channel',
        (message) => heard.push(message),
        () => losses++
      )
      await redis.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
      await when(() => losses > 0)
      await redis.ping()
      t.equal(losses, 1)
    }
  })

  t.test('a server that is not there is an error, and no connection stays', async (t) => {
    const nowhere = await freePort()
    const client = new Redis({ host: '127.0.0.1', port: nowhere, lazyConnect: true })
    await t.rejects(hearing(client, undefined)('channel', ignore, ignore))
    const other = createClient({ url: `redis://127.0.0.1:${nowhere}` })
    await t.rejects(hearing(other, undefined)('channel', ignore, ignore))
  })

  t.test('what cannot hear is refused', (t) => {
    t.throws(() => hearing(redis, {}), INVALID)
    t.throws(() => hearing(redis, null), INVALID)
    t.throws(() => hearing({}, undefined), { ...INVALID, message: /option subscriber/ })
    t.throws(() => hearing(createClientPool(), undefined), { ...INVALID, message: /option subscriber/ })
    t.end()
  })

  t.test('in a cluster it hears what any node is told', async (t) => {
    const servers = await startCluster()
    t.teardown(() => servers.end())
    const nodes = servers.ports.map((port) => ({ host: '127.0.0.1', port }))
    const io = new Cluster(nodes)
    const node = createCluster({ rootNodes: nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` })) })
    node.on('error', ignore)
    await node.connect()
    t.teardown(() => {
      io.disconnect()
      node.destroy()
    })
    for (const client of [io, node]) {
      const heard: string[] = []
      const stop = await hearing(client, undefined)('channel', (message) => heard.push(message), ignore)
      await io.publish('channel', 'yes')
      await when(() => heard.length > 0)
      stop()
    }
  })
}
