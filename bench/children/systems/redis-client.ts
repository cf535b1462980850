import { createClient } from 'redis'

export const KEY_PREFIX = 'session-bench:'

/** The client that every system with Redis gets: node-redis, with its defaults. */
export async function connect() {
  return createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }).connect()
}
