import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { Decoder, ProtocolVersion } from '@valkey/valkey-glide'
import { Cluster, Redis } from 'ioredis'
import { Redis as Valkey, Cluster as ValkeyCluster } from 'iovalkey'
import { createClient, createClientPool, createCluster, createSentinel } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import { fromMembers } from '../../../lib/data/json-members.ts'
import type { IoredisClient, RedisStoreOptions } from '../../../lib/stores/redis/index.ts'
import { RedisStore } from '../../../lib/stores/redis/index.ts'
import { testRaces, testStore } from '../../../lib/testing/index.ts'
import { newKey, newRecord } from '../../../lib/testing/store-contract/bench.ts'
import type { OwnerLimit, SessionRecord } from '../../../types/store.ts'
import { when } from '../../helpers/fake-time.ts'
import { openGlide, openGlideCluster } from '../../helpers/glide.ts'
import type { RedisServers } from '../../helpers/redis.ts'
import { startCluster, startRedis, startSentinel } from '../../helpers/redis.ts'
import { cannotTest } from '../../helpers/service.ts'

const START = 1_763_640_000
const HOUR = 3600
const HOST = '127.0.0.1'
const HARDLY = { set: {}, unset: [] }

type Client = RedisStoreOptions['client']

/** Two applications, each with a client of its own. */
function races(t: Test, [one, two]: readonly [Client, Client], prefix: string): void {
  testRaces({
    test: (name, run) => t.test(name, run),
    open: (clock, other) => new RedisStore({ client: other === undefined ? one : two, prefix, clock })
  })
}

function contract(t: Test, client: Client, prefix = 'session:', subscriber?: object): void {
  testStore({
    test: (name, run) => t.test(name, run),
    open: (clock) => new RedisStore({ client, subscriber, prefix, clock })
  })
}

/** A client that tells which commands were sent, and can be made to fail before any of them. */
class Watched implements IoredisClient {
  readonly status: string = 'ready'
  readonly #redis: IoredisClient
  /** The key of each command. */
  readonly keys: string[] = []
  /** Called with how many commands there were before. */
  before: (count: number) => unknown = () => {}

  constructor(redis: IoredisClient) {
    this.#redis = redis
  }

  async hgetall(key: string): Promise<unknown> {
    await this.before(this.keys.push(key) - 1)
    return this.#redis.hgetall(key)
  }

  async evalsha(sha: string, numkeys: number, ...values: string[]): Promise<unknown> {
    await this.before(this.keys.push(values[0] as string) - 1)
    return this.#redis.evalsha(sha, numkeys, ...values)
  }

  async eval(script: string, numkeys: number, ...values: string[]): Promise<unknown> {
    this.keys.push(values[0] as string)
    return this.#redis.eval(script, numkeys, ...values)
  }
}

/** A store on a prefix of its own, with a clock that is moved by hand. */
class Bench {
  readonly redis: Redis
  readonly client: Watched
  readonly prefix: string = `test:${newKey()}:`
  readonly store: RedisStore
  milliseconds: number = START * 1000

  constructor(redis: Redis) {
    this.redis = redis
    this.client = new Watched(redis)
    this.store = new RedisStore({ client: this.client, prefix: this.prefix, clock: () => this.milliseconds })
  }

  async add(record: Partial<SessionRecord> = {}, expiresAt = START + HOUR, limit?: OwnerLimit): Promise<string> {
    const key = newKey()
    assert.equal(await this.store.create(key, newRecord(record), expiresAt, limit), true)
    return key
  }

  /**
   * The names of the keys in Redis without the prefix: records, then indexes. What serves only to recognize commands that come
   * again does not count, and does not stay.
   */
  async names(): Promise<string[]> {
    const [records, indexes]: [string[], string[]] = [[], []]
    for (const name of (await this.redis.keys(`${this.prefix}*`)).sort()) {
      const short = name.slice(this.prefix.length)
      const isIndex = short.startsWith('owner:')
      const isInUse = isIndex ? await this.redis.zcount(name, '-inf', 1e11) : await this.redis.hexists(name, 'e')
      if (isInUse) (isIndex ? indexes : records).push(short)
      else assert.ok((await this.redis.pttl(name)) <= 61_000, `${short} does not stay`)
    }
    return [...records, ...indexes]
  }

  /** How many commands something takes. */
  async count(use: () => Promise<unknown>): Promise<number> {
    const before = this.client.keys.length
    await use()
    return this.client.keys.length - before
  }

  /** What Redis does by itself after a minute. */
  async endPending(): Promise<number> {
    let count = 0
    for (const name of (await this.names()).filter((name) => !name.startsWith('owner:'))) {
      if (!(await this.redis.hexists(this.prefix + name, 'n'))) continue
      assert.ok((await this.redis.pttl(this.prefix + name)) <= 60_000, 'a pending record does not stay')
      await this.redis.del(this.prefix + name)
      count++
    }
    return count
  }

  /** The keys of live records, found without any index. */
  async live(): Promise<string[]> {
    const names = (await this.names()).filter((name) => !name.startsWith('owner:'))
    const records = await Promise.all(names.map((name) => this.store.load(name)))
    return names.filter((_, index) => records[index] !== undefined)
  }

  async listed(ownerId: string): Promise<string[]> {
    return (await this.store.list(ownerId)).map(({ key }) => key).sort()
  }
}

t.test('clients of both packages fit, and their flavour is seen at once', async (t) => {
  const ioredis = new Redis({ lazyConnect: true })
  const cluster = new Cluster([{ host: HOST, port: 1 }], { lazyConnect: true })
  const sentinel = new Redis({ sentinels: [{ host: HOST, port: 1 }], name: 'sessions', lazyConnect: true })
  const old = new Redis({ lazyConnect: true, protocol: 2 })
  for (const client of [ioredis, cluster, sentinel, old]) t.ok(new RedisStore({ client }))
  t.ok(new RedisStore({ client: new Valkey({ lazyConnect: true }) }))
  t.ok(new RedisStore({ client: createClient() }))
  t.ok(new RedisStore({ client: createClient({ RESP: 2 }) }))
  t.ok(new RedisStore({ client: createClientPool() }))
  t.ok(new RedisStore({ client: createCluster({ rootNodes: [{ url: 'redis://127.0.0.1:1' }] }) }))
  t.ok(new RedisStore({ client: createSentinel({ name: 'sessions', sentinelRootNodes: [{ host: HOST, port: 1 }] }) }))
})

