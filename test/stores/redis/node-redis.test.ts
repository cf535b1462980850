import assert from 'node:assert/strict'
import t from 'tap'
import type { Script } from '../../../lib/stores/redis/commands.ts'
import type { NodeRedisClient, NodeRedisCommands } from '../../../lib/stores/redis/node-redis.ts'
import { fromNodeRedis } from '../../../lib/stores/redis/node-redis.ts'

const SCRIPT: Script = { source: 'return ARGV', sha: 'd1e5' }

const FORGOTTEN = new Error('NOSCRIPT No matching script.')

/** A client of node-redis that notes what it is asked, and each signal that it gets. */
class FakeNodeRedis implements NodeRedisClient {
  readonly asked: unknown[] = []
  readonly signals: AbortSignal[] = []

  withCommandOptions({ timeout, abortSignal }: { timeout: number; abortSignal: AbortSignal }): NodeRedisCommands {
    assert.equal(timeout, 0, 'no other signal')
    this.signals.push(abortSignal)
    return this
  }

  async hGetAll(...args: unknown[]): Promise<unknown> {
    this.asked.push(['hGetAll', ...args])
    return { v: '0' }
  }

  async evalSha(...args: unknown[]): Promise<unknown> {
    this.asked.push(['evalSha', ...args])
    throw FORGOTTEN
  }

  async eval(...args: unknown[]): Promise<unknown> {
    this.asked.push(['eval', ...args])
    return ['done']
  }
}

t.test('node-redis is asked in its own way', async (t) => {
  const client = new FakeNodeRedis()
  const commands = fromNodeRedis(client)
  t.equal(client.signals.length, 0, 'who asks nothing needs no signal')
  t.same(await commands.getAll('name'), { v: '0' })
  t.same(await commands.run(SCRIPT, 'name', ['a', 'b']), ['done'])
  const options = { keys: ['name'], arguments: ['a', 'b'] }
  t.same(client.asked, [
    ['hGetAll', 'name'],
    ['evalSha', 'd1e5', options],
    ['eval', 'return ARGV', options]
  ])
  t.equal(client.signals.length, 1)
  t.equal(await commands.memoryInfo(), 'undefined', 'one that cannot be asked')
  const asking = fromNodeRedis(Object.assign(client, { info: async (section: string) => `# ${section}` }))
  t.equal(await asking.memoryInfo(), '# memory')
})

t.test('commands of node-redis share a signal: not for long, not too many, and none that has gone off', async (t) => {
  let now = 5
  t.intercept(performance, 'now', { value: () => now })
  const made: AbortController[] = []
  t.intercept(AbortSignal, 'timeout', {
    value: (milliseconds: number) => {
      t.equal(milliseconds, 5000)
      const controller = new AbortController()
      made.push(controller)
      return controller.signal
    }
  })
  const client = new FakeNodeRedis()
  const commands = fromNodeRedis(client)
  const signalsOf = async (count: number): Promise<number> => {
    for (let command = 0; command < count; command++) await commands.getAll('name')
    return client.signals.length
  }
  t.equal(await signalsOf(1), 1)
  now += 999
  t.equal(await signalsOf(1), 1)
  now += 1
  t.equal(await signalsOf(200), 2)
  t.equal(await signalsOf(1), 3)
  made.at(-1)?.abort()
  t.equal(await signalsOf(2), 4, 'also where no time passes by the clock')
  const warnings = t.capture(process, 'emitWarning')
  for (let waiting = 0; waiting < 200; waiting++) client.signals[0]?.addEventListener('abort', () => waiting)
  t.same(warnings(), [], 'that many may wait')
})
