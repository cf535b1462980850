import assert from 'node:assert/strict'
import t from 'tap'
import type { IoredisClient, NodeRedisClient, NodeRedisCommands, Script } from '../../../lib/stores/redis/client.ts'
import { toCommands } from '../../../lib/stores/redis/client.ts'

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

t.test('ioredis is asked in its own way', async (t) => {
  const asked: unknown[] = []
  const client: IoredisClient = {
    status: 'ready',
    async hgetall(...args) {
      asked.push(['hgetall', ...args])
      return { v: '0' }
    },
    async evalsha(...args) {
      asked.push(['evalsha', ...args])
      throw FORGOTTEN
    },
    async eval(...args) {
      asked.push(['eval', ...args])
      return [Buffer.from('done'), 1]
    },
    async info(...args) {
      asked.push(['info', ...args])
      return Buffer.from('maxmemory:0')
    }
  }
  const commands = toCommands(client)
  t.same(await commands.getAll('name'), { v: '0' })
  t.same(await commands.run(SCRIPT, 'name', ['a', 'b']), ['done', '1'])
  t.equal(await commands.memoryInfo(), 'maxmemory:0')
  t.same(asked, [
    ['hgetall', 'name'],
    ['evalsha', 'd1e5', 1, 'name', 'a', 'b'],
    ['eval', 'return ARGV', 1, 'name', 'a', 'b'],
    ['info', 'memory']
  ])
  const knowing = toCommands({
    ...client,
    evalsha: async () => [Buffer.from('known')],
    eval: () => t.fail('sent again')
  })
  t.same(await knowing.run(SCRIPT, 'name', []), ['known'])
})

t.test('what is no forgotten script is not sent again', async (t) => {
  for (const thrown of [new Error('READONLY You cannot write against a read only replica.'), 'no error']) {
    const client = {
      status: 'ready',
      hgetall() {},
      evalsha: () => Promise.reject(thrown),
      eval: () => t.fail('sent again')
    }
    t.equal(
      await toCommands(client)
        .run(SCRIPT, 'name', [])
        .catch((error) => error),
      thrown
    )
  }
})

t.test('node-redis is asked in its own way', async (t) => {
  const client = new FakeNodeRedis()
  const commands = toCommands(client)
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
  const asking = toCommands(Object.assign(client, { info: async (section: string) => `# ${section}` }))
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
  const commands = toCommands(client)
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

t.test('anything else is refused, and not shown', async (t) => {
  const refuse = (client: unknown, message: string): void => {
    t.throws(() => toCommands(client), {
      code: 'ERR_SESSION_OPTION_INVALID',
      message: `The option client must be a client of ioredis, iovalkey or node-redis; it is ${message}.`
    })
  }
  refuse(undefined, 'missing')
  refuse(Promise.resolve(), 'a promise, which must be awaited first')
  const others = [null, 'redis://:password@localhost', { url: 'redis://:password@localhost' }, { eval() {} }]
  for (const other of others) refuse(other, 'something else')
  refuse({ evalsha() {}, eval() {} }, 'something else')
  refuse({ evalSha() {}, eval: 1, hGetAll() {}, withCommandOptions() {} }, 'something else')
})

t.test('what has the methods of a client and is none is refused with what fits instead', async (t) => {
  const refuse = (client: unknown, message: RegExp): void => {
    t.throws(() => toCommands(client), { code: 'ERR_SESSION_OPTION_INVALID', message })
  }
  // The shapes of @upstash/redis 1.39.0, ioredis-mock 8.13.1 and redis 4.7.1.
  const upstash = { evalsha() {}, eval() {}, hgetall() {}, commandOptions: {} }
  const mock = { evalsha() {}, eval() {}, hgetall() {}, connected: true, duplicate() {}, info() {}, options: {} }
  const four = { evalSha() {}, eval() {}, hGetAll() {}, commandOptions() {}, duplicate() {}, isReady: true }
  refuse(upstash, /it is something that .* no client of ioredis: @upstash\/redis \(use ioredis with the rediss:/)
  refuse(mock, /ioredis-mock \(use a MemoryStore in tests\) or redis 3\.$/)
  refuse(four, /it is a client of redis 4 or older: install redis 5 or later\.$/)
})

t.test('the fields of a hash come in every shape that a client can be set to give', async (t) => {
  const given = (reply: unknown): Promise<object> =>
    toCommands({ status: 'ready', evalsha() {}, eval() {}, hgetall: async () => reply }).getAll('name')
  const fields = { v: '0', '.a': '1' }
  const pairs = Object.entries(fields)
  t.equal(await given(fields), fields)
  for (const reply of [new Map(pairs), pairs, pairs.flat()]) t.same({ ...(await given(reply)) }, fields)
  const buffers = pairs.flat().map((text) => Buffer.from(text))
  t.same({ ...(await given(buffers)) }, { v: Buffer.from('0'), '.a': Buffer.from('1') })
  t.equal(Reflect.getPrototypeOf(await given([])), null, 'no field is there that was not given')
  for (const [reply, what] of [
    [null, 'null'],
    [undefined, 'undefined'],
    ['QUEUED', 'string'],
    [0, 'number']
  ]) {
    const message = `The client must answer HGETALL with the fields of a hash; it returned ${what}.`
    await t.rejects(given(reply), { name: 'TypeError', message }, 'it must not pass for a session that has ended')
  }
})
