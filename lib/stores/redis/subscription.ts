import { InvalidOptionError } from '../../errors.ts'
import { isString } from '../../util/check.ts'
import { hasMethods } from './commands.ts'
import { isIoredisCluster } from './node-of.ts'

type Listener = (...values: string[]) => void
type Note = (message: string) => void

interface Emitter {
  on(event: string, listener: Listener): unknown
  off(event: string, listener: Listener): unknown
}

/** A client of ioredis, or of iovalkey, which has the same methods. */
interface Ioredis extends Emitter {
  readonly status: string
  subscribe(channel: string): Promise<unknown>
  disconnect(): void
}

interface NodeRedis extends Emitter {
  connect(): Promise<unknown>
  subscribe(channel: string, listener: Note): Promise<unknown>
  unsubscribe(channel: string, listener: Note): Promise<unknown>
  destroy(): void
}

interface Duplicable {
  duplicate(...options: unknown[]): Emitter
}

/** One subscription, whatever the client. */
interface Ear {
  readonly emitter: Emitter
  /** The events that say that something may be missed from now on. */
  readonly losses: readonly string[]
  begin(): Promise<unknown>
  end(): void
}

type Open = (channel: string, onMessage: Note) => Ear

/** Hears what is published in a channel, until the function is called that it returns. `onLost`: it hears no more. */
export type Hear = (channel: string, onMessage: Note, onLost: () => void) => Promise<() => void>

/** What a client of ioredis does that is made for one purpose: it waits until it is connected, and connects once. */
const ONCE = {
  retryStrategy: null,
  sentinelRetryStrategy: null,
  enableOfflineQueue: true,
  maxRetriesPerRequest: null,
  lazyConnect: false
}

/**
 * Returns a function that hears what is published: by `subscriber`, or on a connection of its own like that of `client`. That one is
 * not made again by itself when it breaks, because it would have missed something.
 */
export function hearing(client: unknown, subscriber: unknown): Hear {
  const open = openerOf(client, subscriber)
  return async (channel, onMessage, onLost) => {
    let isOver = false
    const ear = open(channel, (message) => {
      if (!isOver) onMessage(message)
    })
    const stop = (): void => {
      isOver = true
      for (const event of ear.losses) ear.emitter.off(event, lose)
      ear.end()
    }
    const lose = (): void => {
      // What `connect()` of node-redis returns inherits from the client, and `off` of it leaves the last listener there.
      if (isOver) return
      stop()
      onLost()
    }
    try {
      await ear.begin()
    } catch (error) {
      ear.end()
      throw error
    }
    for (const event of ear.losses) ear.emitter.on(event, lose)
    return stop
  }
}

function openerOf(client: unknown, subscriber: unknown): Open {
  if (isIoredis(subscriber)) return (...values) => ioredisEar(subscriber, ...values, ignore)
  if (isNodeRedis(subscriber)) return (...values) => nodeRedisEar(subscriber, ...values)
  if (subscriber !== undefined) {
    throw new InvalidOptionError('The option subscriber must be a client of ioredis, iovalkey or node-redis.')
  }
  if (!hasMethods<Duplicable>(client, 'duplicate')) {
    throw new InvalidOptionError(
      'The client cannot open another connection, to hear what is new. Give it one, by the option subscriber.'
    )
  }
  return isIoredis(client)
    ? (...values) => ownIoredisEar(client, ...values)
    : (...values) => ownNodeRedisEar(client, ...values)
}

function ioredisEar(client: Ioredis, channel: string, onMessage: Note, close: () => void): Ear {
  const listener: Listener = (from, message) => {
    if (from === channel) onMessage(message as string)
  }
  client.on('message', listener)
  return {
    emitter: client,
    losses: ['close', 'end'],
    begin: () => client.subscribe(channel),
    end() {
      client.off('message', listener)
      close()
    }
  }
}

function ownIoredisEar(client: Duplicable, channel: string, onMessage: Note): Ear {
  const options = isIoredisCluster(client) ? [[], { clusterRetryStrategy: null }] : [ONCE]
  const own = client.duplicate(...options) as Ioredis
  // Its commands report it.
  own.on('error', ignore)
  return ioredisEar(own, channel, onMessage, () => own.disconnect())
}

function nodeRedisEar(client: NodeRedis, channel: string, onMessage: Note): Ear {
  return {
    emitter: client,
    losses: ['error', 'reconnecting', 'end'],
    begin: () => client.subscribe(channel, onMessage),
    end() {
      client.unsubscribe(channel, onMessage).catch(ignore)
    }
  }
}

function ownNodeRedisEar(client: Duplicable, channel: string, onMessage: Note): Ear {
  const { options } = client as { readonly options?: { readonly socket?: object } }
  const once = options?.socket === undefined ? [] : [{ socket: { ...options.socket, reconnectStrategy: false } }]
  const own = client.duplicate(...once) as NodeRedis
  own.on('error', ignore)
  return {
    ...nodeRedisEar(own, channel, onMessage),
    async begin() {
      await own.connect()
      await own.subscribe(channel, onMessage)
    },
    end: () => own.destroy()
  }
}

function isIoredis(client: unknown): client is Ioredis & Duplicable {
  return hasMethods<Ioredis>(client, 'subscribe', 'disconnect', 'on', 'off') && isString(client.status)
}

function isNodeRedis(client: unknown): client is NodeRedis {
  return hasMethods<NodeRedis>(client, 'subscribe', 'unsubscribe', 'destroy', 'on', 'off')
}

function ignore(): void {}
