import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { createConnection, createPool } from 'mysql2/promise'
import pg from 'pg'
import { createClientPool } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import type { SessionStore } from '../../lib/index.ts'
import { MySqlStore } from '../../lib/stores/mysql/index.ts'
import { PostgresStore } from '../../lib/stores/postgres/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import type { Client } from '../../lib/testing/create-client.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { createApp } from '../helpers/app.ts'
import { when } from '../helpers/fake-time.ts'
import type { MariaDb } from '../helpers/mysql.ts'
import { findMariaDb } from '../helpers/mysql.ts'
import { cannotTest, freePort, Service, until } from '../helpers/service.ts'

const HOST = '127.0.0.1'
const STORE_TIMEOUT = 0.3
/** A request makes few calls of the store; the rest is for machines that are busy with other things. */
const NEVER_A_HANG = 3000
/** When the pool gives up: later, so that it is the deadline of the session that is tested. */
const POOL_TIMEOUT = 5000
const BROWSERS = 12
/** How often each kind of request has to meet an outage. */
const OFTEN = 15

/** A server in a folder of its own, which can be stopped, frozen and killed, and started again on the same port. */
class Server {
  readonly #command: (directory: string, port: number) => readonly string[]
  readonly #as: { uid?: number; gid?: number }
  readonly #stopBy: NodeJS.Signals
  readonly port: number
  readonly directory: string = mkdtempSync(join(tmpdir(), 'session-outage-'))
  #service: Service | undefined

  /** `stopBy`: the signal that ends it at once, and in order. */
  constructor(
    port: number,
    command: (directory: string, port: number) => readonly string[],
    as = {},
    stopBy: NodeJS.Signals = 'SIGINT'
  ) {
    this.port = port
    this.#command = command
    this.#as = as
    this.#stopBy = stopBy
  }

  async start(): Promise<void> {
    this.#service = await Service.start(() => this.#command(this.directory, this.port), this.#as)
  }

  /** Freezes every process of the server: connections stay open and nothing is answered. */
  freeze(): void {
    this.#signal('SIGSTOP')
  }

  thaw(): void {
    this.#signal('SIGCONT')
  }

