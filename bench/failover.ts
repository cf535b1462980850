// Shows what a failover of Redis loses: npm run bench:failover. It stops a master, which a sentinel replaces, lets it go on as
// if nothing had happened, and counts what was acknowledged and is not there afterwards. It takes two minutes.
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { RedisStore } from '../dist/lib/stores/redis/index.js'

const HOST = '127.0.0.1'
const HOUR = 3600
const REPLICAS = 2
/** Milliseconds. The sentinel gives up on a master after DOWN_AFTER. */
const DOWN_AFTER = 1000
const STOPPED_AFTER = 2000
const GOES_ON_AFTER = 7000
const ENDS_AFTER = 20_000
const STORE_TIMEOUT = 2000
const PUSH_EVERY = 20
const END_EVERY = 100

interface Variant {
  readonly name: string
  readonly failoverDetector: boolean
  readonly waitForReplicas: number
  readonly minReplicas: number
}

const VARIANTS: readonly Variant[] = [
  { name: 'defaults', failoverDetector: false, waitForReplicas: 0, minReplicas: 0 },
  { name: '`failoverDetector`', failoverDetector: true, waitForReplicas: 0, minReplicas: 0 },
  { name: '`min-replicas-to-write 1`', failoverDetector: false, waitForReplicas: 0, minReplicas: 1 },
  { name: '`waitForReplicas: 1`', failoverDetector: false, waitForReplicas: 1, minReplicas: 0 },
  { name: '`failoverDetector` and `waitForReplicas: 1`', failoverDetector: true, waitForReplicas: 1, minReplicas: 0 },
  { name: 'all three', failoverDetector: true, waitForReplicas: 1, minReplicas: 1 }
]

/** Starts servers for one run. */
class Servers {
  readonly #directory = mkdtempSync(join(tmpdir(), 'session-failover-'))
  readonly #processes: ReturnType<typeof spawn>[] = []

