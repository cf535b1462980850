import type { RedisStoreOptions } from '../stores/redis/index.ts'
import { RedisStore } from '../stores/redis/index.ts'
import { importFirst } from './import-first.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'

const CONNECT_MILLISECONDS = 10_000

/** An open client. */
interface Connection {
  readonly client: RedisStoreOptions['client']
  close(): Promise<unknown>
}

/** The part of a client of ioredis, or of iovalkey, that is needed here. */
type Ioredis = RedisStoreOptions['client'] & {
  on(event: 'error', listener: (error: unknown) => void): unknown
  connect(): Promise<unknown>
  disconnect(): void
}

const IOREDIS_OPTIONS = {
  lazyConnect: true,
  connectTimeout: CONNECT_MILLISECONDS,
  maxRetriesPerRequest: 0,
  retryStrategy: () => null
}

type Connect = (url: string) => Promise<Connection>

/** What connects, by the package that it needs. */
export const REDIS_CLIENTS: Readonly<Record<'ioredis' | 'iovalkey' | 'redis', () => Promise<Connect>>> = {
  ioredis: async () => {
    const { Redis } = await import('ioredis')
    return connectorOfIoredis((url) => new Redis(url, IOREDIS_OPTIONS))
  },
  iovalkey: async () => {
    const { Redis } = await import('iovalkey')
    return connectorOfIoredis((url) => new Redis(url, IOREDIS_OPTIONS))
  },
  redis: async () => connectorOfNodeRedis(await import('redis'))
}

/** Opens the store in one server of Redis. `clients`: the first that is installed connects. */
export async function openRedis(
  { address, prefix, clock }: StoreAddress,
  clients: Readonly<Record<string, () => Promise<Connect>>> = REDIS_CLIENTS
): Promise<OpenedStore> {
  const connect = await importFirst('Redis', clients)
  const connection = await connect(address)
  const store = new RedisStore({ client: connection.client, prefix, clock })
  return { store, close: () => connection.close() }
}

/** `open`: returns a client of ioredis, or of iovalkey. */
function connectorOfIoredis(open: (url: string) => Ioredis): Connect {
  return async (url) => {
    const client = open(url)
    // `connect` says only that the connection is closed, and the event says why.
    let reason: unknown
    client.on('error', (error) => {
      reason ??= error
    })
    await client.connect().catch((error) => {
      throw reason ?? error
    })
    return { client, close: async () => client.disconnect() }
  }
}

function connectorOfNodeRedis({ createClient }: Pick<typeof import('redis'), 'createClient'>): Connect {
  return async (url) => {
    const client = createClient({ url, socket: { connectTimeout: CONNECT_MILLISECONDS, reconnectStrategy: false } })
    client.on('error', () => {})
    await client.connect()
    return { client, close: async () => client.destroy() }
  }
}
