import type { PostgresStoreOptions } from '../stores/postgres/index.ts'
import { PostgresStore } from '../stores/postgres/index.ts'
import { importFirst } from './import-first.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'

const CONNECT_MILLISECONDS = 10_000

/** An open client. */
interface Connection {
  readonly pool: PostgresStoreOptions['pool']
  readonly close: () => Promise<unknown>
}

type Connect = (url: string) => Connection

/** What connects, by the package that it needs. */
export const POSTGRES_CLIENTS: Readonly<Record<'pg' | 'postgres', () => Promise<Connect>>> = {
  pg: async () => connectorOfPg((await import('pg')).default),
  postgres: async () => connectorOfPostgresJs((await import('postgres')).default)
}

/** Opens the store in a database of PostgreSQL. `clients`: the first that is installed connects. */
export async function openPostgres(
  { address, table, schema, clock }: StoreAddress,
  clients: Readonly<Record<string, () => Promise<Connect>>> = POSTGRES_CLIENTS
): Promise<OpenedStore> {
  const connect = await importFirst('PostgreSQL', clients)
  const { pool, close } = connect(address)
  const store = new PostgresStore({ pool, table, schema, pruneInterval: 0, clock })
  return {
    store,
    migrate: () => store.migrate(),
    prune: () => store.prune(),
    close
  }
}

function connectorOfPg({ Pool }: Pick<typeof import('pg'), 'Pool'>): Connect {
  return (url) => {
    const pool = new Pool({ connectionString: url, connectionTimeoutMillis: CONNECT_MILLISECONDS })
    // A connection that breaks while nobody uses it: the next statement says so.
    pool.on('error', () => {})
    return { pool, close: () => pool.end() }
  }
}

function connectorOfPostgresJs(postgres: typeof import('postgres')): Connect {
  return (url) => {
    const pool = postgres(url, { connect_timeout: CONNECT_MILLISECONDS / 1000, onnotice: () => {} })
    return { pool, close: () => pool.end() }
  }
}