t.test('wrong options are refused', async (t) => {
  const client = new Redis({ lazyConnect: true })
  const refuse = (options: unknown, code: string, message: RegExp): void => {
    t.throws(() => new RedisStore(options as RedisStoreOptions), { code, message })
  }
  const INVALID = 'ERR_SESSION_OPTION_INVALID'
  refuse(undefined, INVALID, /^RedisStore takes an object with options; it got undefined/)
  refuse(
    {},
    INVALID,
    /^The option client must be a client of ioredis, iovalkey, node-redis or valkey-glide; it is missing\.$/
  )
  refuse({ client, prefix: 1 }, INVALID, /^The option prefix must be a string; it is 1/)
  refuse({ client, clock: 0 }, INVALID, /^The option clock must be a function/)
  refuse(
    { client, ttl: 5 },
    'ERR_SESSION_OPTION_UNKNOWN',
    /"ttl" of RedisStore\. Known are client, subscriber, prefix, waitForReplicas, clock/
  )
})

const server = await startRedis()
const url = server ? `redis://${HOST}:${server.ports[0]}` : (process.env.REDIS_URL ?? `redis://${HOST}:6379`)
const port = Number(new URL(url).port)
const redis = new Redis(url, { lazyConnect: true, maxRetriesPerRequest: 0 })
redis.on('error', () => {})
const isThere = await redis.connect().then(
  () => true,
  () => false
)
if (!isThere) redis.disconnect()
t.teardown(async () => {
  redis.disconnect()
  await server?.end()
})

if (isThere) await t.test('one server', testServer)
else cannotTest(t, 'RedisStore', 'there is neither a redis-server to start nor one at REDIS_URL or 127.0.0.1:6379')

