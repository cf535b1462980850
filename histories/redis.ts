import { Redis } from 'ioredis'
import { Server } from './server.ts'

/** Starts a redis-server that has written each change before it answers. */
export function startRedis(): Promise<Server> {
  return Server.start({
    command: (directory, port) => [
      'redis-server',
      ...['--port', String(port), '--bind', '127.0.0.1', '--dir', directory],
      ...['--save', '', '--appendonly', 'yes', '--appendfsync', 'always']
    ],
    ping
  })
}

async function ping(port: number): Promise<void> {
  const client = new Redis({ port, host: '127.0.0.1', retryStrategy: () => null, maxRetriesPerRequest: 0 })
  client.on('error', () => {})
  try {
    await client.ping()
  } finally {
    client.disconnect()
  }
}
