import { isFunction } from '../../util/check.ts'

/** How many slots a cluster has. */
export const SLOTS = 16_384

/** What the clients of clusters show: who has each slot. `slots` of ioredis has addresses, the master's first. */
interface IoredisSlots {
  readonly isCluster: true
  readonly slots: readonly (readonly string[] | undefined)[]
  readonly options?: { readonly keyPrefix?: string | undefined } | undefined
}

interface NodeRedisSlots {
  readonly slots: readonly ({ readonly master?: { readonly address?: string } } | undefined)[]
}

/**
 * Returns a function that names the node of a key. It knows what the client knows, which may be outdated. Without a cluster
 * there is one node, whose name is empty.
 */
export function toNodeOf(client: object): (name: string) => string {
  if (isIoredisCluster(client)) {
    return (name) => client.slots[slotOf(`${client.options?.keyPrefix ?? ''}${name}`)]?.[0] ?? ''
  }
  if (isNodeRedisCluster(client)) return (name) => client.slots[slotOf(name)]?.master?.address ?? ''
  return () => ''
}

export function isCluster(client: object): boolean {
  return isIoredisCluster(client) || isNodeRedisCluster(client) || isGlideCluster(client)
}

export function isIoredisCluster(client: object): client is IoredisSlots {
  return 'isCluster' in client && client.isCluster === true && 'slots' in client && Array.isArray(client.slots)
}

function isNodeRedisCluster(client: object): client is NodeRedisSlots {
  return 'nodeClient' in client && isFunction(client.nodeClient)
}

/** Whether it is a `GlideClusterClient`, which does not show its slots. */
export function isGlideCluster(client: object): boolean {
  return 'invokeScriptWithRoute' in client
}

/** Returns the slot of a key: CRC16 of the key, or of what stands in its first braces (Redis cluster specification). */
export function slotOf(name: string): number {
  const open = name.indexOf('{')
  const close = name.indexOf('}', open)
  const tag = open >= 0 && close > open + 1 ? name.slice(open + 1, close) : name
  let crc = 0
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8
    for (let bit = 0; bit < 8; bit++) crc = crc & 0x80_00 ? (crc << 1) ^ 0x10_21 : crc << 1
  }
  return crc & 0x3f_ff
}
