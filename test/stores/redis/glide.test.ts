import { Decoder, GlideClient, GlideClusterClient } from '@valkey/valkey-glide'
import { Redis } from 'ioredis'
import t from 'tap'
import type { Script } from '../../../lib/stores/redis/commands.ts'
import type { ValkeyGlideClient } from '../../../lib/stores/redis/glide.ts'
import { fromGlide, isGlide } from '../../../lib/stores/redis/glide.ts'
import { define } from '../../../lib/stores/redis/lua.ts'
import { slotOf } from '../../../lib/stores/redis/node-of.ts'
import { openGlide, openGlideCluster } from '../../helpers/glide.ts'
import { startCluster, startRedis } from '../../helpers/redis.ts'
import { cannotTest } from '../../helpers/service.ts'

const SCRIPT: Script = { source: 'return ARGV', sha: 'd1e5' }
const FORGOTTEN = new Error(
  'An error was signalled by the server: - NoScriptError: No matching script. Please use EVAL.'
)

/** A client that notes its commands. One of a cluster has `invokeScriptWithRoute`. */
class FakeGlide implements ValkeyGlideClient {
  readonly asked: string[][] = []
  slots: unknown = []

  async customCommand(command: string[]): Promise<unknown> {
    this.asked.push(command)
    if (command[0] === 'EVALSHA') throw FORGOTTEN
    if (command[0] === 'EVAL') return [Buffer.from('done'), 1]
    return command[0] === 'INFO' ? Buffer.from('maxmemory:0') : this.slots
  }

  async hgetall(key: string): Promise<unknown> {
    this.asked.push(['hgetall', key])
    return [
      { field: 'v', value: '0' },
      { field: Buffer.from('.a'), value: Buffer.from('1') }
    ]
  }
}

class FakeCluster extends FakeGlide {
  invokeScriptWithRoute(): void {}

  override async customCommand(command: string[]): Promise<unknown> {
    const reply = await super.customCommand(command)
    return command[0] === 'INFO' ? [{ key: '10.0.0.1:6379', value: reply }] : reply
  }

  /** How often it was asked for the nodes. */
  get looks(): number {
    return this.asked.filter(([name]) => name === 'CLUSTER').length
  }
}

t.test('valkey-glide is asked in its own way', async (t) => {
  const client = new FakeGlide()
  const commands = fromGlide(client)
  t.same({ ...(await commands.getAll('name')) }, { v: '0', '.a': Buffer.from('1') })
  t.same(await commands.run(SCRIPT, 'name', ['a', 'b']), ['done', '1'])
  t.equal(await commands.memoryInfo(), 'maxmemory:0')
  t.same(client.asked, [
    ['hgetall', 'name'],
    ['EVALSHA', 'd1e5', '1', 'name', 'a', 'b'],
    ['EVAL', 'return ARGV', '1', 'name', 'a', 'b'],
    ['INFO', 'memory']
  ])
  t.equal(commands.nodeOf('name'), '')
  t.equal(commands.learnNodes, undefined)
  for (const reply of [null, 'QUEUED']) {
    const foreign = fromGlide({ customCommand: async () => reply, hgetall: async () => reply })
    await t.rejects(foreign.getAll('name'), TypeError, 'it must not pass for a session that has ended')
  }
})

t.test('a cluster is asked for its nodes at first, and again every five seconds', async (t) => {
  let now = 5
  t.intercept(performance, 'now', { value: () => now })
  const client = new FakeCluster()
  const commands = fromGlide(client)
  t.equal(commands.nodeOf('foo'), `slot ${slotOf('foo')}`, 'a node of its own')
  t.equal(commands.nodeOf('{foo}:1'), commands.nodeOf('foo'))
  t.not(commands.nodeOf('bar'), commands.nodeOf('foo'))
  const middle = slotOf('foo')
  client.slots = [
    [0, middle - 1, ['10.0.0.1', 6379, 'one', []], ['10.0.0.9', 6379, 'copy', []]],
    [middle, 16_383, [Buffer.from('10.0.0.2'), 6379, Buffer.from('two'), []]]
  ]
  t.same(await commands.run(SCRIPT, 'foo', []), ['done', '1'])
  t.equal(client.looks, 1)
  t.equal(commands.nodeOf('foo'), 'two')
  t.equal(slotOf('bar') < middle, true)
  t.equal(commands.nodeOf('bar'), 'one')
  now += 4999
  await commands.run(SCRIPT, 'foo', [])
  t.equal(client.looks, 1)
  now += 1
  client.slots = [[0, 16_383, ['10.0.0.3', 6379, 'three']]]
  await commands.run(SCRIPT, 'foo', [])
  t.equal(client.looks, 2)
  t.equal(commands.nodeOf('foo'), 'three')
  t.equal(await commands.memoryInfo(), 'maxmemory:0', 'what the first node says')
})

t.test('a cluster that does not tell all of its nodes', async (t) => {
  const client = new FakeCluster()
  const commands = fromGlide(client)
  client.slots = [[0, 16_382, ['10.0.0.1', 6379, 'one']]]
  t.same(await commands.run(SCRIPT, 'foo', []), ['done', '1'], 'a command does not need it')
  t.equal(commands.nodeOf('foo'), 'one', 'what is known counts')
  await t.rejects(async () => commands.learnNodes?.(), {
    message: 'The client does not know all nodes of the cluster.'
  })
})

t.test('it is recognized by three methods', async (t) => {
  t.ok(isGlide(Object.create(GlideClient.prototype)))
  t.ok(isGlide(Object.create(GlideClusterClient.prototype)))
  t.notOk(isGlide({ customCommand() {}, hgetall() {} }))
  t.notOk(isGlide(undefined))
})

t.test('the real clients', async (t) => {
  const server = await startRedis()
  if (server === undefined) return cannotTest(t, 'valkey-glide', 'there is no redis-server to start')
  const cluster = await startCluster()
  const redis = new Redis({ host: '127.0.0.1', port: server.ports[0] as number })
  t.teardown(async () => {
    redis.disconnect()
    await server.end()
    await cluster.end()
  })
  const set = define("return { redis.call('HSET', KEYS[1], 'name', ARGV[1]) }")
  for (const defaultDecoder of [Decoder.String, Decoder.Bytes]) {
    const client = await openGlide(t, server.ports[0] as number, { defaultDecoder })
    await redis.call('SCRIPT', 'FLUSH')
    for (const commands of [
      fromGlide(client),
      fromGlide(await openGlideCluster(t, cluster.ports[1] as number, { defaultDecoder }))
    ]) {
      const name = `key ${defaultDecoder}`
      t.same(await commands.run(set, name, ['Å']), ['1'])
      t.equal(String((await commands.getAll(name)).name), 'Å')
      t.same({ ...(await commands.getAll('none')) }, {})
      t.match(await commands.memoryInfo(), /^maxmemory_policy:noeviction/m)
    }
  }
  const commands = fromGlide(await openGlideCluster(t, cluster.ports[2] as number))
  await commands.learnNodes?.()
  const nodes = new Set(Array.from({ length: 100 }, (_, number) => commands.nodeOf(`${number}`)))
  t.equal(nodes.size, 3)
  t.notOk([...nodes].some((node) => node.startsWith('slot')))
})