async function testServer(t: Test): Promise<void> {
  t.test('the contract, with ioredis', async (t) => contract(t, redis, `test:${newKey()}:`))

  t.test('the contract and the races, with iovalkey', async (t) => {
    const client = new Valkey(url)
    t.teardown(() => client.disconnect())
    await t.test('the contract', async (t) => contract(t, client, `test:${newKey()}:`))
    await t.test('the races', async (t) => races(t, [client, redis], `test:${newKey()}:`))
  })

  t.test('the contract, with ioredis and its keyPrefix', async (t) => {
    const client = new Redis(url, { keyPrefix: `test:${newKey()}:` })
    t.teardown(() => client.disconnect())
    contract(t, client)
  })

  t.test('the contract, with node-redis', async (t) => {
    const client = createClient({ url })
    await client.connect()
    t.teardown(() => client.destroy())
    contract(t, client, `test:${newKey()}:`)
  })

  t.test('the contract, with a pool of node-redis', async (t) => {
    const client = createClientPool({ url })
    await client.connect()
    const subscriber = await createClient({ url }).connect()
    t.teardown(() => {
      client.destroy()
      subscriber.destroy()
    })
    const ignore = (): void => {}
    await t.rejects(new RedisStore({ client }).listen(ignore, ignore), { message: /option subscriber/ })
    contract(t, client, `test:${newKey()}:`, subscriber)
  })

  t.test('the contract and the races, with valkey-glide', async (t) => {
    const [client, other] = [await openGlide(t, port), await openGlide(t, port, { protocol: ProtocolVersion.RESP2 })]
    const subscriber = redis.duplicate()
    t.teardown(() => subscriber.disconnect())
    const ignore = (): void => {}
    await t.rejects(new RedisStore({ client }).listen(ignore, ignore), { message: /option subscriber/ })
    await t.test('the contract', async (t) => contract(t, client, `test:${newKey()}:`, subscriber))
    await t.test('the races', async (t) => races(t, [client, other], `test:${newKey()}:`))
    await t.test('the races, beside ioredis', async (t) => races(t, [client, redis], `test:${newKey()}:`))
    await t.test('many at once', async (t) => storm(t, [client, redis], `test:${newKey()}:`))
  })

  t.test('the contract, with valkey-glide that gives buffers', async (t) => {
    const client = await openGlide(t, port, { defaultDecoder: Decoder.Bytes })
    const subscriber = await createClient({ url }).connect()
    t.teardown(() => subscriber.destroy())
    contract(t, client, `test:${newKey()}:`, subscriber)
  })

  t.test('the races, with both clients', async (t) => {
    const client = createClient({ url })
    await client.connect()
    t.teardown(() => client.destroy())
    races(t, [redis, client], `test:${newKey()}:`)
  })

  t.test('the contract, with node-redis that gives buffers', async (t) => {
    const client = createClient({ url, commandOptions: { typeMapping: { 36: Buffer } } })
    await client.connect()
    t.teardown(() => client.destroy())
    contract(t, client, `test:${newKey()}:`)
  })

  t.test('a record is the same in every shape that a client can be set to give', async (t) => {
    const bench = new Bench(redis)
    const json = '{"user":{"id":7,"name":"Ada Å"},"__proto__":{"x":1},"":[],"n":"\\ud800","1":"b"}'
    const wanted = newRecord({ json, ownerId: 'ada', description: '{"agent":"Firefox"}', permanent: true })
    const key = await bench.add(wanted)
    await bench.store.commit(key, HARDLY, START + HOUR)
    const name = bench.prefix + key
    const load = (client: Client, clock = START * 1000): Promise<unknown> =>
      new RedisStore({ client, prefix: bench.prefix, clock: () => clock }).load(key)
    const check = async (what: string, client: Client): Promise<void> => {
      t.same(await load(client), { key, ...wanted, expiresAt: START + HOUR, version: 1 }, what)
      t.equal(await load(client, (START + HOUR + 1) * 1000), undefined, `${what}: expired`)
      await redis.hset(name, 'n', '1')
      t.equal(await load(client), undefined, `${what}: pending`)
      await redis.hdel(name, 'n')
      const gone = new RedisStore({ client, prefix: bench.prefix }).load(newKey())
      t.equal(await gone, undefined, `${what}: none`)
    }
    for (const options of [{ protocol: 2 }, { protocol: 3 }, { protocol: 3, replyMapping: 'resp3' }] as const) {
      const client = new Redis(url, options)
      await check(`ioredis ${JSON.stringify(options)}`, client)
      client.disconnect()
    }
    for (const RESP of [2, 3] as const) {
      for (const map of [Object, Map, Array] as const) {
        for (const text of [String, Buffer] as const) {
          const client = createClient({ url, RESP, commandOptions: { typeMapping: { 36: text, 37: map } } })
          await client.connect()
          t.equal((await client.hGetAll(name)).constructor, map)
          await check(`node-redis, RESP ${RESP}, ${map.name} of ${text.name}`, client)
          client.destroy()
        }
      }
    }
    // ioredis has transformers of replies that an application can replace; its README makes pairs of hashes.
    const pairs = (buffers: boolean): IoredisClient => ({
      status: 'ready',
      hgetall: async (key) =>
        Object.entries(await redis.hgetallBuffer(key)).map(([name, text]) =>
          buffers ? [Buffer.from(name), text] : [name, String(text)]
        ),
      evalsha: (sha, numkeys, ...values) => redis.evalsha(sha, numkeys, ...values),
      eval: (script, numkeys, ...values) => redis.eval(script, numkeys, ...values)
    })
    await check('pairs of strings', pairs(false))
    await check('pairs of buffers', pairs(true))
    const foreign = { ...pairs(false), hgetall: async () => 'QUEUED' }
    await t.rejects(load(foreign), TypeError, 'it must not pass for a session that has ended')
  })

  t.test('a load is one command, and so are a commit and a touch', async (t) => {
    for (const ownerId of [undefined, 'ada']) {
      const bench = new Bench(redis)
      const key = await bench.add({ json: '{"a":1,"b":{"c":2}}', ownerId })
      t.equal(await bench.count(() => bench.store.load(key)), 1)
      bench.milliseconds += 1000
      const changes = { set: { a: '2', z: '3' }, unset: ['b'], lastSeenAt: START + 1, permanent: true }
      const withEntry = ownerId === undefined ? 1 : 2
      t.equal(await bench.count(() => bench.store.commit(key, changes, START + HOUR + 1, 0)), withEntry)
      t.equal(await bench.count(() => bench.store.touch(key, START + HOUR + 2, START + 2)), withEntry)
      const touches = await bench.count(async () => {
        for (let seconds = 60; seconds <= HOUR; seconds += 60) {
          bench.milliseconds = (START + seconds) * 1000
          await bench.store.touch(key, START + seconds + HOUR)
        }
      })
      t.equal(touches, 60, 'for as long as a session without activity would live')
      bench.milliseconds = (START + HOUR + 1) * 1000
      const moved = await bench.count(() => bench.store.touch(key, START + 2 * HOUR + 1))
      t.equal(moved, ownerId === undefined ? 1 : 3, 'then an index is extended once')
      t.equal(await bench.count(() => bench.store.touch(key, START + 2 * HOUR + 2)), 1)
      t.equal(await bench.count(() => bench.store.destroy(key)), ownerId === undefined ? 1 : 2)
    }
  })

  t.test('a session whose index was lost lists itself again when it is active', async (t) => {
    const bench = new Bench(redis)
    const [key, other] = [await bench.add({ ownerId: 'ada' }), await bench.add({ ownerId: 'ada' })]
    const [index] = (await bench.names()).filter((name) => name.startsWith('owner:'))
    const listed = async (): Promise<string[]> => (await bench.store.list('ada')).map(({ key }) => key).sort()
    const lose = (): Promise<number> => redis.del(`${bench.prefix}${index}`)
    const score = await redis.zscore(`${bench.prefix}${index}`, `${START}:${key}`)
    await lose()
    await bench.store.commit(key, { set: { a: '2' }, unset: [] }, START + HOUR)
    t.same(await listed(), [], 'what is no activity does not look')
    t.equal(await bench.store.touch(key, START + HOUR + 60, START + 60), true)
    t.same(await listed(), [key])
    t.equal(await redis.zscore(`${bench.prefix}${index}`, `${START}:${key}`), score)
    t.ok((await redis.pttl(`${bench.prefix}${index}`)) > HOUR * 1000)
    await bench.store.commit(other, { set: { a: '2' }, unset: [], lastSeenAt: START + 60 }, START + HOUR + 60)
    t.same(await listed(), [key, other].sort())
    await lose()
    await bench.store.touch(other, START + HOUR + 120, START + 120)
    t.equal(await bench.store.destroyAll('ada'), 1)
    t.equal(await bench.store.load(other), undefined)
    t.not(await bench.store.load(key), undefined)
  })

  t.test('activity is noted although the index cannot be written', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ ownerId: 'ada' })
    let seen = 0
    bench.client.before = () => {
      if (seen++ > 0) throw new Error('down')
    }
    t.equal(await bench.store.touch(key, START + HOUR + 60, START + 60), true)
    bench.client.before = () => {}
    t.equal((await bench.store.load(key))?.lastSeenAt, START + 60)
  })

  t.test('a Redis that removes sessions when it is full is warned of once, if it tells', async (t) => {
    const warned = (): Promise<{ name: string; code?: string }> =>
      new Promise((resolve) => process.once('warning', resolve))
    const warning = warned()
    const asked: string[] = []
    const client: IoredisClient = {
      status: redis.status,
      hgetall: (key) => redis.hgetall(key),
      evalsha: (sha, numkeys, ...values) => redis.evalsha(sha, numkeys, ...values),
      eval: (script, numkeys, ...values) => redis.eval(script, numkeys, ...values),
      async info(section) {
        asked.push(section)
        return 'maxmemory:1000\r\nmaxmemory_policy:allkeys-lru\r\n'
      }
    }
    const prefix = `test:${newKey()}:`
    const store = new RedisStore({ client, prefix })
    for (let count = 0; count < 3; count++) await store.create(newKey(), newRecord(), Date.now() / 1000 + HOUR)
    t.match(await warning, { name: 'SessionStoreWarning', code: 'SESSION_REDIS_EVICTS' })
    t.same(asked, ['memory'])
    const forbidden = new RedisStore({ client: { ...client, info: () => Promise.reject(new Error('NOPERM')) }, prefix })
    t.equal(await forbidden.create(newKey(), newRecord(), Date.now() / 1000 + HOUR), true)
  })

  t.test('what a server sees of a load and a commit', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ json: '{"a":1,"kept":"secret"}' })
    const monitor = await redis.monitor()
    const seen: string[][] = []
    monitor.on('monitor', (_time: string, args: string[], source: string) => {
      if (args.join(' ').includes(key)) seen.push([source === 'lua' ? 'lua' : 'client', ...args])
    })
    await bench.store.load(key)
    await bench.store.commit(key, { set: { a: '2' }, unset: [] }, START + HOUR)
    const marks = await redis.hget(bench.prefix + key, 'm')
    await bench.store.commit(key, { set: {}, unset: ['a'] }, START + HOUR + 1)
    await redis.echo(key)
    while (seen.at(-1)?.[1] !== 'echo') await new Promise((resolve) => setImmediate(resolve))
    monitor.disconnect()
    const name = bench.prefix + key
    t.same(
      seen.filter(([source]) => source === 'client').map(([, command]) => command),
      ['hgetall', 'evalsha', 'hget', 'evalsha', 'echo']
    )
    t.same(seen[0], ['client', 'hgetall', name], 'a load runs no script')
    t.same(
      seen.filter(([source]) => source === 'lua').map(([, ...args]) => args.join(' ').replace(name, 'KEY')),
      [
        'HMGET KEY m m2 m3 m4 e n v l o c w',
        `HSET KEY e ${START + HOUR} .a 2 m ${marks}`,
        'HINCRBY KEY v 1',
        'HMGET KEY m m2 m3 m4 e n v l o c w',
        `HSET KEY e ${START + HOUR + 1} m ${await redis.hget(name, 'm')}`,
        'HDEL KEY .a',
        'HINCRBY KEY v 1',
        `PEXPIRE KEY ${(HOUR + 2) * 1000}`
      ],
      'members that did not change are not written'
    )
  })

  t.test('a record is a hash of these fields', async (t) => {
    const bench = new Bench(redis)
    const json = '{"user":{"id":7},"n\\u0000":"\\ud800","":[]}'
    const ownerId = 'ada\ud800'
    const key = await bench.add({ json, ownerId, description: '{"agent":"Firefox"}', permanent: true })
    t.same(await bench.names(), [key, 'owner:javy8PKF4DV_zQrqbz3Kz0-bLmmeVwO9y451UIkM_KQ'])
    const { m: marks, ...fields } = await redis.hgetall(bench.prefix + key)
    t.match(marks, /^[\w-]{8}:1:\d{10}$/)
    t.same(fields, {
      c: String(START),
      s: String(START),
      e: String(START + HOUR),
      v: '0',
      p: '1',
      o: '"ada\\ud800"',
      d: '{"agent":"Firefox"}',
      l: String(START + 2 * HOUR),
      '.user': '{"id":7}',
      '.n\\u0000': '"\\ud800"',
      '.': '[]'
    })
    const [, index = ''] = await bench.names()
    const [entry, score, mark, markScore] = await redis.zrange(bench.prefix + index, '0', '-1', 'WITHSCORES')
    t.same([entry, score], [`${START}:${key}`, String(START + 2 * HOUR)])
    t.match(mark, /^m:[\w-]{8}:2$/)
    t.match(markScore, /^\d{10}000$/)
    t.equal((await bench.store.load(key))?.json, json)
    t.same(
      (await bench.store.list(ownerId)).map(({ ownerId }) => ownerId),
      [ownerId]
    )
    t.same(await bench.store.list('ada\ud801'), [])
    const bare = await bench.add({ json: '{}' })
    t.same(Object.keys(await redis.hgetall(bench.prefix + bare)).sort(), ['c', 'e', 'm', 'p', 's', 'v'])
  })

  t.test('Redis expires records and indexes by itself, whatever the two clocks say', async (t) => {
    const bench = new Bench(redis)
    bench.milliseconds += 250
    const key = await bench.add({ ownerId: 'ada' }, START + 10)
    const [, index = ''] = await bench.names()
    const isNear = async (name: string, expected: number, what: string): Promise<void> => {
      const left = await redis.pttl(bench.prefix + name)
      t.ok(left <= expected && left > expected - 5000, `${what}: ${left} of ${expected}`)
    }
    await isNear(key, 10_750, 'created')
    await isNear(index, (10 + 60) * 1000 + 750, 'an index outlives what it lists')
    await bench.store.commit(key, HARDLY, START + HOUR)
    await isNear(key, (HOUR + 1) * 1000 - 250, 'committed')
    await isNear(index, (2 * HOUR + 1) * 1000 - 250, 'extended')
    await bench.store.touch(key, START + 20)
    await isNear(key, 20_750, 'touched')
    const short = await bench.add({ ownerId: 'ada' }, START + 30)
    await isNear(index, (2 * HOUR + 1) * 1000 - 250, 'an index does not get shorter')
    await bench.store.commit(short, HARDLY, START + 40, 0)
    await isNear(short, 40_750, 'committed')
    await isNear(await bench.add({}, START + HOUR), (HOUR + 1) * 1000 - 250, 'of no owner')
    await isNear(await bench.add({ ownerId: 'bob' }, START + HOUR), (HOUR + 1) * 1000 - 250, 'of an owner')
  })

  t.test('scripts that the server has forgotten are sent again, with ioredis', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ json: '{"a":1}', ownerId: 'ada' })
    await redis.script('FLUSH')
    t.equal(await bench.count(() => bench.store.load(key)), 1, 'a load is no script')
    const commit = async (): Promise<void> => {
      t.equal(await bench.store.commit(key, { set: { a: '2' }, unset: [] }, START + HOUR), 'committed')
    }
    t.equal(await bench.count(commit), 2)
    t.equal(await bench.count(commit), 1)
    t.equal((await bench.store.load(key))?.json, '{"a":2}')
    await redis.script('FLUSH')
    const created = await bench.add({ ownerId: 'ada' }, START + HOUR, { max: 1, evict: true })
    await redis.script('FLUSH')
    t.same(await bench.listed('ada'), [created])
    await redis.script('FLUSH')
    t.equal(await bench.store.destroyAll('ada'), 1)
  })

  t.test('scripts that the server has forgotten are sent again, with node-redis', async (t) => {
    const client = createClient({ url })
    await client.connect()
    t.teardown(() => client.destroy())
    const bench = new Bench(redis)
    const key = await bench.add({ json: '{"a":1}', ownerId: 'ada' })
    const store = new RedisStore({ client, prefix: bench.prefix, clock: () => START * 1000 })
    await redis.script('FLUSH')
    t.equal((await store.load(key))?.json, '{"a":1}')
    t.equal(await store.commit(key, { set: { a: '2' }, unset: [] }, START + HOUR, 0), 'committed')
    t.equal((await bench.store.load(key))?.json, '{"a":2}')
    await redis.script('FLUSH')
    t.equal(await store.touch(key, START + HOUR), true)
  })

  t.test('there may be more members than a call in a script takes', async (t) => {
    const bench = new Bench(redis)
    const members = (value: number): Record<string, string> =>
      Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`m${index}`, String(value)]))
    const data = (value: number): object => JSON.parse(fromMembers(Object.entries(members(value))))
    const load = async (): Promise<object> => JSON.parse((await bench.store.load(key))?.json ?? '')
    const key = await bench.add({ json: JSON.stringify(data(1)) })
    t.same(await load(), data(1))
    t.equal(await bench.store.commit(key, { set: members(2), unset: [] }, START + HOUR), 'committed')
    t.same(await load(), data(2))
    t.equal(await bench.store.commit(key, { set: {}, unset: Object.keys(members(2)) }, START + HOUR), 'committed')
    t.same(await load(), {})
  })

  t.test('a command that a client sends twice counts once', async (t) => {
    const bench = new Bench(redis)
    const twice: IoredisClient = {
      status: 'ready',
      // As ioredis does when the connection broke before the reply.
      hgetall: (key) => redis.hgetall(key).then(() => redis.hgetall(key)),
      eval: (script, numkeys, ...values) =>
        redis.eval(script, numkeys, ...values).then(() => redis.eval(script, numkeys, ...values)),
      evalsha: (sha, numkeys, ...values) =>
        redis.evalsha(sha, numkeys, ...values).then(() => redis.evalsha(sha, numkeys, ...values))
    }
    const store = new RedisStore({ client: twice, prefix: bench.prefix, clock: () => START * 1000 })
    const [key, free, refused] = [newKey(), newKey(), newKey()]
    const limit = { max: 1, evict: false }
    await bench.add()
    t.equal(await store.create(free, newRecord({ json: '{"n":0}' }), START + HOUR), true)
    t.equal(await store.create(free, newRecord(), START + HOUR), false)
    t.equal(await store.create(key, newRecord({ ownerId: 'ada', json: '{"n":0}' }), START + HOUR, limit), true)
    t.equal(await store.create(refused, newRecord({ ownerId: 'ada' }), START + HOUR, limit), 'over-limit')
    for (const key of await bench.live()) {
      for (const version of [0, 1]) {
        t.equal(await store.commit(key, { set: { n: `${version}` }, unset: [] }, START + HOUR, version), 'committed')
      }
      t.equal(await store.commit(key, HARDLY, START + HOUR, 1), 'conflict')
      t.equal(await store.touch(key, START + 3 * HOUR), true)
      t.equal((await store.load(key))?.version, 2)
    }
    t.same(await bench.listed('ada'), [key])
    await store.destroy(key)
    await store.destroyAll('ada')
    t.same(await bench.listed('ada'), [])
  })

  t.test('nothing of a session is left when it has ended', async (t) => {
    const bench = new Bench(redis)
    const end = { permanent: false, ...HARDLY }
    for (const ownerId of [undefined, 'ada']) {
      await bench.store.destroy(await bench.add({ ownerId }))
      t.same(await bench.names(), [], 'destroyed')
      await bench.store.commit(await bench.add({ ownerId }), end, START - 1)
      t.same(await bench.names(), [], 'committed with an expiry in the past')
      await bench.store.touch(await bench.add({ ownerId }), START - 1)
      t.same(await bench.names(), [], 'touched with an expiry in the past')
      await bench.add({ ownerId }, START - 1)
      t.same(await bench.names(), [], 'created with an expiry in the past')
    }
    await bench.add({ ownerId: 'ada' })
    await bench.add({ ownerId: 'ada' })
    t.equal(await bench.store.destroyAll('ada'), 2)
    t.same(await bench.names(), [], 'destroyed with all of its owner')
    const key = await bench.add({ ownerId: 'ada' })
    const late = newKey()
    const limit = { max: 1, evict: false }
    t.equal(await bench.store.create(late, newRecord({ ownerId: 'ada' }), START + HOUR, limit), 'over-limit')
    t.equal((await bench.names()).length, 2, 'a refused one')
    t.equal(await bench.store.create(key, newRecord({ ownerId: 'bob' }), START + HOUR), false)
    t.equal((await bench.names()).length, 2, 'one that was there already')
    bench.milliseconds += 2 * HOUR * 1000
    t.equal(await bench.store.commit(key, HARDLY, START + 3 * HOUR), 'gone')
    t.notOk((await bench.names()).includes(key), 'found to have expired')
  })

  t.test('a crash at any step of a login leaves nothing wrong behind', async (t) => {
    for (const evict of [true, false]) {
      let steps = 0
      for (let crash = 0; crash <= steps; crash++) {
        const bench = new Bench(redis)
        const ownerId = 'ada'
        const limit = { max: 2, evict }
        const first = await bench.add({ ownerId, createdAt: START - 20 })
        const second = await bench.add({ ownerId, createdAt: START - 10 })
        // Its entry stays behind, since its logout was cut short.
        const third = await bench.add({ ownerId, createdAt: START - 5 })
        await redis.del(bench.prefix + third)
        if (!evict) await redis.del(bench.prefix + second)
        const already = bench.client.keys.length
        bench.client.before = (count) => {
          if (count === already + crash) throw new Error('crash')
        }
        const created = bench.store.create(newKey(), newRecord({ ownerId }), START + HOUR, limit)
        const result = await created.catch((error: Error) => error.message)
        bench.client.before = () => {}
        if (result === 'crash') steps++
        else t.equal(result, true, `${steps} steps`)
        const live = await bench.live()
        t.same(
          await bench.listed(ownerId),
          live,
          `crash before step ${crash}: what is live is listed, and nothing else`
        )
        t.ok(live.length <= 2)
        if (result === 'crash' && !evict) t.same(live, [first], 'who refuses ends nothing')
        await bench.endPending()
        for (const at of [START + 1, START + 2])
          await bench.add({ ownerId, createdAt: at }, START + HOUR, { ...limit, evict: true })
        t.equal((await bench.listed(ownerId)).length, 2, 'later logins find it in order')
        t.notOk((await bench.live()).includes(first))
      }
      t.equal(steps, evict ? 9 : 7, 'all steps were tried')
    }
  })

  t.test('a limit that refuses heals itself', async (t) => {
    const bench = new Bench(redis)
    const ownerId = 'ada'
    const limit = { max: 2, evict: false }
    const login = (): Promise<unknown> => bench.store.create(newKey(), newRecord({ ownerId }), START + HOUR, limit)
    const [first] = [await bench.add({ ownerId }), await bench.add({ ownerId }, START + 10)]
    t.equal(await login(), 'over-limit')
    await redis.del(bench.prefix + first)
    t.equal(await login(), true, 'a record that is gone and still in the index')
    t.equal(await login(), 'over-limit')
    bench.milliseconds += 11_000
    t.equal(await login(), true, 'one that has expired')
    t.equal(await login(), 'over-limit')
    await bench.store.destroyAll(ownerId)
    const already = bench.client.keys.length
    bench.client.before = (count) => {
      if (count === already + 2) throw new Error('crash')
    }
    await t.rejects(login(), { message: 'crash' })
    bench.client.before = () => {}
    t.equal(await login(), true)
    t.equal(await login(), 'over-limit', 'a login that is under way counts')
    t.equal(await bench.endPending(), 1)
    t.equal(await login(), true, 'one that never came does not')
    t.equal(await login(), 'over-limit')
  })

  t.test('an entry without a record is forgotten after its time', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ ownerId: 'ada' })
    await redis.del(bench.prefix + key)
    const [index = ''] = await bench.names()
    bench.milliseconds = (START + 2 * HOUR) * 1000
    await bench.add({ ownerId: 'ada' }, START + 3 * HOUR)
    t.equal(await redis.zcount(bench.prefix + index, '-inf', 1e11), 2)
    bench.milliseconds += 1000
    await bench.add({ ownerId: 'ada' }, START + 3 * HOUR)
    t.equal(await redis.zcount(bench.prefix + index, '-inf', 1e11), 2)
    t.equal(await redis.zscore(bench.prefix + index, `${START}:${key}`), null)
  })

  t.test('a record that is being evicted is listed until it has ended', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ ownerId: 'ada' })
    const already = bench.client.keys.length
    bench.client.before = async (count) => {
      // After the index has decided: the scripts are create, admit, look, admit, end.
      if (count !== already + 4) return
      bench.client.before = () => {}
      t.same(await bench.listed('ada'), [key])
      t.equal(await bench.store.touch(key, START + 3 * HOUR), true)
      t.same(await bench.listed('ada'), [key], 'still, when it moves')
      const score = await redis.zscore(bench.prefix + (await indexOf(bench, 'ada')), `${START}:${key}`)
      t.ok(Number(score) < -START, 'and is still about to end')
    }
    const next = await bench.add({ ownerId: 'ada' }, START + HOUR, { max: 1, evict: true })
    t.same(await bench.listed('ada'), [next])
    t.equal(await bench.store.load(key), undefined)
  })

  t.test('of two that extend at once the longer one counts', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ ownerId: 'ada' })
    const already = bench.client.keys.length
    bench.client.before = async (count) => {
      // Between the index and the record.
      if (count !== already + 2) return
      bench.client.before = () => {}
      t.equal(await bench.store.touch(key, START + 4 * HOUR), true)
    }
    t.equal(await bench.store.touch(key, START + 9 * HOUR), true)
    bench.milliseconds = (START + 9 * HOUR) * 1000
    t.same(await bench.live(), [key])
    await bench.add({ ownerId: 'ada' }, START + 10 * HOUR)
    t.equal((await bench.listed('ada')).length, 2)
  })

  t.test('a pending record is there for nobody', async (t) => {
    const bench = new Bench(redis)
    const key = newKey()
    const already = bench.client.keys.length
    let isPending = false
    bench.client.before = async (count) => {
      if (count !== already + 2) return
      bench.client.before = () => {}
      isPending = (await redis.hget(bench.prefix + key, 'n')) === '1'
      t.equal(await bench.store.load(key), undefined)
      t.equal(await bench.store.touch(key, START + HOUR), false)
      t.equal(await bench.store.commit(key, HARDLY, START + HOUR), 'gone')
      t.equal(await bench.store.create(key, newRecord(), START + HOUR), false)
      t.same(await bench.store.list('ada'), [])
      t.equal(await bench.store.destroyAll('ada'), 0)
    }
    t.equal(await bench.store.create(key, newRecord({ ownerId: 'ada' }), START + HOUR), true)
    t.ok(isPending)
    t.equal(await bench.store.load(key), undefined, 'destroyAll ended it before it went live')
    t.same(await bench.names(), [])
  })

  t.test('an entry whose key belongs to someone else by now ends nothing', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ ownerId: 'ada' }, START + 10)
    bench.milliseconds += 11_000
    t.equal(await bench.store.create(key, newRecord({ ownerId: 'bob' }), START + HOUR), true)
    t.same(await bench.store.list('ada'), [])
    await bench.add({ ownerId: 'ada' }, START + HOUR, { max: 1, evict: false })
    await redis.zadd(bench.prefix + (await indexOf(bench, 'ada')), START + HOUR, `${START}:${key}`)
    t.equal(await bench.store.destroyAll('ada'), 1)
    t.same(await bench.listed('bob'), [key])
  })

  t.test('a record that is gone before it is complete is a failure, not a session', async (t) => {
    const bench = new Bench(redis)
    const key = newKey()
    await bench.add()
    const already = bench.client.keys.length
    bench.client.before = async (count) => {
      if (count === already + 2) await redis.del(bench.prefix + key)
    }
    await t.rejects(bench.store.create(key, newRecord({ ownerId: 'ada' }), START + HOUR), /expired before/)
  })

  t.test('a logout succeeds when its entry cannot be removed', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ ownerId: 'ada' })
    const already = bench.client.keys.length
    bench.client.before = (count) => {
      if (count === already + 1) throw new Error('that node is down')
    }
    await bench.store.destroy(key)
    bench.client.before = () => {}
    t.same(await bench.live(), [])
    t.same(await bench.store.list('ada'), [])
  })

  t.test('an error is an error, and never "gone"', async (t) => {
    const bench = new Bench(redis)
    const { store } = bench
    const key = await bench.add({ json: '{"a":1}' })
    bench.client.before = () => {
      throw new Error('no connection')
    }
    const failure = { message: 'no connection' }
    await t.rejects(store.create(newKey(), newRecord(), START + HOUR), failure)
    await t.rejects(store.load(key), failure)
    await t.rejects(store.commit(key, HARDLY, START + HOUR), failure)
    await t.rejects(store.touch(key, START + HOUR), failure)
    await t.rejects(store.destroy(key), failure)
    bench.client.before = () => {}
    t.equal((await store.load(key))?.json, '{"a":1}')
  })

  t.test('something else under the key of a session cannot be read, and ends', async (t) => {
    const bench = new Bench(redis)
    const key = newKey()
    const client = createClient({ url })
    await client.connect()
    t.teardown(() => client.destroy())
    const glide = await openGlide(t, port)
    const others = [client, glide].map((client) => new RedisStore({ client, prefix: bench.prefix }))
    for (const store of [bench.store, ...others]) {
      await redis.set(bench.prefix + key, 'not a hash')
      await t.rejects(store.load(key), { code: 'ERR_SESSION_UNREADABLE' })
      t.equal(await store.commit(key, HARDLY, START + HOUR), 'gone')
      t.equal(await store.touch(key, START + HOUR), false)
      await t.rejects(store.create(key, newRecord(), START + HOUR), /WRONGTYPE/)
      t.equal(await redis.get(bench.prefix + key), 'not a hash')
      await store.destroy(key)
      t.equal(await store.load(key), undefined)
    }
  })

  if (server === undefined) cannotTest(t, 'read-only and full servers, ACLs', 'they need a redis-server of their own')
  else testOwnServer(t)

  t.test('many at once, with both clients', async (t) => {
    const other = createClient({ url })
    await other.connect()
    t.teardown(() => other.destroy())
    await storm(t, [redis, other], `test:${newKey()}:`)
  })

  t.test('closing the store leaves the client open', async (t) => {
    const bench = new Bench(redis)
    await bench.store.close()
    t.ok(await bench.add())
  })
}

