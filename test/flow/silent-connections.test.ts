import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { Cluster, Redis } from 'ioredis'
import type { PoolOptions } from 'mysql2/promise'
import type pg from 'pg'
import { createClientPool, createClient as createRedis } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import { MySqlStore } from '../../lib/stores/mysql/index.ts'
import { PostgresRevocations, PostgresStore } from '../../lib/stores/postgres/index.ts'
import { RedisRevocations, RedisStore } from '../../lib/stores/redis/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import type { RevocationList } from '../../types/revocations.ts'
import type { MaybePromise, SessionStore } from '../../types/store.ts'
import { createApp } from '../helpers/app.ts'
import { reachMySql } from '../helpers/mysql.ts'
import { read } from '../helpers/pages.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { startCluster, startRedis } from '../helpers/redis.ts'
import { cannotTest, until } from '../helpers/service.ts'
import { TcpProxy } from '../helpers/tcp-proxy.ts'

/** More than pools have connections. */
const VISITORS = 12
const SECONDS = 20
/** Milliseconds: much less than the time between two questions. */
const SOON = 300

type OpenStore = (clock: () => number) => SessionStore
type Open = (port: number, t: Test) => Promise<OpenStore>

/** Returns what a page passes to a client. */
function settingsOn<T>(page: string, call: string): T {
  const text = read(page)
  const start = text.indexOf(`${call}(`) + call.length + 1
  return runInNewContext(`[${text.slice(start, text.indexOf(')\n', start))}].at(-1)`, { process: { env: {} } }) as T
}

/** A firewall forgets all connections, while requests come all the time. */
async function tellSilence(t: Test, port: number, open: Open): Promise<void> {
  const proxy = await TcpProxy.start(port)
  await tellSilenceOf(t, [proxy], await open(proxy.port, t))
}

async function tellSilenceOf(t: Test, proxies: readonly TcpProxy[], store: OpenStore): Promise<void> {
  t.teardown(() => Promise.all(proxies.map((proxy) => proxy.end())))
  const { app } = await createApp({ store, storeTimeout: 1 })
  app.get('/', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  const visitors = await Promise.all(Array.from({ length: VISITORS }, () => createClient(app)))
  const visit = async (): Promise<number[]> =>
    (await Promise.all(visitors.map((visitor) => visitor.get('/')))).map(({ statusCode }) => statusCode)
  const served = visitors.map(() => 200)
  t.same(await visit(), served)
  t.same(await visit(), served)
  for (const proxy of proxies) proxy.forgetConnections()
  t.ok((await visit()).includes(503), 'it is noticed')
  // Not every round uses every connection of a pool.
  await until(async () => {
    for (let round = 0; round < 10; round++) {
      const statuses = await visit()
      if (statuses.some((status) => status !== 200)) throw new Error(`still silent: ${statuses}`)
    }
  }, SECONDS)
  t.same(await visit(), served)
}

/** The same with a list of revocations: afterwards its messages come again, without a restart. */
async function tellSilenceOfList(
  t: Test,
  port: number,
  open: (port: number, t: Test) => MaybePromise<RevocationList>
): Promise<void> {
  const proxy = await TcpProxy.start(port)
  t.teardown(() => proxy.end())
  const settings = { clock: () => Date.now(), maxStaleness: 3 }
  const there = await createApp({ ...settings, revocations: await open(proxy.port, t) })
  const here = await createApp({ ...settings, revocations: await open(port, t) })
  t.teardown(async () => {
    await there.app.close()
    await here.app.close()
  })
  /** Returns after how many milliseconds the other process knows of a revocation. */
  const revoke = async (): Promise<number> => {
    const cookie = await sessionCookie(here.app, { name: 'Ada' })
    const { id } = await readSession(here.app, cookie)
    const start = performance.now()
    await here.app.sessions.revoke(id as string)
    await until(async () => {
      const { reason } = await readSession(there.app, cookie)
      if (reason !== 'revoked') throw new Error(`still ${reason}`)
    }, SECONDS)
    return performance.now() - start
  }
  await until(async () => {
    if ((await revoke()) > SOON) throw new Error('it has not begun to hear')
  }, SECONDS)
  proxy.forgetConnections()
  t.ok((await revoke()) > SOON, 'it hears nothing')
  await until(async () => {
    if ((await revoke()) > SOON) throw new Error('it still hears nothing')
  }, SECONDS)
}

/** The same with what other processes tell of sessions that end: whoever listens hears of them again, without a restart. */
async function tellSilenceOfEndings(t: Test, port: number, open: Open): Promise<void> {
  const proxy = await TcpProxy.start(port)
  t.teardown(() => proxy.end())
  const there = await createApp({ store: await open(proxy.port, t) })
  const here = await createApp({ store: await open(port, t) })
  t.teardown(async () => {
    await there.app.close()
    await here.app.close()
  })
  here.app.get('/', async ({ session }) => {
    session.visits = 1
    return session.id
  })
  const heard = new Set<string | undefined>()
  there.app.sessions.onEnded(({ handle }) => void heard.add(handle))
  const isHeard = async (): Promise<boolean> => {
    const { body: handle } = await here.app.inject('/')
    await here.app.sessions.revoke(handle)
    await pause(SOON)
    return heard.has(handle)
  }
  const hears = async (): Promise<void> => {
    if (!(await isHeard())) throw new Error('it hears nothing')
  }
  await until(hears, SECONDS)
  proxy.forgetConnections()
  t.equal(await isHeard(), false)
  await until(hears, 3 * SECONDS)
}

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  await new PostgresStore({ pool: postgres.pool() }).migrate()
  await new PostgresRevocations({ pool: postgres.pool() }).migrate()
}

