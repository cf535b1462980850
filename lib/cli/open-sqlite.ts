import { existsSync } from 'node:fs'
import type { SqliteDatabase } from '../stores/sqlite/index.ts'
import { SqliteStore } from '../stores/sqlite/index.ts'
import { readTable } from '../stores/sqlite/options.ts'
import { usageError } from './cli-error.ts'
import { importFirst } from './import-first.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'

/** The part of a handle that both libraries have. */
interface Handle {
  prepare(sql: string): { get(...values: unknown[]): unknown }
  close(): unknown
}

type OpenHandle = new (path: string) => Handle

/** `node:sqlite`, or `better-sqlite3`. */
interface SqliteModule {
  readonly DatabaseSync?: OpenHandle
  readonly default: OpenHandle
}

/** Opens the store in a file of SQLite. */
export async function openSqlite({ address, table, mayCreate, clock }: StoreAddress): Promise<OpenedStore> {
  if (!mayCreate && !existsSync(address)) throw usageError('--store names a file that does not exist.')
  const database = await openDatabase(address)
  try {
    const name = readTable({ table })
    if (!mayCreate && !hasTable(database, name)) {
      throw usageError(`The database has no table ${JSON.stringify(name)}. Run migrate, or say its name by --table.`)
    }
    const store = new SqliteStore({ database: database as unknown as SqliteDatabase, table, pruneInterval: 0, clock })
    return {
      store,
      // The store has made the table already.
      async migrate() {},
      prune: () => store.prune(),
      close: async () => database.close()
    }
  } catch (error) {
    database.close()
    throw error
  }
}

async function openDatabase(path: string): Promise<Handle> {
  // Node.js has it since 22.5, which its types for Node.js 20 do not know.
  const builtIn: string = 'node:sqlite'
  const { DatabaseSync, default: BetterSqlite } = await importFirst<SqliteModule>('SQLite', {
    'node:sqlite': () => import(builtIn),
    'better-sqlite3': () => import('better-sqlite3') as unknown as Promise<SqliteModule>
  })
  const Database = DatabaseSync ?? BetterSqlite
  return new Database(path)
}

function hasTable(database: Handle, name: string): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== undefined
}