  /** As an administrator does it: PostgreSQL ends its connections and Redis saves. */
  async stop(): Promise<void> {
    const { process: parent } = this.#service as Service
    parent.kill(this.#stopBy)
    await once(parent, 'exit')
    await this.#service?.end()
  }

  async kill(): Promise<void> {
    this.#signal('SIGKILL')
    await this.#service?.end()
  }

  async end(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** The server process, and those that it has started: PostgreSQL has one for each connection. */
  #signal(signal: NodeJS.Signals): void {
    const { process: parent } = this.#service as Service
    if (parent.exitCode !== null || parent.signalCode !== null) return
    let children = ''
    try {
      children = execFileSync('pgrep', ['-P', String(parent.pid)], { encoding: 'utf8' })
    } catch {
      // It has none.
    }
    parent.kill(signal)
    for (const pid of children.split('\n').filter((line) => line !== '')) {
      try {
        process.kill(Number(pid), signal)
      } catch {
        // It has ended in the meantime.
      }
    }
  }
}

interface Backend {
  readonly server: Server
  readonly store: SessionStore
  /** Succeeds when the server answers. */
  ping(): Promise<unknown>
  close(): Promise<unknown>
}

// Nothing waits in a queue of a client for a server that is down: with maxRetriesPerRequest alone, ioredis would keep commands
// until the next attempt to connect.

async function openIoredis(port: number): Promise<[store: SessionStore, close: () => Promise<void>]> {
  const client = new Redis({ host: HOST, port, maxRetriesPerRequest: 0, enableOfflineQueue: false })
  client.on('error', () => {})
  await new Promise((resolve) => client.once('ready', resolve))
  return [new RedisStore({ client }), async () => client.disconnect()]
}

async function openNodeRedis(port: number): Promise<[store: SessionStore, close: () => Promise<void>]> {
  const socket = { host: HOST, port, reconnectStrategy: (retries: number) => Math.min(50 * 2 ** retries, 2000) }
  const client = createClientPool({
    socket: { ...socket, socketTimeout: 3000 },
    pingInterval: 1000,
    disableOfflineQueue: true
  })
  client.on('error', () => {})
  await client.connect()
  return [new RedisStore({ client }), async () => client.destroy()]
}

async function startRedis(open: typeof openIoredis): Promise<Backend> {
  const server = new Server(await freePort(), (directory, port) => [
    'redis-server',
    ...['--port', String(port), '--bind', HOST, '--dir', directory, '--save', '', '--appendonly', 'yes'],
    // With `everysec`, Redis answers before it writes to its file if an earlier sync still runs; a kill would lose that.
    ...['--appendfsync', 'no']
  ])
  await server.start()
  const ping = async (): Promise<void> => {
    const client = new Redis({ host: HOST, port: server.port, retryStrategy: () => null, maxRetriesPerRequest: 0 })
    client.on('error', () => {})
    try {
      await client.ping()
    } finally {
      client.disconnect()
    }
  }
  await until(ping)
  const [store, close] = await open(server.port)
  return { server, store, ping, close }
}

async function startPostgres(binaries: string): Promise<Backend> {
  // The server refuses to run as root.
  const idOf = (flag: string): number => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  const as = process.getuid?.() === 0 ? { uid: idOf('-u'), gid: idOf('-g') } : {}
  const server = new Server(
    await freePort(),
    (directory, port) => {
      const settings = ['fsync=off', `listen_addresses=${HOST}`, 'unix_socket_directories=', `port=${port}`]
      return [join(binaries, 'postgres'), '-D', join(directory, 'data'), ...settings.flatMap((line) => ['-c', line])]
    },
    as
  )
  const data = join(server.directory, 'data')
  mkdirSync(data, { mode: 0o700 })
  if (as.uid !== undefined) for (const path of [server.directory, data]) chownSync(path, as.uid, as.gid)
  const init = ['--no-sync', '--username=postgres', '--auth=trust', '--locale=C', '-D', data]
  execFileSync(join(binaries, 'initdb'), init, { stdio: 'ignore', cwd: server.directory, ...as })
  await server.start()
  const where = { host: HOST, port: server.port, user: 'postgres', database: 'postgres' }
  const pool = new pg.Pool({ ...where, max: 5, connectionTimeoutMillis: POOL_TIMEOUT, query_timeout: POOL_TIMEOUT })
  pool.on('error', () => {})
  const ping = async (): Promise<void> => {
    const client = new pg.Client({ ...where, connectionTimeoutMillis: 1000 })
    await client.connect()
    await client.end()
  }
  await until(ping)
  const store = new PostgresStore({ pool })
  await store.migrate()
  return { server, store, ping, close: () => pool.end() }
}

async function startMySql(maria: MariaDb): Promise<Backend> {
  const server = new Server(await freePort(), maria.command, maria.as, 'SIGTERM')
  maria.install(server.directory)
  await server.start()
  const where = { host: HOST, port: server.port, user: 'root' }
  const ping = async (): Promise<void> => {
    const connection = await createConnection({ ...where, connectTimeout: 1000 })
    await connection.end()
  }
  await until(ping)
  const pool = createPool({ ...where, connectionLimit: 5, connectTimeout: POOL_TIMEOUT })
  await pool.query('CREATE DATABASE sessions')
  const store = new MySqlStore({ pool, schema: 'sessions' })
  await store.migrate()
  return { server, store, ping, close: () => pool.end() }
}

interface Site {
  readonly ada: Client
  /** Keeps sending requests until `outage` is over, and judges each reply. Gives how often each was answered, and how. */
  load(outage: (met: (what: string) => number) => Promise<unknown>): Promise<Map<string, number>>
  logIn(): Promise<unknown>
}

/** An application under load. */
async function createSite(t: Test, store: SessionStore): Promise<Site> {
  const { app } = await createApp({ store, storeTimeout: STORE_TIMEOUT, clock: Date.now }, { logger: false })
  t.teardown(() => app.close())
  app.post('/login', async ({ session }) => {
    await session.renew()
    session.name = 'ada'
    session.visits = 0
    return ''
  })
  app.get('/me', async ({ session }, reply) => session.name ?? reply.code(401).send('who are you?'))
  app.post('/write', async ({ session }, reply) => {
    if (session.name === undefined) return reply.code(401).send('who are you?')
    session.role = session.role === 'admin' ? 'guest' : 'admin'
    return 'written'
  })
  app.post('/count', async ({ session }, reply) => {
    if (session.name === undefined) return reply.code(401).send('who are you?')
    return session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
      return data.visits
    })
  })
  app.get('/public', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => {
    return session.name ?? 'anonymous'
  })
  app.get('/health', { config: { session: false } }, async () => 'ok')

  const ada = await createClient(app)
  const routes = ['GET /me', 'POST /write', 'POST /count', 'GET /public'] as const
  const bodies: Readonly<Record<string, RegExp>> = {
    'GET /me': /^ada$/,
    'POST /write': /^written$/,
    'POST /count': /^\d+$/,
    'GET /public': /^ada$|^anonymous$/,
    'GET /health': /^ok$/
  }

  return {
    ada,
    logIn: () => ada.post('/login'),
    async load(outage) {
      const answers = new Map<string, number>()
      const wrong: unknown[] = []
      let isOver = false
      // Each browser keeps to one route, with the health check in between: updates of one session queue in the process, and if
      // every browser came to wait there, that would look like a hang.
      const browse = async (browser: number): Promise<void> => {
        const route = routes[browser % routes.length] as (typeof routes)[number]
        for (let count = 0; !isOver; count++) {
          const what = count % 2 === 0 ? route : 'GET /health'
          const [method, url] = what.split(' ') as ['GET' | 'POST', string]
          const start = performance.now()
          const reply = await app.inject({ method, url, headers: { cookie: ada.jar.header() } })
          const { statusCode, headers, body } = reply
          const milliseconds = performance.now() - start
          const isRefused =
            statusCode === 503 &&
            headers['retry-after'] === '5' &&
            reply.json().code === 'ERR_SESSION_STORE_UNAVAILABLE' &&
            !['GET /public', 'GET /health'].includes(what)
          const isServed = statusCode === 200 && bodies[what]?.test(body)
          // A cookie would replace the one that opens the session again when all is well.
          const isRight = (isRefused || isServed) && headers['set-cookie'] === undefined
          if (!isRight || milliseconds > NEVER_A_HANG) wrong.push({ what, statusCode, headers, body, milliseconds })
          const answer = `${what}: ${isServed ? (what === 'GET /public' ? body : 'served') : statusCode}`
          answers.set(answer, (answers.get(answer) ?? 0) + 1)
          await turn()
        }
      }
      const browsers = Promise.all(Array.from({ length: BROWSERS }, (_, browser) => browse(browser)))
      try {
        await outage((answer) => answers.get(answer) ?? 0)
      } finally {
        isOver = true
        await browsers
      }
      t.same(wrong, [], 'every request was served, refused with 503, or served without the session')
      return answers
    }
  }
}

