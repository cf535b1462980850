import { PostgresStore } from '../stores/postgres/index.ts'
import { importFirst } from './import-first.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'

const CONNECT_MILLISECONDS = 10_000

/** Opens the store in a database of PostgreSQL. */
export async function openPostgres({ address, table, schema, clock }: StoreAddress): Promise<OpenedStore> {
  const { Pool } = await importFirst('PostgreSQL', { pg: async () => (await import('pg')).default })
  const pool = new Pool({ connectionString: address, connectionTimeoutMillis: CONNECT_MILLISECONDS })
  // A connection that breaks while nobody uses it: the next statement says so.
  pool.on('error', () => {})
  const store = new PostgresStore({ pool, table, schema, pruneInterval: 0, clock })
  return {
    store,
    migrate: () => store.migrate(),
    prune: () => store.prune(),
    close: () => pool.end()
  }
}
