import type { SessionStore } from 'fastify-typed-session'
import { MemoryStore } from 'fastify-typed-session'
import { FileStore } from 'fastify-typed-session/stores/file'
import { MySqlStore } from 'fastify-typed-session/stores/mysql'
import { PostgresStore } from 'fastify-typed-session/stores/postgres'
import { RedisStore } from 'fastify-typed-session/stores/redis'
import { SqliteStore } from 'fastify-typed-session/stores/sqlite'

/** A store, and a function that closes its client. */
export interface OpenStore {
  readonly store: SessionStore
  readonly close: () => unknown
}

/**
 * Opens the store that `SESSION_STORE` selects: `memory`, `file:DIRECTORY`, `sqlite:FILE`, `redis://…`, `postgres://…` or `mysql://…`.
 * It imports only the client that this store needs.
 */
export async function openStore(name: string): Promise<OpenStore> {
  const [scheme = '', rest = ''] = name.split(/:(.*)/s)
  switch (scheme) {
    case 'memory':
      return { store: new MemoryStore(), close: () => {} }
    case 'file':
      return { store: new FileStore({ directory: rest }), close: () => {} }
    case 'sqlite': {
      const database = await openDatabase(rest)
      return { store: new SqliteStore({ database }), close: () => database.close() }
    }
    case 'redis':
    case 'rediss': {
      const { createClientPool } = await import('redis')
      const client = createClientPool({
        url: name,
        // Commands fail at once when the server is down, and the reply is 503.
        disableOfflineQueue: true,
        // A connection that a firewall has forgotten is replaced.
        pingInterval: 1000,
        socket: { socketTimeout: 3000, reconnectStrategy: (retries) => Math.min(50 * 2 ** retries, 2000) }
      })
      client.on('error', (error) => console.error(`Redis: ${error.message}`))
      await client.connect()
      return { store: new RedisStore({ client }), close: () => client.close() }
    }
    case 'postgres':
    case 'postgresql': {
      const { default: pg } = await import('pg')
      // A connection that a firewall has forgotten is replaced.
      const pool = new pg.Pool({ connectionString: name, query_timeout: 3000, connectionTimeoutMillis: 3000 })
      pool.on('error', (error) => console.error(`PostgreSQL: ${error.message}`))
      const store = new PostgresStore({ pool })
      await store.migrate()
      return { store, close: () => pool.end() }
    }
    case 'mysql': {
      const { createPool } = await import('mysql2/promise')
      const pool = createPool({ uri: name, connectTimeout: 3000 })
      const store = new MySqlStore({ pool })
      await store.migrate()
      return { store, close: () => pool.end() }
    }
    default:
      throw new Error(
        `SESSION_STORE is memory, file:DIRECTORY, sqlite:FILE, redis://…, postgres://… or mysql://…, not ${scheme}:…`
      )
  }
}

/** On Node.js 22.13 and newer, `new DatabaseSync(file)` of `node:sqlite` works, too. */
async function openDatabase(file: string) {
  const { default: Database } = await import('better-sqlite3')
  return new Database(file)
}
