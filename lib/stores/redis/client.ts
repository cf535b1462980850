import { setMaxListeners } from 'node:events'
import { InvalidOptionError } from '../../errors.ts'
import { isFunction, isObject, isString } from '../../util/check.ts'
import { toNodeOf } from './node-of.ts'

/** How long a command of node-redis may wait until it is sent. This is the default of node-redis since version 6. */
const PATIENCE_MILLISECONDS = 5000
// At most this long, and at most this many, commands share one signal: adding a listener takes a walk along all listeners.
const SHARING_MILLISECONDS = 1000
const SHARING_COMMANDS = 200

const IOREDIS_METHODS = ['evalsha', 'eval', 'hgetall'] as const
const NODE_REDIS_METHODS = ['evalSha', 'eval', 'hGetAll'] as const

/** The part of a client of ioredis or iovalkey (`Redis` or `Cluster`) that the store calls. */
export interface IoredisClient {
  /** The state of its connection, which what only imitates ioredis does not have. */
  readonly status: string
  hgetall(key: string): Promise<unknown>
  evalsha(sha: string, numkeys: number, ...values: string[]): Promise<unknown>
  eval(script: string, numkeys: number, ...values: string[]): Promise<unknown>
  /** Used once, to learn whether Redis removes sessions when its memory is full. */
  info?(section: string): Promise<unknown>
}

/** The part of a client of node-redis (the package `redis`) that the store calls. It is a client, pool, cluster or sentinel. */
export interface NodeRedisClient extends NodeRedisCommands {
  withCommandOptions(options: { timeout: number; abortSignal: AbortSignal }): NodeRedisCommands
}

/** The commands of a client of node-redis that the store calls. */
export interface NodeRedisCommands {
  hGetAll(key: string): Promise<unknown>
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  /** See `IoredisClient`. */
  info?(section: string): Promise<unknown>
}

/** A script of Redis. */
export interface Script {
  readonly source: string
  /** The SHA-1 of the source, in hexadecimal. */
  readonly sha: string
}

/** The fields of a hash, by name. */
export type Fields = Readonly<Record<string, unknown>>

/** The commands of the store, the same for every client. */
export interface RedisCommands {
  /** Runs a script on one key and returns its reply as strings. */
  run(script: Script, name: string, values: readonly string[]): Promise<string[]>
  /** Returns the fields of a hash, as strings or buffers; no fields if there is no such key. */
  getAll(name: string): Promise<Fields>
  /** Returns what Redis tells of its memory; of one node, in a cluster. */
  memoryInfo(): Promise<string>
  /** Names the node of a cluster that has a key, as far as the client knows. */
  nodeOf(name: string): string
}

/** Recognizes the client by its methods. No other part of the store knows which client it is. */
export function toCommands(client: unknown): RedisCommands {
  if (hasMethods<IoredisClient>(client, ...IOREDIS_METHODS) && isString(client.status)) {
    const run = toCached(
      ({ sha }, name, values) => client.evalsha(sha, 1, name, ...values),
      ({ source }, name, values) => client.eval(source, 1, name, ...values)
    )
    return {
      run,
      getAll: (name) => client.hgetall(name).then(toFields),
      memoryInfo: async () => String(await client.info?.('memory')),
      nodeOf: toNodeOf(client)
    }
  }
  if (hasMethods<NodeRedisClient>(client, ...NODE_REDIS_METHODS, 'withCommandOptions')) {
    const sharing = shareSignals(client)
    const run = toCached(
      ({ sha }, name, values) => sharing().evalSha(sha, { keys: [name], arguments: [...values] }),
      ({ source }, name, values) => sharing().eval(source, { keys: [name], arguments: [...values] })
    )
    return {
      run,
      getAll: (name) => sharing().hGetAll(name).then(toFields),
      memoryInfo: async () => String(await sharing().info?.('memory')),
      nodeOf: toNodeOf(client)
    }
  }
  throw new InvalidOptionError(
    `The option client must be a client of ioredis, iovalkey or node-redis; it is ${describe(client)}.`
  )
}

/** Says what a wrong client is. Does not show it: it could be a URL that contains a password. */
function describe(client: unknown): string {
  if (client === undefined) return 'missing'
  if (client instanceof Promise) return 'a promise, which must be awaited first'
  if (hasMethods<NodeRedisClient>(client, ...NODE_REDIS_METHODS)) {
    return 'a client of redis 4 or older: install redis 5 or later'
  }
  if (hasMethods<IoredisClient>(client, ...IOREDIS_METHODS)) {
    return 'something that has its methods and is no client of ioredis: @upstash/redis (use ioredis with the rediss:// address of the same database), ioredis-mock (use a MemoryStore in tests) or redis 3'
  }
  return 'something else'
}

/** Whether a value has all these methods. */
export function hasMethods<T>(value: unknown, ...names: readonly (string & keyof T)[]): value is T {
  return isObject(value) && names.every((name) => isFunction((value as T)[name]))
}

/**
 * Returns the client with a limit of how long its commands may wait until they are sent. By default, node-redis makes an
 * `AbortSignal` for each command, which may stay in memory for five seconds and costs more than the command.
 */
function shareSignals(client: NodeRedisClient): () => NodeRedisCommands {
  let commands: NodeRedisCommands = client
  let signal: AbortSignal | undefined
  let sharedUntil: number
  let left: number
  return () => {
    const now = performance.now()
    // A signal can be aborted although no time has passed, if a test has stopped the clock.
    if (signal === undefined || signal.aborted || left === 0 || now >= sharedUntil) {
      sharedUntil = now + SHARING_MILLISECONDS
      left = SHARING_COMMANDS
      signal = AbortSignal.timeout(PATIENCE_MILLISECONDS)
      setMaxListeners(0, signal)
      commands = client.withCommandOptions({ timeout: 0, abortSignal: signal })
    }
    left--
    return commands
  }
}

type Call = (script: Script, name: string, values: readonly string[]) => Promise<unknown>

/**
 * Calls a script by its hash. A server that does not know it (after a start, a failover or a `SCRIPT FLUSH`) gets its source.
 */
function toCached(callByHash: Call, callBySource: Call): RedisCommands['run'] {
  return async (script, name, values) => {
    let reply: unknown
    try {
      reply = await callByHash(script, name, values)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      reply = await callBySource(script, name, values)
    }
    // A client can be configured to return buffers.
    return (reply as unknown[]).map(String)
  }
}

/**
 * Clients can be configured to return a `Map`, a list of pairs or a flat list, and buffers instead of strings. Any other reply
 * is an error, because it must not look like a missing session.
 */
function toFields(reply: unknown): Fields {
  if (reply instanceof Map || Array.isArray(reply)) {
    const list = [...reply].flat()
    const fields: Record<string, unknown> = Object.create(null)
    for (let index = 0; index < list.length; index += 2) fields[String(list[index])] = list[index + 1]
    return fields
  }
  if (isObject(reply)) return reply as Fields
  throw new TypeError(
    `The client must answer HGETALL with the fields of a hash; it returned ${reply === null ? 'null' : typeof reply}.`
  )
}
