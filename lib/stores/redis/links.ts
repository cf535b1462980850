import { InvalidOptionError } from '../../errors.ts'
import { hasMethods } from './commands.ts'
import { isIoredisCluster } from './node-of.ts'

/** A connection of our own to one node. It never connects again: another connection would confirm what this one has written. */
export interface Link {
  isOpen(): boolean
  /** Runs a script with one argument on each of these keys, then waits. Returns how many replicas have what it wrote. */
  confirm(
    source: string,
    names: readonly string[],
    argument: string,
    replicas: number,
    milliseconds: number
  ): Promise<number>
  close(): void
}

/** The part of a client of ioredis, or of iovalkey, that is needed here. */
interface Ioredis {
  readonly status: string
  readonly options: { readonly host?: string; readonly port?: number }
  duplicate(options: object): Ioredis
  on(event: 'error', listener: () => void): unknown
  eval(script: string, numkeys: number, ...values: string[]): Promise<unknown>
  wait(replicas: number, milliseconds: number): Promise<unknown>
  disconnect(): void
}

interface IoredisCluster {
  readonly options: { readonly keyPrefix?: string | undefined }
  nodes(role: 'master'): readonly Ioredis[]
}

/** The part of a client that `createClient` of node-redis returns. */
interface NodeRedis {
  readonly isReady: boolean
  readonly options: { readonly socket?: object }
  duplicate(options: object): NodeRedis
  connect(): Promise<unknown>
  on(event: 'error', listener: () => void): unknown
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  wait(replicas: number, milliseconds: number): Promise<unknown>
  destroy(): void
}

/** Returns a function that opens a link to a node. Throws an `InvalidOptionError` for a client that offers no such connection. */
export function openerOf(client: object): (node: string) => Promise<Link> {
  if (isIoredisCluster(client) && hasMethods<IoredisCluster>(client, 'nodes')) {
    return async (node) => {
      const master = client.nodes('master').find(({ options }) => `${options.host}:${options.port}` === node)
      if (master === undefined) throw new Error('The client has no connection to the node of the session.')
      return openIoredis(master, client.options.keyPrefix ?? '')
    }
  }
  // A pool, a cluster and a sentinel of node-redis have one of these, and choose a connection for each command.
  const choosesConnections = ['execute', 'nodeClient', 'use'].some((name) => name in client)
  if (!choosesConnections) {
    if (hasMethods<NodeRedis>(client, 'duplicate', 'connect', 'wait', 'destroy')) return () => openNodeRedis(client)
    if (hasMethods<Ioredis>(client, 'duplicate', 'wait', 'disconnect')) return async () => openIoredis(client, '')
  }
  throw new InvalidOptionError(
    'The option waitForReplicas needs a client of ioredis or iovalkey, or one that createClient() of node-redis has returned: Redis tells the connection that wrote, and no other, how many replicas have it.'
  )
}

function openIoredis(client: Ioredis, prefix: string): Link {
  // The commands wait until the connection is ready. If it breaks, they fail.
  const own = client.duplicate({
    retryStrategy: null,
    enableOfflineQueue: true,
    maxRetriesPerRequest: null,
    lazyConnect: false
  })
  // Its commands report it.
  own.on('error', () => {})
  let isClosed = false
  return {
    isOpen: () => !isClosed && own.status !== 'end',
    async confirm(source, names, argument, replicas, milliseconds) {
      const writes = names.map((name) => own.eval(source, 1, prefix + name, argument))
      return lastOf([...writes, own.wait(replicas, milliseconds)])
    },
    close() {
      isClosed = true
      own.disconnect()
    }
  }
}

async function openNodeRedis(client: NodeRedis): Promise<Link> {
  const own = client.duplicate({ socket: { ...client.options.socket, reconnectStrategy: false } })
  own.on('error', () => {})
  await own.connect()
  return {
    isOpen: () => own.isReady,
    async confirm(source, names, argument, replicas, milliseconds) {
      const writes = names.map((name) => own.eval(source, { keys: [name], arguments: [argument] }))
      return lastOf([...writes, own.wait(replicas, milliseconds)])
    },
    close: () => own.destroy()
  }
}

async function lastOf(replies: readonly Promise<unknown>[]): Promise<number> {
  return Number((await Promise.all(replies)).at(-1))
}
