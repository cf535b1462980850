import t from 'tap'
import type { IoredisClient, NodeRedisClient, NodeRedisCommands, Script } from '../../lib/store/redis-client.ts'
import { toCommands, toHash } from '../../lib/store/redis-client.ts'

const SCRIPT: Script = { source: 'return ARGV', sha: 'd1e5' }

/** Fails as a server does that has never seen the script. `asked`: anything. */
async function forget(_asked: unknown): Promise<never> {
  throw new Error('NOSCRIPT No matching script.')
}

t.test('ioredis is asked in its own way', async (t) => {
  const asked: unknown[] = []
  const client: IoredisClient = {
    hgetall: async (...args) => asked.push(['hgetall', ...args]),
    evalsha: (...args) => forget(asked.push(['evalsha', ...args])),
    eval: async (...args) => asked.push(['eval', ...args]) && [Buffer.from('done'), 1]
  }
  const commands = toCommands(client)
  t.equal(await commands.getAll('name'), 1)
  t.same(await commands.run(SCRIPT, 'name', ['a', 'b']), ['done', '1'])
  t.same(asked, [
    ['hgetall', 'name'],
    ['evalsha', 'd1e5', 1, 'name', 'a', 'b'],
    ['eval', 'return ARGV', 1, 'name', 'a', 'b']
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
    const client = { hgetall() {}, evalsha: () => Promise.reject(thrown), eval: () => t.fail('sent again') }
    t.equal(
      await toCommands(client)
        .run(SCRIPT, 'name', [])
        .catch((error) => error),
      thrown
    )
  }
})

t.test('node-redis is asked in its own way, and makes no signal for each command', async (t) => {
  let now = 5
  t.intercept(performance, 'now', { value: () => now })
  const asked: unknown[] = []
  const signals: AbortSignal[] = []
  const withSignal = (nth: number): NodeRedisCommands => ({
    hGetAll: async (...args) => asked.push([nth, 'hGetAll', ...args]),
    evalSha: (...args) => forget(asked.push([nth, 'evalSha', ...args])),
    eval: async (...args) => asked.push([nth, 'eval', ...args]) && ['done']
  })
  const client: NodeRedisClient = {
    ...withSignal(0),
    withCommandOptions({ timeout, abortSignal }) {
      t.equal(timeout, 0, 'none of its own')
      return withSignal(signals.push(abortSignal))
    }
  }
  const commands = toCommands(client)
  t.equal(signals.length, 0, 'what is not used needs none')
  t.equal(await commands.getAll('name'), 1)
  now += 999
  t.same(await commands.run(SCRIPT, 'name', ['a', 'b']), ['done'])
  now += 1
  await commands.getAll('later')
  const options = { keys: ['name'], arguments: ['a', 'b'] }
  t.same(asked, [
    [1, 'hGetAll', 'name'],
    [1, 'evalSha', 'd1e5', options],
    [1, 'eval', 'return ARGV', options],
    [2, 'hGetAll', 'later']
  ])
  const warnings = t.capture(process, 'emitWarning')
  for (let waiting = 0; waiting < 100; waiting++) signals[0]?.addEventListener('abort', () => waiting)
  t.same(warnings(), [], 'as many may wait as there are')
})

t.test('anything else is refused, and not shown', async (t) => {
  const refuse = (client: unknown, message: string): void => {
    t.throws(() => toCommands(client), {
      code: 'ERR_SESSION_OPTION_INVALID',
      message: `The option client must be a client of ioredis or of node-redis; it is ${message}.`
    })
  }
  refuse(undefined, 'missing')
  refuse(Promise.resolve(), 'a promise, which has to be awaited first')
  const others = [null, 'redis://:password@localhost', { url: 'redis://:password@localhost' }, { eval() {} }]
  for (const other of others) refuse(other, 'something else')
  refuse({ evalsha() {}, eval() {} }, 'something else')
  refuse({ evalSha() {}, eval() {}, hGetAll() {} }, 'something else')
  refuse({ evalSha() {}, eval: 1, hGetAll() {}, withCommandOptions() {} }, 'something else')
})

t.test('the fields of a hash, in every shape', async (t) => {
  const hash = { v: '0', '.a': '1' }
  const pairs = Object.entries(hash)
  const buffers = pairs.flat().map((text) => Buffer.from(text))
  t.equal(toHash(hash), hash)
  for (const reply of [new Map(pairs), pairs, pairs.flat()]) t.same({ ...toHash(reply) }, hash)
  t.same({ ...toHash(buffers) }, { v: Buffer.from('0'), '.a': Buffer.from('1') })
  t.equal(Reflect.getPrototypeOf(toHash([])), null, 'a member of any name finds nothing')
  for (const [reply, what] of [
    [null, 'null'],
    [undefined, 'undefined'],
    ['QUEUED', 'string'],
    [0, 'number']
  ]) {
    const message = `The client must answer HGETALL with the fields of a hash; it gave ${what}.`
    t.throws(() => toHash(reply), { name: 'TypeError', message }, 'it must not pass for a session that has ended')
  }
})