/** What changes the settings of the server. */
function testOwnServer(t: Test): void {
  t.test('a replica answers loads and refuses the rest', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ json: '{"a":1}', ownerId: 'ada' })
    await redis.replicaof(HOST, 1)
    const refused = { message: /READONLY/ }
    await t.rejects(bench.store.commit(key, { set: { a: '2' }, unset: [] }, START + HOUR), refused)
    await t.rejects(bench.store.touch(key, START + HOUR), refused)
    await t.rejects(bench.store.destroy(key), refused)
    await t.rejects(bench.store.destroyAll('ada'), refused)
    await t.rejects(bench.store.create(newKey(), newRecord(), START + HOUR), refused)
    t.equal((await bench.store.load(key))?.json, '{"a":1}')
    t.same(await bench.listed('ada'), [key])
    await redis.replicaof('NO', 'ONE')
    t.equal(await bench.store.commit(key, { set: { a: '2' }, unset: [] }, START + HOUR, 0), 'committed')
  })

  t.test('an end waits for replicas, where that is asked for', async (t) => {
    const copy = (await startRedis('--replicaof', HOST, String(server?.ports[0]))) as RedisServers
    const replica = new Redis({ host: HOST, port: copy.ports[0] as number })
    const other = createClient({ url })
    await other.connect()
    t.teardown(() => {
      replica.disconnect()
      other.destroy()
    })
    await when(async () => (await replica.info('replication')).includes('master_link_status:up'))
    const connections = async (): Promise<number> =>
      String(await redis.call('CLIENT', 'LIST', 'TYPE', 'normal'))
        .trim()
        .split('\n').length
    const before = await connections()
    const prefix = `test:${newKey()}:`
    const stores = [redis, other].map((client) => {
      const options = { client, prefix, clock: () => START * 1000 }
      return { waiting: new RedisStore({ ...options, waitForReplicas: 1 }), usual: new RedisStore(options) }
    })
    let patience = 10_000
    const call = (): { deadline: number } => ({ deadline: performance.now() + patience })
    const endings: readonly ((store: RedisStore, key: string, ownerId: string) => Promise<unknown>)[] = [
      (store, key) => store.destroy(key, call()),
      (store, key) => store.commit(key, HARDLY, START - 1, undefined, call()),
      (store, _key, ownerId) => store.destroyAll(ownerId, undefined, call())
    ]
    const tryAll = async (check: (store: RedisStore, end: () => Promise<unknown>) => Promise<void>): Promise<void> => {
      for (const { waiting, usual } of stores) {
        for (const end of endings) {
          for (const store of [waiting, usual]) {
            const [key, ownerId] = [newKey(), newKey()]
            await store.create(key, newRecord({ ownerId }), START + HOUR)
            await check(store, () => end(store, key, ownerId))
            t.equal(await store.load(key), undefined, 'it has ended')
            t.same(await store.list(ownerId), [])
          }
        }
      }
    }
    await tryAll(async (_store, end) => void (await t.resolves(end())))
    copy.pause()
    patience = 100
    const waiting = new Set(stores.map(({ waiting }) => waiting))
    await tryAll(async (store, end) => {
      if (waiting.has(store)) await t.rejects(end(), { message: /^The session has ended, but 0 of 1 replicas/ })
      else await t.resolves(end())
    })
    t.equal(await stores[0]?.waiting.destroyAll(newKey()), 0, 'nothing has ended')
    await copy.end()
    for (const { waiting } of stores) await waiting.close()
    await when(async () => (await connections()) === before)
  })

  t.test('a full server refuses what needs memory, and all of it', async (t) => {
    const bench = new Bench(redis)
    const key = await bench.add({ json: '{"a":1,"b":1}', ownerId: 'ada' })
    const before = await bench.store.load(key)
    await redis.config('SET', 'maxmemory', '1')
    const full = { message: /OOM|used memory/ }
    await t.rejects(bench.store.commit(key, { set: { a: '2' }, unset: ['b'] }, START + HOUR + 9), full)
    await t.rejects(bench.store.touch(key, START + HOUR + 9), full)
    await t.rejects(bench.store.create(newKey(), newRecord({ ownerId: 'ada' }), START + HOUR), full)
    t.same(await bench.store.load(key), before)
    t.equal(await bench.store.destroyAll('ada'), 1, 'who wants to leave can')
    await redis.config('SET', 'maxmemory', '0')
    t.same(await bench.names(), [])
  })

  t.test('these permissions are enough', async (t) => {
    const rules = [
      ...[
        'on',
        '>a-password',
        'resetkeys',
        '~session:*',
        'resetchannels',
        '&session:*',
        '-@all',
        '+@connection',
        '+evalsha',
        '+eval'
      ],
      ...['+time', '+hmget', '+hgetall', '+hset', '+hdel', '+hincrby', '+del'],
      ...['+pexpire', '+expireat', '+pexpireat', '+pttl'],
      ...['+zadd', '+zrem', '+zscore', '+zrange', '+zrangebyscore', '+zremrangebyscore', '+info'],
      ...['+publish', '+subscribe', '+unsubscribe', '+scan']
    ]
    await redis.acl('SETUSER', 'sessions', ...rules)
    const [username, password] = ['sessions', 'a-password']
    const client = new Redis(url, { username, password })
    const subscriber = client.duplicate()
    const glide = await openGlide(t, port, { credentials: { username, password } })
    t.teardown(() => {
      client.disconnect()
      subscriber.disconnect()
    })
    contract(t, client)
    contract(t, glide, 'session:glide:', subscriber)
  })
}