/** A store by ioredis, as its page sets it up. */
async function openIoredis(port: number, t: Test): Promise<(clock: () => number) => RedisStore> {
  const settings = settingsOn<{ socketTimeout: number }>('docs/stores/redis.md', 'new Redis')
  const client = new Redis(port, '127.0.0.1', settings)
  client.on('error', () => {})
  await once(client, 'ready')
  t.teardown(() => client.disconnect())
  return (clock) => new RedisStore({ client, clock })
}

const server = await startRedis()
if (server === undefined) cannotTest(t, 'silent connections to Redis', 'there is no redis-server to start')
else {
  const [port] = server.ports as [number]
  t.teardown(() => server.end())

  t.test('ioredis, as its page sets it up, leaves connections that are silent', (t) =>
    tellSilence(t, port, openIoredis)
  )

  t.test('a cluster of ioredis, with the same in redisOptions', async (t) => {
    const servers = await startCluster()
    const proxies = await Promise.all(servers.ports.map((port) => TcpProxy.start(port)))
    const nodes = servers.ports.map((port) => ({ host: '127.0.0.1', port }))
    const natMap = Object.fromEntries(
      nodes.map(({ host, port }, index) => [`${host}:${port}`, { host, port: proxies[index]?.port as number }])
    )
    const { socketTimeout } = settingsOn<{ socketTimeout: number }>('docs/stores/redis.md', 'new Redis')
    const client = new Cluster(nodes, { natMap, redisOptions: { socketTimeout } })
    client.on('error', () => {})
    await once(client, 'ready')
    t.teardown(async () => {
      client.disconnect()
      await servers.end()
    })
    await tellSilenceOf(t, proxies, (clock) => new RedisStore({ client, clock }))
  })

  t.test('ioredis, with a list of revocations', (t) =>
    tellSilenceOfList(t, port, (port, t) => {
      const settings = settingsOn<{ socketTimeout: number }>('docs/stores/redis.md', 'new Redis')
      const client = new Redis(port, '127.0.0.1', settings)
      client.on('error', () => {})
      t.teardown(() => client.disconnect())
      return new RedisRevocations({ client })
    })
  )

  t.test('ioredis, with a listener of endings', (t) => tellSilenceOfEndings(t, port, openIoredis))

  t.test('node-redis, with a list of revocations', (t) =>
    tellSilenceOfList(t, port, async (port, t) => {
      const settings = settingsOn<Parameters<typeof createClientPool>[0]>('docs/stores/redis.md', 'createClientPool')
      const url = `redis://127.0.0.1:${port}`
      const client = createClientPool({ ...settings, url })
      const subscriber = createRedis({ ...settings, url })
      for (const one of [client, subscriber]) {
        one.on('error', () => {})
        await one.connect()
        t.teardown(() => one.destroy())
      }
      return new RedisRevocations({ client, subscriber })
    })
  )

  t.test('node-redis, as its page sets it up, leaves connections that are silent', (t) =>
    tellSilence(t, port, async (port, t) => {
      const settings = settingsOn<Parameters<typeof createClientPool>[0]>('docs/stores/redis.md', 'createClientPool')
      const client = createClientPool({ ...settings, url: `redis://127.0.0.1:${port}` })
      client.on('error', () => {})
      await client.connect()
      t.teardown(() => client.destroy())
      return (clock) => new RedisStore({ client, clock })
    })
  )
}

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  await new MySqlStore({ pool: mysql.pool() }).migrate()
  t.test('MySqlStore', (t) =>
    tellSilence(t, Number(new URL(mysql.url).port), async (port) => {
      const settings = settingsOn<PoolOptions>('docs/stores/mysql.md', 'createPool')
      const uri = Object.assign(new URL(mysql.url), { port: String(port) }).href
      const pool = mysql.pool({ ...settings, uri })
      return (clock) => new MySqlStore({ pool, clock, pruneInterval: 0 })
    })
  )
}

if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  t.test('pg, as its page sets it up, leaves connections that are silent', (t) =>
    tellSilence(t, Number(new URL(postgres.url).port), async (port) => {
      const settings = settingsOn<pg.PoolConfig>('docs/stores/postgres.md', 'new pg.Pool')
      const url = new URL(postgres.url)
      url.port = String(port)
      const pool = postgres.pool({ ...settings, connectionString: url.href })
      return (clock) => new PostgresStore({ pool, clock, pruneInterval: 0 })
    })
  )
  t.test('pg, with a listener of endings', (t) =>
    tellSilenceOfEndings(t, Number(new URL(postgres.url).port), async (port) => {
      const settings = settingsOn<pg.PoolConfig>('docs/stores/postgres.md', 'new pg.Pool')
      const url = new URL(postgres.url)
      url.port = String(port)
      const pool = postgres.pool({ ...settings, connectionString: url.href })
      return (clock) => new PostgresStore({ pool, clock, pruneInterval: 0 })
    })
  )
  t.test('pg, with a list of revocations', (t) =>
    tellSilenceOfList(t, Number(new URL(postgres.url).port), (port) => {
      const settings = settingsOn<pg.PoolConfig>('docs/stores/postgres.md', 'new pg.Pool')
      const url = new URL(postgres.url)
      url.port = String(port)
      return new PostgresRevocations({ pool: postgres.pool({ ...settings, connectionString: url.href }) })
    })
  )
}
