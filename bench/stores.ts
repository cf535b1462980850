// Measures each store with few and with very many sessions: npm run bench:stores -- [--stores a,b] [--sizes 1000,100000]
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, statfsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { SessionStore } from '../dist/lib/index.js'
import { MemoryStore } from '../dist/lib/index.js'
import { FileStore } from '../dist/lib/stores/file/index.js'
import { PostgresStore } from '../dist/lib/stores/postgres/index.js'
import { RedisStore } from '../dist/lib/stores/redis/index.js'
import { SqliteStore } from '../dist/lib/stores/sqlite/index.js'

/** The number of concurrent calls, as on a busy server. */
const IN_FLIGHT = 50
const SAMPLE = 10_000
const WARM_UP = 2000
const HOUR = 3600

/** Returns about 200 bytes of JSON, as in the other bench, different for each session. */
function newJson(number: number): string {
  return JSON.stringify({
    profile: { id: number, name: `user-${number}`, email: `user-${number}@example.com`, roles: ['editor', 'admin'] },
    preferences: { theme: 'dark', language: 'en', perPage: 50 },
    csrf: randomBytes(18).toString('base64url'),
    visits: 12
  })
}

interface Bench {
  readonly store: SessionStore
  /** Returns the bytes that the store uses, in memory, on disk or on its server. */
  measure(): Promise<number>
  close(): unknown
}

const OPEN: Readonly<Record<string, () => Promise<Bench>>> = {
  async memory() {
    const store = new MemoryStore({ maxSessions: 2_000_000, maxBytes: 2 ** 32, pruneInterval: 0 })
    return { store, measure: async () => heapUsed(), close: () => store.close() }
  },
  async file() {
    const directory = mkdtempSync(join(tmpdir(), 'session-bench-'))
    const store = new FileStore({ directory, pruneInterval: 0 })
    const before = usedDisk(directory)
    const close = async (): Promise<void> => {
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    }
    return { store, measure: async () => usedDisk(directory) - before, close }
  },
  async sqlite() {
    const directory = mkdtempSync(join(tmpdir(), 'session-bench-'))
    const Database = require('better-sqlite3')
    const database = new Database(join(directory, 'sessions.db'))
    const store = new SqliteStore({ database, pruneInterval: 0 })
    const close = async (): Promise<void> => {
      await store.close()
      database.close()
      rmSync(directory, { recursive: true, force: true })
    }
    const pages = (): number => database.pragma('page_count', { simple: true }) * 4096
    return { store, measure: async () => pages(), close }
  },
  async redis() {
    const { createClient } = require('redis')
    const client = await createClient({ url: process.env.REDIS_URL ?? 'redis://127.0.0.1:6379' }).connect()
    const prefix = `bench-${randomBytes(4).toString('hex')}:`
    const used = async (): Promise<number> => Number(/used_memory:(\d+)/.exec(await client.info('memory'))?.[1])
    const before = await used()
    const close = async (): Promise<void> => {
      for await (const keys of client.scanIterator({ MATCH: `${prefix}*`, COUNT: 1000 })) {
        if (keys.length > 0) await client.unlink(keys)
      }
      await client.close()
    }
    return { store: new RedisStore({ client, prefix }), measure: async () => (await used()) - before, close }
  },
  async postgres() {
    const pg = require('pg')
    const connectionString = process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/test'
    const pool = new pg.Pool({ connectionString, max: 10 })
    const table = `bench_${randomBytes(4).toString('hex')}`
    const store = new PostgresStore({ pool, table, pruneInterval: 0 })
    await store.migrate()
    const measure = async (): Promise<number> =>
      Number((await pool.query('SELECT pg_total_relation_size($1) AS bytes', [table])).rows[0].bytes)
    const close = async (): Promise<void> => {
      await store.close()
      await pool.query(`DROP TABLE ${table}`)
      await pool.end()
    }
    return { store, measure, close }
  }
}

// The bench uses the clients of the project's tests.
const require = createRequire(new URL('../package.json', import.meta.url))
const { values } = parseArgs({ options: { stores: { type: 'string' }, sizes: { type: 'string' } } })
const names = values.stores?.split(',') ?? Object.keys(OPEN)
const sizes = (values.sizes ?? '1000,100000').split(',').map(Number)

console.log('| store | sessions | created per second | load | commit | touch | bytes per session |')
console.log('| --- | --: | --: | --: | --: | --: | --: |')
for (const name of names) await benchStore(name)

async function benchStore(name: string): Promise<void> {
  const open = OPEN[name]
  if (open === undefined) throw new Error(`Unknown: ${name}. Known are ${Object.keys(OPEN).join(', ')}.`)
  const { store, measure, close } = await open()
  const now = Math.floor(Date.now() / 1000)
  const keys: string[] = []
  const create = async (): Promise<void> => {
    const key = randomBytes(32).toString('base64url')
    keys.push(key)
    const record = {
      json: newJson(keys.length),
      createdAt: now,
      lastSeenAt: now,
      permanent: false,
      description: undefined
    }
    // Every other session has an owner, because the index is part of the cost.
    const ownerId = keys.length % 2 === 0 ? `user-${keys.length}` : undefined
    await store.create(key, { ...record, ownerId }, now + HOUR)
  }
  const someKey = (): string => keys[Math.floor(Math.random() * keys.length)] as string
  const changes = { set: { visits: '13' }, unset: [], lastSeenAt: now }
  try {
    const empty = await measure()
    for (const size of sizes) {
      const missing = size - keys.length
      const filling = await time(missing, create)
      const bytes = (await measure()) - empty - keysInHeap(name, keys.length)
      const operations = [
        () => store.load(someKey()),
        () => store.commit(someKey(), changes, now + HOUR),
        () => store.touch(someKey(), now + HOUR, now)
      ]
      const cells: string[] = []
      for (const operation of operations) {
        await time(WARM_UP, operation)
        const { wall, cpu } = await time(SAMPLE, operation)
        cells.push(`${wall.toFixed(0)} (${cpu.toFixed(0)}) µs`)
      }
      const perSecond = Math.round(1e6 / filling.wall).toLocaleString('en')
      console.log(
        `| ${name} | ${size.toLocaleString('en')} | ${perSecond} | ${cells.join(' | ')} | ${Math.round(bytes / size)} |`
      )
    }
  } finally {
    await close()
  }
}

/** Runs `call` `count` times, `IN_FLIGHT` at a time. Returns µs per call: elapsed time, and CPU time of this process. */
async function time(count: number, call: () => unknown): Promise<{ wall: number; cpu: number }> {
  let left = count
  const worker = async (): Promise<void> => {
    while (left-- > 0) await call()
  }
  const cpuBefore = process.cpuUsage()
  const before = performance.now()
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker))
  const { user, system } = process.cpuUsage(cpuBefore)
  return { wall: ((performance.now() - before) * 1000) / count, cpu: (user + system) / count }
}

function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error('Run with --expose-gc, to measure memory.')
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}

/** The bytes of the bench's own array of keys. The memory store shares its strings, so only the pointers count. */
function keysInHeap(name: string, count: number): number {
  return name === 'memory' ? count * 8 : 0
}

function usedDisk(directory: string): number {
  const { blocks, bfree, bsize } = statfsSync(directory)
  return (blocks - bfree) * bsize
}
