import type { Redis as Ioredis } from 'ioredis'
import { Redis } from 'ioredis'
import { createClient } from 'redis'

export const KEY_PREFIX = 'session-bench:'

const URL: string = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'

/** node-redis with its defaults. */
export async function connectNodeRedis() {
  return createClient({ url: URL }).connect()
}

/** ioredis with its defaults. */
export function connectIoredis(): Ioredis {
  return new Redis(URL)
}
