import { HANDLE } from '../owners/sessions.ts'
import type { RedisStoreOptions } from '../stores/redis/index.ts'
import { RedisStore } from '../stores/redis/index.ts'
import { endEvery } from './end-every.ts'
import { importFirst } from './import-first.ts'
import type { OpenedStore, StoreAddress } from './opened-store.ts'

const CONNECT_MILLISECONDS = 10_000
const NAMES_AT_A_TIME = 1000

/** An open client, and a step through all names: it takes a cursor and returns the next one, `'0'` at the end. */
interface Connection {
  readonly client: RedisStoreOptions['client']
  scan(cursor: string, pattern: string): Promise<{ cursor: string; names: readonly string[] }>
  close(): Promise<unknown>
}

type Connect = (url: string) => Promise<Connection>

/** What connects, by the package that it needs. */
export const REDIS_CLIENTS: Readonly<Record<'ioredis' | 'redis', () => Promise<Connect>>> = {
  ioredis: async () => connectorOfIoredis(await import('ioredis')),
  redis: async () => connectorOfNodeRedis(await import('redis'))
}

/** Opens the store in one server of Redis. `clients`: the first that is installed connects. */
export async function openRedis(
  { address, prefix = 'session:', clock }: StoreAddress,
  clients: Readonly<Record<string, () => Promise<Connect>>> = REDIS_CLIENTS
): Promise<OpenedStore> {
  const connect = await importFirst('Redis', clients)
  const connection = await connect(address)
  const store = new RedisStore({ client: connection.client, prefix, clock })
  const pattern = `${prefix.replace(/[\\*?[\]^-]/g, '\\$&')}*`
  const keys = async function* (): AsyncGenerator<string> {
    let cursor = '0'
    do {
      const step = await connection.scan(cursor, pattern)
      // The indexes of owners have other names, and empty themselves.
      yield* step.names.map((name) => name.slice(prefix.length)).filter((key) => HANDLE.test(key))
      cursor = step.cursor
    } while (cursor !== '0')
  }
  return { store, endAll: () => endEvery(store, keys), close: () => connection.close() }
}

function connectorOfIoredis({ Redis }: Pick<typeof import('ioredis'), 'Redis'>): Connect {
  return async (url) => {
    const client = new Redis(url, {
      lazyConnect: true,
      connectTimeout: CONNECT_MILLISECONDS,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null
    })
    // `connect` says only that the connection is closed, and the event says why.
    let reason: unknown
    client.on('error', (error) => {
      reason ??= error
    })
    await client.connect().catch((error) => {
      throw reason ?? error
    })
    return {
      client: client as unknown as RedisStoreOptions['client'],
      async scan(cursor, pattern) {
        const [next, names] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', NAMES_AT_A_TIME)
        return { cursor: String(next), names: names.map(String) }
      },
      close: async () => client.disconnect()
    }
  }
}

function connectorOfNodeRedis({ createClient }: Pick<typeof import('redis'), 'createClient'>): Connect {
  return async (url) => {
    const client = createClient({ url, socket: { connectTimeout: CONNECT_MILLISECONDS, reconnectStrategy: false } })
    client.on('error', () => {})
    await client.connect()
    return {
      client: client as unknown as RedisStoreOptions['client'],
      async scan(cursor, pattern) {
        const { cursor: next, keys } = await client.scan(cursor, { MATCH: pattern, COUNT: NAMES_AT_A_TIME })
        return { cursor: String(next), names: keys.map(String) }
      },
      close: async () => client.destroy()
    }
  }
}
