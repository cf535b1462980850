import { randomBytes } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionStore } from '../dist/lib/index.js'
import { MemoryStore } from '../dist/lib/index.js'
import { FileStore } from '../dist/lib/stores/file/index.js'
import { PostgresStore } from '../dist/lib/stores/postgres/index.js'
import type { RedisStoreOptions } from '../dist/lib/stores/redis/index.js'
import { RedisStore } from '../dist/lib/stores/redis/index.js'
import { SqliteStore } from '../dist/lib/stores/sqlite/index.js'

const REDIS_URL = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'

const require = createRequire(new URL('../package.json', import.meta.url))

/** The options that all stores have. */
export interface CommonOptions {
  readonly pruneInterval: number
  readonly clock?: () => number
}

/** A store, and what belongs to it. */
export interface OpenStore {
  readonly store: SessionStore & { prune?(): unknown }
  /** Its client or pool. */
  readonly emitters: readonly EventEmitter[]
  /** Returns the bytes that the store uses, in memory, on disk or on its server. */
  measure(): Promise<number>
  close(): unknown
}

/** Opens each store on the servers of this machine, with the clients of the project's tests. */
export const OPEN: Readonly<Record<string, (options: CommonOptions) => Promise<OpenStore>>> = {
  async memory(options) {
    const store = new MemoryStore({ maxSessions: 2_000_000, maxBytes: 2 ** 32, ...options })
    return { store, emitters: [], measure: async () => heapUsed(), close: () => store.close() }
  },
  async file(options) {
    const directory = mkdtempSync(join(tmpdir(), 'session-bench-'))
    const store = new FileStore({ directory, ...options })
    const before = usedDisk(directory)
    const close = async (): Promise<void> => {
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    }
    return { store, emitters: [], measure: async () => usedDisk(directory) - before, close }
  },
  async sqlite(options) {
    const directory = mkdtempSync(join(tmpdir(), 'session-bench-'))
    const Database = require('better-sqlite3')
    const database = new Database(join(directory, 'sessions.db'))
    const store = new SqliteStore({ database, ...options })
    const close = async (): Promise<void> => {
      await store.close()
      database.close()
      rmSync(directory, { recursive: true, force: true })
    }
    const pages = (): number => database.pragma('page_count', { simple: true }) * 4096
    return { store, emitters: [], measure: async () => pages(), close }
  },
  async redis({ clock }) {
    const { createClient } = require('redis')
    const client = await createClient({ url: REDIS_URL }).connect()
    return openRedis(client, clock, () => client.close())
  },
  async ioredis({ clock }) {
    const { Redis } = require('ioredis')
    const client = new Redis(REDIS_URL)
    return openRedis(client, clock, () => client.quit())
  },
  async postgres(options) {
    const pg = require('pg')
    const connectionString = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
    const pool = new pg.Pool({ connectionString, max: 10, idleTimeoutMillis: 0 })
    const table = `bench_${randomBytes(4).toString('hex')}`
    const store = new PostgresStore({ pool, table, ...options })
    await store.migrate()
    const measure = async (): Promise<number> =>
      Number((await pool.query('SELECT pg_total_relation_size($1) AS bytes', [table])).rows[0].bytes)
    const close = async (): Promise<void> => {
      await store.close()
      await pool.query(`DROP TABLE ${table}`)
      await pool.end()
    }
    return { store, emitters: [pool], measure, close }
  }
}

/** A prefix of its own, whose keys are removed at the end. `end`: closes the client. */
async function openRedis(
  client: RedisStoreOptions['client'] & EventEmitter,
  clock: (() => number) | undefined,
  end: () => unknown
): Promise<OpenStore> {
  const { createClient } = require('redis')
  const admin = await createClient({ url: REDIS_URL }).connect()
  const prefix = `bench-${randomBytes(4).toString('hex')}:`
  const measure = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1])
  const before = await measure()
  const close = async (): Promise<void> => {
    for await (const keys of admin.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 })) {
      if (keys.length > 0) await admin.unlink(keys)
    }
    await admin.close()
    await end()
  }
  const store = new RedisStore({ client, prefix, clock })
  return { store, emitters: [client], measure: async () => (await measure()) - before, close }
}

function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error('Run with --expose-gc, to measure memory.')
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

function usedDisk(directory: string): number {
  const { blocks, bfree, bsize } = statfsSync(directory)
  return (blocks - bfree) * bsize
}
