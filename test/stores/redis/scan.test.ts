import t from 'tap'
import type { RedisCommands, Script } from '../../../lib/stores/redis/commands.ts'
import { KeyNames } from '../../../lib/stores/redis/key-names.ts'
import { slotOf } from '../../../lib/stores/redis/node-of.ts'
import { Scan } from '../../../lib/stores/redis/scan.ts'
import { SCAN } from '../../../lib/stores/redis/scan-scripts.ts'

type Reply = (node: string, cursor: string, count: number) => readonly string[]

const ADDRESSES = ['10.0.0.1:6379', '10.0.0.2:6379', '10.0.0.3:6379'] as const

function keyOf(letter: string): string {
  return letter.repeat(43)
}

/** A server, or a cluster whose nodes have as many slots each. */
class FakeRedis implements RedisCommands {
  nodes: readonly string[] = ['']
  readonly asked: unknown[] = []
  readonly #reply: Reply
  /** Called by what is no scan. */
  onConnect: () => void = () => {}

  constructor(reply: Reply) {
    this.#reply = reply
  }

  async run(script: Script, name: string, values: readonly string[]): Promise<string[]> {
    if (script !== SCAN) {
      this.onConnect()
      return [name]
    }
    const [length, cursor = '', count] = values
    this.asked.push([this.nodeOf(name), cursor, Number(count)])
    t.equal(name.slice(0, name.length - Number(length)), 'app:')
    return [...this.#reply(this.nodeOf(name), cursor, Number(count))]
  }

  async getAll(): Promise<never> {
    throw new Error('unused')
  }

  async memoryInfo(): Promise<never> {
    throw new Error('unused')
  }

  nodeOf(name: string): string {
    return this.nodes[Math.floor((slotOf(name) * this.nodes.length) / 16_384)] as string
  }
}

function scanOf(redis: FakeRedis, isCluster: boolean): Scan {
  return new Scan(redis, new KeyNames('app:'), isCluster)
}

t.test('one server is asked until there are enough, and each time for more', async (t) => {
  const redis = new FakeRedis((_node, cursor) => {
    if (cursor === '0') return ['7', 'owner:x', '{5}', 'endings']
    return cursor === '7' ? ['3', keyOf('a'), keyOf('a')] : ['0', keyOf('b'), `${keyOf('b')}x`]
  })
  const scan = scanOf(redis, false)
  const first = await scan.step(undefined, 1)
  t.same(first, { keys: [keyOf('a')], next: '3@' })
  t.same(await scan.step(first.next, 1), { keys: [keyOf('b')], next: undefined })
  t.same(redis.asked, [
    ['', '0', 1],
    ['', '7', 2],
    ['', '3', 1]
  ])
})

t.test('where nothing is found, a step ends all the same', async (t) => {
  const redis = new FakeRedis((_node, cursor) => [String(Number(cursor) + 1)])
  t.same(await scanOf(redis, false).step(undefined, 100), { keys: [], next: '50@' })
  t.equal(redis.asked.length, 50)
  t.same(redis.asked.at(-1), ['', '49', 1000])
})

t.test('each node of a cluster is asked in turn', async (t) => {
  const letters: Record<string, string> = { [ADDRESSES[0]]: 'a', [ADDRESSES[1]]: 'b', [ADDRESSES[2]]: 'c' }
  const redis = new FakeRedis((node) => ['0', keyOf(letters[node] as string)])
  redis.nodes = ADDRESSES
  const scan = scanOf(redis, true)
  t.same(await scan.step(undefined, 10), { keys: ['a', 'b', 'c'].map(keyOf), next: undefined })
  const first = await scan.step(undefined, 1)
  t.same(first, { keys: [keyOf('a')], next: `0@${ADDRESSES[1]}` })
  t.same(await scan.step(first.next, 2), { keys: ['b', 'c'].map(keyOf), next: undefined })
})

t.test('a node that has left makes a cursor worthless, and one that has joined is noticed', async (t) => {
  const redis = new FakeRedis((node) => ['0', keyOf(node === ADDRESSES[0] ? 'a' : 'b')])
  redis.nodes = ADDRESSES.slice(0, 2)
  const scan = scanOf(redis, true)
  const { next } = await scan.step(undefined, 1)
  redis.nodes = [ADDRESSES[0], ADDRESSES[2]]
  await t.rejects(scan.step(next, 1), { code: 'ERR_SESSION_VALUE', message: /leads nowhere/ })
  t.same(await scan.step(undefined, 5), { keys: [keyOf('a'), keyOf('b')], next: undefined })
  redis.nodes = ADDRESSES
  redis.asked.length = 0
  await scan.step(undefined, 5)
  t.equal(redis.asked.length, 3)
})

t.test('a client that knows no nodes yet is made to learn them', async (t) => {
  const redis = new FakeRedis(() => ['0'])
  await t.rejects(scanOf(redis, true).step(undefined, 1), { message: /does not know all nodes/ })
  redis.onConnect = () => {
    redis.nodes = ADDRESSES
  }
  t.same(await scanOf(redis, true).step(undefined, 1), { keys: [], next: undefined })
  t.equal(redis.asked.length, 3)
})

t.test('a client that does not show the nodes asks for them before each step', async (t) => {
  let looks = 0
  class Asking extends FakeRedis {
    async learnNodes(): Promise<void> {
      this.nodes = ADDRESSES.slice(0, ++looks)
    }
  }
  const redis = new Asking((node) => ['0', keyOf(node === ADDRESSES[0] ? 'a' : 'b')])
  const scan = scanOf(redis, true)
  t.same(await scan.step(undefined, 5), { keys: [keyOf('a')], next: undefined })
  t.same(await scan.step(undefined, 5), { keys: [keyOf('a'), keyOf('b')], next: undefined })
  t.equal(looks, 2)
  await scanOf(redis, false).step(undefined, 5)
  t.equal(looks, 2, 'without a cluster there is nothing to ask')
})

t.test('a cursor of another kind leads nowhere', async (t) => {
  const redis = new FakeRedis(() => ['0'])
  for (const cursor of ['', 'x', '5', '@', '-1@', `${'1'.repeat(21)}@`, '0@10.0.0.9:6379', keyOf('a')]) {
    await t.rejects(scanOf(redis, false).step(cursor, 1), { code: 'ERR_SESSION_VALUE' }, cursor)
  }
  t.same(redis.asked, [])
})
