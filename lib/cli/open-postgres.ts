import { PostgresStore } from '../stores/postgres/index.ts'
import { readTable } from '../stores/postgres/options.ts'
import { importFirst } from './import-first.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'

const CONNECT_MILLISECONDS = 10_000

/** Opens the store in a database of PostgreSQL. */
export async function openPostgres({ address, table, schema, clock }: StoreAddress): Promise<OpenedStore> {
  const { Pool } = await importFirst('PostgreSQL', { pg: async () => (await import('pg')).default })
  const pool = new Pool({ connectionString: address, connectionTimeoutMillis: CONNECT_MILLISECONDS })
  // A connection that breaks while nobody uses it: the next statement says so.
  pool.on('error', () => {})
  const options = { pool, table, schema, pruneInterval: 0, clock }
  const store = new PostgresStore(options)
  return {
    store,
    migrate: () => store.migrate(),
    prune: () => store.prune(),
    async endAll() {
      const { rowCount } = await pool.query(`DELETE FROM ${readTable(options)}`)
      return Number(rowCount)
    },
    close: () => pool.end()
  }
}
