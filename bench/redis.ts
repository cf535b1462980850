import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import type { Cores } from './processes.ts'
import { prioritise, REDIS_PRIORITY } from './processes.ts'

const PATIENCE_MILLISECONDS = 10_000

/**
 * Starts Redis on the driver's core, so that its CPU time does not count as the server's, and sets `REDIS_URL`. If `REDIS_URL` is
 * set, it starts nothing. Returns a function that stops Redis.
 */
export async function startRedis(cores: Cores | undefined): Promise<() => void> {
  if (process.env.REDIS_URL !== undefined) return () => {}
  const port = await freePort()
  const command = ['redis-server', '--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no']
  const [file = '', ...parameters] = cores === undefined ? command : ['taskset', '-c', cores.driver, ...command]
  // Detached, so that it is in a separate process session: see prioritise().
  const redis = spawn(file, parameters, { stdio: 'ignore', detached: true })
  const end = (): boolean => redis.kill()
  process.once('exit', end)
  await once(redis, 'spawn')
  prioritise(redis.pid, REDIS_PRIORITY)
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
