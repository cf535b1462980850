import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import type { Cores } from './processes.ts'
import { spawnOn } from './processes.ts'

const PATIENCE_MILLISECONDS = 10_000

/**
 * Starts Redis on the other core, so that its CPU time does not count as the server's, and sets `REDIS_URL`. If `REDIS_URL` is set, it
 * starts nothing. Returns a function that stops Redis.
 */
export async function startRedis(cores: Cores | undefined): Promise<() => void> {
  if (process.env.REDIS_URL !== undefined) return () => {}
  const port = await freePort()
  const memoryOnly = ['--save', '', '--appendonly', 'no']
  const redis = spawnOn(
    cores?.other,
    ['redis-server', '--bind', '127.0.0.1', '--port', String(port), ...memoryOnly],
    'ignore'
  )
  const end = (): boolean => redis.kill()
  process.once('exit', end)
  await once(redis, 'spawn')
  await answers(port)
  process.env.REDIS_URL = `redis://127.0.0.1:${port}`
  return end
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

async function answers(port: number): Promise<void> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS
  for (;;) {
    const socket = connect(port, '127.0.0.1')
    try {
      await once(socket, 'connect')
      return
    } catch (error) {
      if (performance.now() > deadline) throw error
      await new Promise((resolve) => setTimeout(resolve, 50))
    } finally {
      socket.destroy()
    }
  }
}