  async start(...settings: readonly string[]): Promise<number> {
    const port = await freePort()
    const file = join(this.#directory, `${port}.conf`)
    writeFileSync(file, [`port ${port}`, `bind ${HOST}`, `dir ${this.#directory}`, ...settings, ''].join('\n'))
    const isSentinel = settings.some((setting) => setting.startsWith('sentinel '))
    const process = spawn('redis-server', [file, ...(isSentinel ? ['--sentinel'] : [])], { stdio: 'ignore' })
    this.#processes.push(process)
    await withRedis(port, (redis) => redis.ping())
    return port
  }

  signal(index: number, signal: NodeJS.Signals): void {
    this.#processes[index]?.kill(signal)
  }

  async end(): Promise<void> {
    for (const process of this.#processes) {
      const ended = once(process, 'exit')
      process.kill('SIGKILL')
      await ended
    }
    rmSync(this.#directory, { recursive: true })
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, HOST)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function withRedis<T>(port: number, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ host: HOST, port, retryStrategy: () => 20, maxRetriesPerRequest: 500 })
  redis.on('error', () => {})
  try {
    return await use(redis)
  } finally {
    redis.disconnect()
  }
}

function newKey(): string {
  return randomBytes(32).toString('base64url')
}

async function measure(variant: Variant): Promise<string> {
  const servers = new Servers()
  try {
    const usual = ['save ""', 'appendonly no', 'repl-diskless-sync-delay 0']
    const master = await servers.start(...usual)
    for (let replica = 0; replica < REPLICAS; replica++) await servers.start(...usual, `replicaof ${HOST} ${master}`)
    const sentinel = await servers.start(
      `sentinel monitor sessions ${HOST} ${master} 1`,
      `sentinel down-after-milliseconds sessions ${DOWN_AFTER}`
    )
    await withRedis(sentinel, async (redis) => {
      await redis.call('SENTINEL', 'DEBUG', 'INFO-PERIOD', '500')
      const known = async (): Promise<number> =>
        String(await redis.call('SENTINEL', 'REPLICAS', 'sessions')).split('master-link-status,ok').length - 1
      while ((await known()) < REPLICAS) await sleep(50)
    })
    // As redis.conf would have it on every node.
    await withRedis(master, (redis) => redis.config('SET', 'min-replicas-to-write', variant.minReplicas))
    const client = new Redis({
      sentinels: [{ host: HOST, port: sentinel }],
      name: 'sessions',
      failoverDetector: variant.failoverDetector
    })
    client.on('error', () => {})
    const store = new RedisStore({ client, waitForReplicas: variant.waitForReplicas })
    const expiresAt = Math.floor(Date.now() / 1000) + HOUR
    const record = {
      json: '{}',
      createdAt: 0,
      lastSeenAt: 0,
      permanent: false,
      ownerId: undefined,
      description: undefined,
      extensions: undefined
    }
    const add = async (): Promise<string> => {
      const key = newKey()
      await store.create(key, record, expiresAt)
      return key
    }
    const list = await add()
    const toEnd = await Promise.all(Array.from({ length: ENDS_AFTER / END_EVERY }, add))

    const start = performance.now()
    const [pushed, ended]: [string[], string[]] = [[], []]
    const refused = { pushes: 0, ends: 0 }
    const calls: Promise<unknown>[] = []
    const call = (): { deadline: number } => ({ deadline: performance.now() + STORE_TIMEOUT })
    /** As the plugin does: what comes after the deadline is not told to anybody. */
    const inTime = (work: Promise<unknown>, { deadline }: { deadline: number }): Promise<boolean> =>
      work.then(
        () => performance.now() <= deadline,
        () => false
      )
    const push = async (name: string): Promise<void> => {
      const limits = call()
      const work = store.commit(list, { set: { [name]: '1' }, unset: [] }, expiresAt, undefined, limits)
      if (await inTime(work, limits)) pushed.push(name)
      else refused.pushes++
    }
    const end = async (key: string): Promise<void> => {
      const limits = call()
      if (await inTime(store.destroy(key, limits), limits)) ended.push(key)
      else refused.ends++
    }
    const pushes = setInterval(() => calls.push(push(`p${calls.length}`)), PUSH_EVERY)
    const ends = setInterval(() => {
      const key = toEnd.pop()
      if (key !== undefined) calls.push(end(key))
    }, END_EVERY)
    await sleep(STOPPED_AFTER)
    servers.signal(0, 'SIGSTOP')
    await sleep(GOES_ON_AFTER - STOPPED_AFTER)
    servers.signal(0, 'SIGCONT')
    await sleep(Math.max(0, ENDS_AFTER - (performance.now() - start)))
    clearInterval(pushes)
    clearInterval(ends)
    await Promise.race([Promise.all(calls), sleep(STORE_TIMEOUT)])
    await store.close()
    client.disconnect()

    const [, port] = (await withRedis(sentinel, (redis) =>
      redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', 'sessions')
    )) as string[]
    if (port === String(master)) throw new Error('There was no failover.')
    const lost = await withRedis(Number(port), async (redis) => {
      const kept = await redis.hgetall(`session:${list}`)
      const alive = await Promise.all(ended.map((key) => redis.hexists(`session:${key}`, 'e')))
      return {
        pushes: pushed.filter((name) => !(`.${name}` in kept)).length,
        ends: alive.filter((isAlive) => isAlive === 1).length
      }
    })
    return [
      variant.name,
      `${lost.pushes} of ${pushed.length}`,
      `${lost.ends} of ${ended.length}`,
      `${refused.pushes}, ${refused.ends}`
    ].join(' | ')
  } finally {
    await servers.end()
  }
}

console.log('settings | acknowledged writes lost | acknowledged ends undone | answered 503: writes, ends')
for (const variant of VARIANTS) console.log(await measure(variant))
