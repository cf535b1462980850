import { MySqlStore } from '../stores/mysql/index.ts'
import { importFirst } from './import-first.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'

const CONNECT_MILLISECONDS = 10_000

/** Opens the store in a database of MariaDB or MySQL. */
export async function openMySql({ address, table, schema, clock }: StoreAddress): Promise<OpenedStore> {
  const { createPool } = await importFirst('MySQL', { mysql2: () => import('mysql2/promise') })
  // `mysql2` knows no other scheme.
  const uri = address.replace(/^mariadb:/i, 'mysql:')
  const pool = createPool({ uri, connectTimeout: CONNECT_MILLISECONDS })
  const store = new MySqlStore({ pool, table, schema, pruneInterval: 0, clock })
  return {
    store,
    migrate: () => store.migrate(),
    prune: () => store.prune(),
    close: () => pool.end()
  }
}
