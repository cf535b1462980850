import { setMaxListeners } from 'node:events'
import { InvalidOptionError } from '../../errors.ts'
import { isFunction, isObject } from '../../util/check.ts'

/** How long a command of node-redis may wait to be sent: its own default since version 6. */
const PATIENCE_MILLISECONDS = 5000
// For so long, and so many of them, commands share a signal: to add one takes a walk along those that wait already.
const SHARING_MILLISECONDS = 1000
const SHARING_COMMANDS = 200

/** What the store calls of a client of ioredis: `Redis` or `Cluster`. */
export interface IoredisClient {
  hgetall(key: string): Promise<unknown>
  evalsha(sha: string, numkeys: number, ...values: string[]): Promise<unknown>
  eval(script: string, numkeys: number, ...values: string[]): Promise<unknown>
}

/** What the store calls of a client of node-redis (the package `redis`): a client, pool, cluster or sentinel. */
export interface NodeRedisClient extends NodeRedisCommands {
  withCommandOptions(options: { timeout: number; abortSignal: AbortSignal }): NodeRedisCommands
}

/** The commands of a client of node-redis that the store calls. */
export interface NodeRedisCommands {
  hGetAll(key: string): Promise<unknown>
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** A script of Redis. */
export interface Script {
  readonly source: string
  /** The SHA-1 of the source, in hexadecimal. */
  readonly sha: string
}

/** A hash: fields by name. */
export type Fields = Readonly<Record<string, unknown>>

/** What is asked of Redis, in one way, whatever the client. */
export interface RedisCommands {
  /** What a script on one key gives, all of it texts. */
  run(script: Script, name: string, values: readonly string[]): Promise<string[]>
  /** The fields of a hash, texts or buffers; none when there is no such key. */
  getAll(name: string): Promise<Fields>
}

/** Which client it is is seen here and never again. */
export function toCommands(client: unknown): RedisCommands {
  if (hasMethods<IoredisClient>(client, 'evalsha', 'eval', 'hgetall')) {
    const run = toCached(
      ({ sha }, name, values) => client.evalsha(sha, 1, name, ...values),
      ({ source }, name, values) => client.eval(source, 1, name, ...values)
    )
    return { run, getAll: (name) => client.hgetall(name).then(toFields) }
  }
  if (hasMethods<NodeRedisClient>(client, 'evalSha', 'eval', 'hGetAll', 'withCommandOptions')) {
    const sharing = shareSignals(client)
    const run = toCached(
      ({ sha }, name, values) => sharing().evalSha(sha, { keys: [name], arguments: [...values] }),
      ({ source }, name, values) => sharing().eval(source, { keys: [name], arguments: [...values] })
    )
    return { run, getAll: (name) => sharing().hGetAll(name).then(toFields) }
  }
  // Never what came: it could be a URL with a password in it.
  const given = client instanceof Promise ? 'a promise, which has to be awaited first' : 'something else'
  throw new InvalidOptionError(
    `The option client must be a client of ioredis or of node-redis; it is ${client === undefined ? 'missing' : given}.`
  )
}

function hasMethods<T>(value: unknown, ...names: readonly (string & keyof T)[]): value is T {
  return isObject(value) && names.every((name) => isFunction((value as T)[name]))
}

/**
 * The client, told how long its commands may wait to be sent. Left to itself, node-redis makes a signal for each command, which
 * may stay in memory for five seconds and costs, with its collection, more than the command.
 */
function shareSignals(client: NodeRedisClient): () => NodeRedisCommands {
  let commands: NodeRedisCommands = client
  let signal: AbortSignal | undefined
  let sharedUntil: number
  let left: number
  return () => {
    const now = performance.now()
    // One that has gone off, where time stands still: tests may do that.
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

/** Calls a script by its hash, and sends it where it is not known: after a start, a failover or a `SCRIPT FLUSH`. */
function toCached(callByHash: Call, callBySource: Call): RedisCommands['run'] {
  return async (script, name, values) => {
    let reply: unknown
    try {
      reply = await callByHash(script, name, values)
    } catch (error) {
      if (!(error instanceof Error && error.message.startsWith('NOSCRIPT'))) throw error
      reply = await callBySource(script, name, values)
    }
    // A client can be set to give buffers.
    return (reply as unknown[]).map(String)
  }
}

/**
 * Clients can be set to give a `Map` or a list, of pairs or flat, and buffers in place of texts. Anything else is refused: it must
 * not pass for a session that is not there.
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
    `The client must answer HGETALL with the fields of a hash; it gave ${reply === null ? 'null' : typeof reply}.`
  )
}
