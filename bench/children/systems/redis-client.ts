import { createClient } from 'redis'

export const KEY_PREFIX = 'session-bench:'

/** The client of every system with Redis: node-redis with its defaults. */
export async function connect() {
  return createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }).connect()
}
