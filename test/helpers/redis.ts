import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type * as Tap from 'tap'
import { cannotTest, freePort, Service, until } from './service.ts'

/** One redis-server, or several that belong together. */
export interface RedisServers {
  /** The first accepts writes. */
  readonly ports: readonly number[]
  /** Freezes them: connections stay open, but nothing answers. */
  pause(): void
  resume(): void
  end(): Promise<void>
}

/** Starts a redis-server. Returns undefined if it is not installed. */
export async function startRedis(...settings: readonly string[]): Promise<RedisServers | undefined> {
  try {
    return await startServers([{ port: await freePort(), settings }])
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

/** Starts a redis-server until the end of the test, and returns a client of it. Without one it says what is not tested. */
export async function openRedis(t: Tap.Test, what: string): Promise<Redis | undefined> {
  const servers = await startRedis()
  if (servers === undefined) {
    cannotTest(t, what, 'there is no redis-server to start')
    return undefined
  }
  const redis = new Redis({ host: '127.0.0.1', port: servers.ports[0] as number })
  t.teardown(async () => {
    redis.disconnect()
    await servers.end()
  })
  return redis
}

/** Starts a cluster of three masters. */
export async function startCluster(): Promise<RedisServers> {
  const nodes = await Promise.all([1, 2, 3].map(async () => ({ port: await freePort(), bus: await freePort() })))
  const servers = await startServers(
    nodes.map(({ port, bus }) => ({
      port,
      settings: ['--cluster-enabled', 'yes', '--cluster-port', String(bus), '--cluster-node-timeout', '2000']
    }))
  )
  try {
    for (const [index, { port }] of nodes.entries()) {
      const [first, last] = [Math.floor((16_384 / 3) * index), Math.floor((16_384 / 3) * (index + 1)) - 1]
      await withRedis(port, async (redis) => {
        await redis.call('CLUSTER', 'ADDSLOTSRANGE', first, last)
        await redis.call('CLUSTER', 'SET-CONFIG-EPOCH', index + 1)
      })
    }
    await withRedis(nodes[0]?.port as number, async (redis) => {
      for (const { port, bus } of nodes.slice(1)) await redis.call('CLUSTER', 'MEET', '127.0.0.1', port, bus)
    })
    for (const { port } of nodes) {
      await withRedis(port, (redis) =>
        until(async () => {
          const info = String(await redis.call('CLUSTER', 'INFO'))
          if (!info.includes('cluster_state:ok') || !info.includes('cluster_known_nodes:3')) throw new Error(info)
        })
      )
    }
  } catch (error) {
    await servers.end()
    throw error
  }
  return servers
}

/** Starts a master, and a sentinel (the second port) that watches it under the name `sessions`. */
export async function startSentinel(): Promise<RedisServers> {
  const [port, watcher] = [await freePort(), await freePort()]
  const master = await startServers([{ port, settings: [] }])
  const sentinel = await Service.start((directory) => {
    const file = join(directory, 'sentinel.conf')
    writeFileSync(file, `port ${watcher}\nbind 127.0.0.1\nsentinel monitor sessions 127.0.0.1 ${port} 1\n`)
    return ['redis-server', file, '--sentinel']
  })
  const end = async (): Promise<void> => {
    await sentinel.end()
    await master.end()
  }
  try {
    await withRedis(watcher, (redis) => until(() => redis.ping()))
  } catch (error) {
    await end()
    throw error
  }
  return { ...master, ports: [port, watcher], end }
}

/** Opens a connection for one task. It retries until the server has started. */
async function withRedis<T>(port: number, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis({ port, host: '127.0.0.1', retryStrategy: () => 20, maxRetriesPerRequest: 500 })
  // The server refuses connections until it listens. A lasting failure rejects the command.
  redis.on('error', () => {})
  try {
    return await use(redis)
  } finally {
    redis.disconnect()
    if (redis.status !== 'end') await once(redis, 'end')
  }
}

async function startServers(wanted: readonly { port: number; settings: readonly string[] }[]): Promise<RedisServers> {
  const services: Service[] = []
  const end = async (): Promise<void> => {
    await Promise.all(services.map((service) => service.end()))
  }
  try {
    for (const { port, settings } of wanted) {
      const common = ['--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
      services.push(
        await Service.start((directory) => [
          'redis-server',
          ...['--port', String(port), '--dir', directory],
          ...common,
          ...settings
        ])
      )
    }
    for (const { port } of wanted) await withRedis(port, (redis) => redis.ping())
  } catch (error) {
    await end()
    throw error
  }
  return {
    ports: wanted.map(({ port }) => port),
    pause: () => {
      for (const service of services) service.pause()
    },
    resume: () => {
      for (const service of services) service.resume()
    },
    end
  }
}
