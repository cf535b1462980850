import t from 'tap'
import { toCommands } from '../../../lib/stores/redis/client.ts'

t.test('each client is recognized by its methods', async (t) => {
  const asked: string[] = []
  const note = (what: string) => async (): Promise<object> => {
    asked.push(what)
    return {}
  }
  const [ioredis, nodeRedis, glide] = [note('ioredis'), note('node-redis'), note('valkey-glide')]
  const node = { evalSha: nodeRedis, eval: nodeRedis, hGetAll: nodeRedis }
  for (const client of [
    { status: 'ready', evalsha: ioredis, eval: ioredis, hgetall: ioredis },
    { ...node, withCommandOptions: () => node },
    { customCommand: glide, hgetall: glide, invokeScript: glide }
  ]) {
    await toCommands(client).getAll('name')
  }
  t.same(asked, ['ioredis', 'node-redis', 'valkey-glide'])
})

t.test('anything else is refused, and not shown', async (t) => {
  const refuse = (client: unknown, message: string): void => {
    t.throws(() => toCommands(client), {
      code: 'ERR_SESSION_OPTION_INVALID',
      message: `The option client must be a client of ioredis, iovalkey, node-redis or valkey-glide; it is ${message}.`
    })
  }
  refuse(undefined, 'missing')
  refuse(Promise.resolve(), 'a promise, which must be awaited first')
  const others = [null, 'redis://:password@localhost', { url: 'redis://:password@localhost' }, { eval() {} }]
  for (const other of others) refuse(other, 'something else')
  refuse({ evalsha() {}, eval() {} }, 'something else')
  refuse({ customCommand() {}, hgetall() {} }, 'something else')
  refuse({ evalSha() {}, eval: 1, hGetAll() {}, withCommandOptions() {} }, 'something else')
})

t.test('what has the methods of a client and is none is refused with what fits instead', async (t) => {
  const refuse = (client: unknown, message: RegExp): void => {
    t.throws(() => toCommands(client), { code: 'ERR_SESSION_OPTION_INVALID', message })
  }
  // The shapes of @upstash/redis 1.39.0, ioredis-mock 8.13.1 and redis 4.7.1.
  const upstash = { evalsha() {}, eval() {}, hgetall() {}, commandOptions: {} }
  const mock = {
    evalsha() {},
    eval() {},
    hgetall() {},
    customCommand() {},
    connected: true,
    duplicate() {},
    info() {},
    options: {}
  }
  const four = { evalSha() {}, eval() {}, hGetAll() {}, commandOptions() {}, duplicate() {}, isReady: true }
  refuse(upstash, /it is something that .* no client of ioredis: @upstash\/redis \(use ioredis with the rediss:/)
  refuse(mock, /ioredis-mock \(use a MemoryStore in tests\) or redis 3\.$/)
  refuse(four, /it is a client of redis 4 or older: install redis 5 or later\.$/)
})
