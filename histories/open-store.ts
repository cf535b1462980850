import { once } from 'node:events'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import { createPool } from 'mysql2/promise'
import pg from 'pg'
import { createClient } from 'redis'
import type { SessionStore } from '../lib/index.ts'
import { MemoryStore } from '../lib/index.ts'
import { FileStore } from '../lib/stores/file/index.ts'
import { MySqlStore } from '../lib/stores/mysql/index.ts'
import { PostgresStore } from '../lib/stores/postgres/index.ts'
import { RedisStore } from '../lib/stores/redis/index.ts'
import { SqliteStore } from '../lib/stores/sqlite/index.ts'
import { openSqlite } from '../test/helpers/sqlite.ts'

/** Where the sessions are. */
export type Place =
  | { readonly kind: 'memory' }
  | { readonly kind: 'file' | 'sqlite'; readonly directory: string }
  | { readonly kind: 'ioredis' | 'ioredis-defaults' | 'node-redis' | 'postgres' | 'mysql'; readonly port: number }

const HOST = '127.0.0.1'

/** Opens a store as its page says. */
export async function openStore(place: Place): Promise<SessionStore> {
  switch (place.kind) {
    case 'memory':
      return new MemoryStore()
    case 'file':
      return new FileStore({ directory: join(place.directory, 'sessions') })
    case 'sqlite':
      return new SqliteStore({ database: await openSqlite(join(place.directory, 'sessions.db')) })
    case 'ioredis':
      return openIoredis(
        new Redis({ host: HOST, port: place.port, maxRetriesPerRequest: 0, enableOfflineQueue: false })
      )
    case 'ioredis-defaults':
      return openIoredis(new Redis({ host: HOST, port: place.port }))
    case 'node-redis':
      return openNodeRedis(place.port)
    case 'postgres':
      return openPostgres(place.port)
    case 'mysql':
      return openMySql(place.port)
  }
}

async function openIoredis(client: Redis): Promise<SessionStore> {
  client.on('error', () => {})
  await once(client, 'ready')
  return new RedisStore({ client })
}

async function openNodeRedis(port: number): Promise<SessionStore> {
  const client = createClient({ socket: { host: HOST, port }, disableOfflineQueue: true })
  client.on('error', () => {})
  await client.connect()
  return new RedisStore({ client })
}

async function openPostgres(port: number): Promise<SessionStore> {
  const pool = new pg.Pool({ host: HOST, port, user: 'postgres', database: 'postgres', max: 5 })
  pool.on('error', () => {})
  return new PostgresStore({ pool })
}

function openMySql(port: number): SessionStore {
  const pool = createPool({ host: HOST, port, user: 'root', database: 'sessions', connectionLimit: 5 })
  return new MySqlStore({ pool })
}