/** Waits until requests of every kind have met the outage. */
async function isNoticed(met: (answer: string) => number): Promise<void> {
  const answers = ['GET /me: 503', 'POST /write: 503', 'POST /count: 503', 'GET /public: anonymous']
  await when(() => answers.every((answer) => met(answer) >= OFTEN))
}

/** Waits until all is well again, with the cookie from before: a client may have several connections to make again. */
async function hasRecovered(site: Site): Promise<void> {
  await when(async () => {
    const replies = await Promise.all(Array.from({ length: 20 }, () => site.ada.get('/me')))
    return replies.every(({ statusCode }) => statusCode !== 503)
  })
}

async function testOutages(t: Test, backend: Backend): Promise<void> {
  const { server, store, ping } = backend
  const site = await createSite(t, store)
  t.teardown(async () => {
    server.thaw()
    await backend.close()
    await server.end()
  })
  await site.logIn()
  const cookie = site.ada.jar.header()

  const outages: readonly (readonly [name: string, begin: () => unknown, finish: () => unknown])[] = [
    ['a server that stops', () => server.stop(), () => server.start()],
    ['a server that is frozen', () => server.freeze(), () => server.thaw()],
    ['a server that is killed', () => server.kill(), () => server.start()]
  ]
  for (const [name, begin, finish] of outages) {
    await t.test(name, async (t) => {
      const before = Number((await site.ada.post('/count')).body)
      const answers = await site.load(async (met) => {
        await when(() => met('POST /count: served') >= 3)
        await begin()
        await isNoticed(met)
        await finish()
        await until(ping)
        await hasRecovered(site)
      })
      t.comment(JSON.stringify(Object.fromEntries(answers)))
      t.equal(site.ada.jar.header(), cookie, 'nobody touched the cookie')
      t.equal((await site.ada.get('/me')).body, 'ada', 'and it is logged in')
      const after = Number((await site.ada.post('/count')).body)
      t.ok(after > before + (answers.get('POST /count: served') ?? 0), 'what was acknowledged is counted')
    })
  }
}

const redis = await startRedis(openIoredis).catch((error: NodeJS.ErrnoException) => {
  if (error.code === 'ENOENT') return undefined
  throw error
})
if (redis === undefined) {
  cannotTest(t, 'outages of Redis', 'there is no redis-server to start')
} else {
  await t.test('Redis, with ioredis', (t) => testOutages(t, redis))
  await t.test('Redis, with node-redis', async (t) => testOutages(t, await startRedis(openNodeRedis)))

  await t.test('a Redis that has forgotten everything is no outage', async (t) => {
    const { server, store, ping, close } = await startRedis(openIoredis)
    t.teardown(async () => {
      await close()
      await server.end()
    })
    const site = await createSite(t, store)
    await site.logIn()
    const cookie = site.ada.jar.header()
    await server.kill()
    for (const file of readdirSync(server.directory)) rmSync(join(server.directory, file), { recursive: true })
    t.equal((await site.ada.get('/me')).statusCode, 503)
    await server.start()
    await until(ping)
    await hasRecovered(site)
    t.equal((await site.ada.get('/me')).statusCode, 401)
    t.not(site.ada.jar.header(), cookie, 'the browser forgets the cookie')
    await site.logIn()
    t.equal((await site.ada.get('/me')).body, 'ada')
  })
}

const binaries = findPostgres()
if (binaries === undefined) cannotTest(t, 'outages of PostgreSQL', 'it is not installed')
else await t.test('PostgreSQL', async (t) => testOutages(t, await startPostgres(binaries)))

const maria = findMariaDb()
if (maria === undefined) cannotTest(t, 'outages of MariaDB', 'it is not installed')
else await t.test('MariaDB', async (t) => testOutages(t, await startMySql(maria)))

function findPostgres(): string | undefined {
  try {
    return execFileSync('pg_config', ['--bindir'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {}
  try {
    const versions = readdirSync('/usr/lib/postgresql').sort((a, b) => Number(b) - Number(a))
    return versions[0] && join('/usr/lib/postgresql', versions[0], 'bin')
  } catch {
    return undefined
  }
}
