import { randomBytes } from 'node:crypto'
import type { EventEmitter } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statfsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SessionStore } from '../dist/lib/index.js'
import { MemoryStore } from '../dist/lib/index.js'
import { FileStore } from '../dist/lib/stores/file/index.js'
import { MySqlStore } from '../dist/lib/stores/mysql/index.js'
import { PostgresStore } from '../dist/lib/stores/postgres/index.js'
import type { RedisStoreOptions } from '../dist/lib/stores/redis/index.js'
import { RedisStore } from '../dist/lib/stores/redis/index.js'
import { SqliteStore } from '../dist/lib/stores/sqlite/index.js'

const REDIS_URL = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379'

/** Linux counts the CPU time of a process in hundredths of a second. */
const MICROSECONDS_PER_TICK = 10_000

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
  /** Returns the microseconds of CPU time that its server has used, or zero for a store that has none. */
  serverCpu(): Promise<number>
  close(): unknown
}

const WITHOUT_SERVER = { serverCpu: async (): Promise<number> => 0 }

/** Opens each store on the servers of this machine, with the clients of the project's tests. */
export const OPEN: Readonly<Record<string, (options: CommonOptions) => Promise<OpenStore>>> = {
  async memory(options) {
    const store = new MemoryStore({ maxSessions: 2_000_000, maxBytes: 2 ** 32, ...options })
    return { ...WITHOUT_SERVER, store, emitters: [], measure: async () => heapUsed(), close: () => store.close() }
  },
  async file(options) {
    const directory = mkdtempSync(join(tmpdir(), 'session-bench-'))
    const store = new FileStore({ directory, ...options })
    const before = usedDisk(directory)
    const close = async (): Promise<void> => {
      await store.close()
      rmSync(directory, { recursive: true, force: true })
    }
    return { ...WITHOUT_SERVER, store, emitters: [], measure: async () => usedDisk(directory) - before, close }
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
    return { ...WITHOUT_SERVER, store, emitters: [], measure: async () => pages(), close }
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
    const backend = String((await pool.query('SELECT pg_backend_pid() AS pid')).rows[0].pid)
    const serverCpu = async (): Promise<number> => cpuOfFamily(backend)
    const close = async (): Promise<void> => {
      await store.close()
      await pool.query(`DROP TABLE ${table}`)
      await pool.end()
    }
    return { store, emitters: [pool], measure, serverCpu, close }
  },
  async mysql(options) {
    const { createPool } = require('mysql2/promise')
    const pool = createPool({ uri: process.env.MYSQL_URL ?? 'mysql://root@127.0.0.1:3306/test', connectionLimit: 10 })
    const table = `bench_${randomBytes(4).toString('hex')}`
    const store = new MySqlStore({ pool, table, ...options })
    await store.migrate()
    const measure = async (): Promise<number> => {
      await pool.query(`ANALYZE TABLE ${table}`)
      const [rows] = await pool.query(
        `SELECT DATA_LENGTH + INDEX_LENGTH AS bytes FROM information_schema.TABLES
          WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?`,
        [table]
      )
      return Number(rows[0].bytes)
    }
    const [[{ file }]] = await pool.query('SELECT @@pid_file AS file')
    const serverCpu = async (): Promise<number> => cpuOf(file)
    const close = async (): Promise<void> => {
      await store.close()
      await pool.query(`DROP TABLE ${table}`)
      await pool.end()
    }
    return { store, emitters: [pool.pool], measure, serverCpu, close }
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
  const serverCpu = async (): Promise<number> => {
    const seconds = [...(await admin.info('cpu')).matchAll(/^used_cpu_(?:sys|user):([\d.]+)/gm)].map(([, text]) =>
      Number(text)
    )
    return seconds.reduce((sum, second) => sum + second, 0) * 1e6
  }
  return { store, emitters: [client], measure: async () => (await measure()) - before, serverCpu, close }
}

interface ProcessTimes {
  readonly pid: string
  readonly parent: string
  /** Of the process, and of its children that have ended. */
  readonly ticks: number
}

/** The CPU time of the process in a file with its id. Not a number where that cannot be read. */
function cpuOf(file: string): number {
  if (!existsSync(file) || !existsSync('/proc/self/stat')) return Number.NaN
  return timesOf(readFileSync(file, 'utf8').trim()).ticks * MICROSECONDS_PER_TICK
}

/** The CPU time of the parent of a process and of all its children. Not a number where there is no /proc. */
function cpuOfFamily(child: string): number {
  if (!existsSync('/proc/self/stat')) return Number.NaN
  const processes = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(timesOf)
  const parent = processes.find(({ pid }) => pid === child)?.parent
  const family = processes.filter((one) => one.pid === parent || one.parent === parent)
  return family.reduce((sum, { ticks }) => sum + ticks, 0) * MICROSECONDS_PER_TICK
}

function timesOf(pid: string): ProcessTimes {
  const facts = /\) (.*)/.exec(readStat(pid))?.[1]?.split(' ') ?? []
  const ticks = facts.slice(11, 15).reduce((sum, text) => sum + Number(text), 0)
  return { pid, parent: facts[1] ?? '', ticks }
}

/** Empty for a process that has ended meanwhile. */
function readStat(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
  } catch {
    return ''
  }
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