/** The name of an owner's index, as docs/stores/redis.md gives it. */
async function indexOf(bench: Bench, ownerId: string): Promise<string> {
  const name = `owner:${createHash('sha256').update(JSON.stringify(ownerId)).digest('base64url')}`
  assert.ok((await bench.names()).includes(name))
  return name
}

/** Everything at once, on few owners; then what is live is what is listed, and within the limits. */
async function storm(t: Test, clients: readonly Client[], prefix: string): Promise<void> {
  let milliseconds = START * 1000
  const stores = clients.map((client) => new RedisStore({ client, prefix, clock: () => milliseconds }))
  const keys: string[] = []
  const pick = <T>(list: readonly T[]): T => list[Math.floor(Math.random() * list.length)] as T
  const act = async (): Promise<unknown> => {
    const store = pick(stores)
    const ownerId = pick(['ada', 'bob'])
    const expiresAt = START + pick([5, 50, HOUR])
    const what = Math.random()
    if (what < 0.4 || keys.length === 0) {
      const key = newKey()
      keys.push(key)
      const createdAt = START - Math.floor(Math.random() * 9)
      const limit = { max: 4, evict: Math.random() < 0.7 }
      const replacing = Math.random() < 0.1 ? pick(keys) : undefined
      const call = { deadline: performance.now() + 60_000, replacing }
      const result = await store.create(key, newRecord({ ownerId, createdAt }), expiresAt, limit, call)
      if (replacing !== undefined && result === true) await store.destroy(replacing)
      return result
    }
    if (what < 0.7) return store.touch(pick(keys), expiresAt + HOUR)
    if (what < 0.9) return store.commit(pick(keys), { set: { a: '1' }, unset: [] }, expiresAt + HOUR)
    if (what < 0.98) return store.destroy(pick(keys))
    return store.destroyAll(ownerId, pick(keys))
  }
  for (let round = 0; round < 8; round++) {
    await Promise.all(Array.from({ length: 60 }, act))
    const [store] = stores as [RedisStore]
    for (const ownerId of ['ada', 'bob']) {
      const loaded = await Promise.all(keys.map((key) => store.load(key)))
      const live = loaded.filter((record) => record?.ownerId === ownerId).map((record) => record?.key)
      t.same((await store.list(ownerId)).map(({ key }) => key).sort(), live.sort())
      t.ok(live.length <= 4, `${live.length} within the limit`)
    }
    milliseconds += 3000
  }
}

