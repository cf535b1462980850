import { isFunction, isObject } from '../../util/check.ts'

/** How the clients say that the server does not know a script: as the server does, or in the words of valkey-glide. */
const UNKNOWN_SCRIPT = /^NOSCRIPT|- NoScriptError:/

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
  /**
   * Asks the cluster for the nodes, so that `nodeOf` knows all of them. Only where the client does not show what it knows.
   */
  learnNodes?(): Promise<void>
}

/** Whether a value has all these methods. */
export function hasMethods<T>(value: unknown, ...names: readonly (string & keyof T)[]): value is T {
  return isObject(value) && names.every((name) => isFunction((value as T)[name]))
}

type Call = (script: Script, name: string, values: readonly string[]) => Promise<unknown>

/**
 * Calls a script by its hash. A server that does not know it (after a start, a failover or a `SCRIPT FLUSH`) gets its source.
 */
export function toCached(callByHash: Call, callBySource: Call): RedisCommands['run'] {
  return async (script, name, values) => {
    let reply: unknown
    try {
      reply = await callByHash(script, name, values)
    } catch (error) {
      if (!(error instanceof Error && UNKNOWN_SCRIPT.test(error.message))) throw error
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
export function toFields(reply: unknown): Fields {
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
