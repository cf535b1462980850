import type { RedisCommands } from './commands.ts'
import { hasMethods, toCached, toFields } from './commands.ts'
import { isGlideCluster, SLOTS, slotOf } from './node-of.ts'

/** What is known of the nodes of a cluster is asked for again after this time. */
const OUTDATED_MILLISECONDS = 5000

/** The part of a client of valkey-glide (`GlideClient` or `GlideClusterClient`) that the store calls. */
export interface ValkeyGlideClient {
  /** Sends a command, in a cluster to the node of its key. */
  customCommand(command: string[]): Promise<unknown>
  hgetall(key: string): Promise<unknown>
}

/** ioredis-mock has the first two methods. The store does not call the third, which takes a class of the package. */
export function isGlide(client: unknown): client is ValkeyGlideClient {
  return hasMethods<ValkeyGlideClient & { invokeScript(): unknown }>(client, 'customCommand', 'hgetall', 'invokeScript')
}

/** Returns the commands of the store by a client of valkey-glide. */
export function fromGlide(client: ValkeyGlideClient): RedisCommands {
  const run = toCached(
    ({ sha }, name, values) => client.customCommand(['EVALSHA', sha, '1', name, ...values]),
    ({ source }, name, values) => client.customCommand(['EVAL', source, '1', name, ...values])
  )
  const commands: RedisCommands = {
    run,
    getAll: async (name) => toFields(toPairs(await client.hgetall(name))),
    memoryInfo: async () => textOf(await client.customCommand(['INFO', 'memory'])),
    nodeOf: () => ''
  }
  if (!isGlideCluster(client)) return commands
  const nodes = new GlideNodes(client)
  return {
    ...commands,
    run(script, name, values) {
      nodes.keepUpToDate()
      return run(script, name, values)
    },
    nodeOf: (name) => nodes.nodeOf(name),
    learnNodes: () => nodes.learn()
  }
}

/** Which node of a cluster has which slot. The client knows it too, and shows it to nobody. */
class GlideNodes {
  readonly #client: ValkeyGlideClient
  /** The id of the master of each slot. */
  #masters: readonly (string | undefined)[] = []
  #askedAt: number = Number.NEGATIVE_INFINITY

  constructor(client: ValkeyGlideClient) {
    this.#client = client
  }

  /** Before the nodes are known, each slot counts as a node of its own. */
  nodeOf(name: string): string {
    const slot = slotOf(name)
    return this.#masters[slot] ?? `slot ${slot}`
  }

  /** Nobody waits for the answer: what is outdated costs a command that is sent once more. */
  keepUpToDate(): void {
    if (performance.now() - this.#askedAt >= OUTDATED_MILLISECONDS) this.learn().catch(() => {})
  }

  /** Rejects if a slot has no master. */
  async learn(): Promise<void> {
    this.#askedAt = performance.now()
    const masters: (string | undefined)[] = Array.from({ length: SLOTS })
    for (const [first, last, [, , id]] of (await this.#client.customCommand(['CLUSTER', 'SLOTS'])) as SlotRange[]) {
      masters.fill(String(id), Number(first), Number(last) + 1)
    }
    this.#masters = masters
    if (masters.includes(undefined)) throw new Error('The client does not know all nodes of the cluster.')
  }
}

/** What `CLUSTER SLOTS` tells of neighbouring slots; replicas follow. */
type SlotRange = readonly [first: unknown, last: unknown, master: readonly [host: unknown, port: unknown, id: unknown]]

/** The client gives a hash as a list of objects, because a name may be a buffer. */
function toPairs(reply: unknown): unknown {
  if (!Array.isArray(reply)) return reply
  return reply.map(({ field, value }: { field: unknown; value: unknown }) => [field, value])
}

/** A cluster answers with a list: each node and what it says. */
function textOf(reply: unknown): string {
  return String(Array.isArray(reply) ? (reply[0] as { value: unknown }).value : reply)
}