t.test('a cluster of three', async (t) => {
  if (server === undefined) return cannotTest(t, 'RedisStore in a cluster', 'there is no redis-server to start')
  const { ports, end } = await startCluster()
  const nodes = ports.map((port) => ({ host: HOST, port }))
  const ioredis = new Cluster(nodes)
  const iovalkey = new ValkeyCluster(nodes)
  const cluster = createCluster({ rootNodes: nodes.map(({ host, port }) => ({ url: `redis://${host}:${port}` })) })
  await cluster.connect()
  t.teardown(async () => {
    ioredis.disconnect()
    iovalkey.disconnect()
    cluster.destroy()
    await end()
  })

  t.test('the contract, with ioredis', async (t) => contract(t, ioredis))

  t.test('the contract, with iovalkey', async (t) => contract(t, iovalkey))

  t.test('the contract, with node-redis', async (t) => contract(t, cluster))

  t.test('the contract and the races, with valkey-glide', async (t) => {
    const [client, other] = [
      await openGlideCluster(t, ports[0] as number),
      await openGlideCluster(t, ports[1] as number)
    ]
    const subscriber = await createClient({ url: `redis://${HOST}:${ports[0]}` }).connect()
    t.teardown(() => subscriber.destroy())
    await t.test('the contract', async (t) => contract(t, client, `test:${newKey()}:`, subscriber))
    await t.test('the races', async (t) => races(t, [client, other], `test:${newKey()}:`))
    await t.test('many at once', async (t) => storm(t, [client, ioredis], `test:${newKey()}:`))
  })

  t.test('the races, with both clients', async (t) => races(t, [ioredis, cluster], `test:${newKey()}:`))

  t.test('many at once, with both clients', async (t) => storm(t, [ioredis, cluster], `test:${newKey()}:`))

  t.test('the keys of one session are in one slot, those of many on all nodes', async (t) => {
    const client = new Watched(ioredis)
    const store = new RedisStore({ client, prefix: 'slots:', clock: () => START * 1000 })
    const keys = Array.from({ length: 40 }, newKey)
    for (const [index, key] of keys.entries()) {
      await store.create(key, newRecord({ ownerId: `owner ${index}`, json: '{"a":1}' }), START + HOUR)
      await store.commit(key, { set: { b: '2' }, unset: [] }, START + HOUR)
    }
    t.equal((await store.list('owner 7')).length, 1)
    const used = [...new Set(client.keys)]
    t.equal(used.length, 80, 'one key for each session and one for each owner')
    for (const key of keys) {
      const slots = used.filter((name) => name.includes(key)).map((name) => ioredis.cluster('KEYSLOT', name))
      t.equal(new Set(await Promise.all(slots)).size, 1)
    }
    const sizes = await Promise.all(ioredis.nodes('master').map((node) => node.dbsize()))
    t.equal(sizes.length, 3)
    t.ok(
      sizes.every((size) => size > 0),
      `keys on each node: ${sizes}`
    )
  })

  t.test('a prefix with a tag puts all keys into one slot', async (t) => {
    const client = new Watched(ioredis)
    const store = new RedisStore({ client, prefix: '{app}:', clock: () => START * 1000 })
    await store.create(newKey(), newRecord({ ownerId: 'ada' }), START + HOUR, { max: 1, evict: true })
    const slots = await Promise.all(client.keys.map((name) => ioredis.cluster('KEYSLOT', name)))
    t.equal(new Set(slots).size, 1)
  })
})

t.test('a master behind a sentinel', async (t) => {
  if (server === undefined) return cannotTest(t, 'RedisStore with Sentinel', 'there is no redis-server to start')
  const { ports, end } = await startSentinel()
  const sentinels = [{ host: HOST, port: ports[1] as number }]
  const ioredis = new Redis({ sentinels, name: 'sessions' })
  const iovalkey = new Valkey({ sentinels, name: 'sessions' })
  const sentinel = createSentinel({ name: 'sessions', sentinelRootNodes: sentinels })
  await sentinel.connect()
  t.teardown(async () => {
    ioredis.disconnect()
    iovalkey.disconnect()
    await sentinel.destroy()
    await end()
  })

  t.test('the contract, with ioredis', async (t) => contract(t, ioredis))

  t.test('the contract, with iovalkey', async (t) => contract(t, iovalkey))

  t.test('the contract, with node-redis', async (t) => contract(t, sentinel))

  t.test('loads go to the master unless the client is told to read from replicas', async (t) => {
    const copy = (await startRedis('--replicaof', HOST, String(ports[0]))) as RedisServers
    const replica = new Redis({ host: HOST, port: copy.ports[0] as number })
    t.teardown(async () => {
      replica.disconnect()
      await copy.end()
    })
    const reads = async (): Promise<number> =>
      Number(/cmdstat_hgetall:calls=(\d+)/.exec(await replica.info('commandstats'))?.[1] ?? 0)
    await when(async () => (await replica.info('replication')).includes('master_link_status:up'))
    const watcher = new Redis({ host: HOST, port: ports[1] as number })
    // Else a sentinel sees new replicas only every ten seconds. Redis 6.2 does not know it.
    await watcher.call('SENTINEL', 'DEBUG', 'INFO-PERIOD', '100').catch(() => {})
    await when(async () => {
      const known = String(await watcher.call('SENTINEL', 'REPLICAS', 'sessions'))
      return known.includes(`${HOST}:${copy.ports[0]}`) && known.includes('master-link-status,ok')
    })
    watcher.disconnect()
    const options = { name: 'sessions', sentinelRootNodes: sentinels }
    for (const replicaPoolSize of [0, 1]) {
      const node = createSentinel({ ...options, ...(replicaPoolSize > 0 && { replicaPoolSize }) })
      await node.connect()
      for (const client of [node, ioredis]) {
        const store = new RedisStore({ client, prefix: 'read:', clock: () => START * 1000 })
        const key = newKey()
        const before = await reads()
        await store.create(key, newRecord(), START + HOUR)
        await ioredis.wait(1, 1000)
        t.equal((await store.load(key))?.key, key)
        const wanted = client === node ? replicaPoolSize : 0
        t.equal((await reads()) - before, wanted, `${wanted} from the replica`)
      }
      await node.destroy()
    }
  })
})
