/**
 * Of each member of JSON data the key, where the next one is, and the value, followed by what is inside it, in the order of a
 * walk.
 */
export type Snapshot = readonly unknown[]

/** The keys of the members that have changed, be it none; `unknown` leaves it to their JSON. */
export type Comparison = readonly string[] | 'unknown'

// See lib/data/storable.ts.
const hasOwn = Object.prototype.hasOwnProperty

/** Stands where the next key would be. */
const END = null

// Instead of the position to go on from.
const CHANGED = -1
const UNKNOWN = -2

/** Notes what `JSON.parse` gave: to compare with it later costs a third of what their JSON would. */
export function takeSnapshot(data: Readonly<Record<string, unknown>>): Snapshot {
  const snapshot: unknown[] = []
  for (const key in data) {
    if (!hasOwn.call(data, key)) continue
    const nextAt = snapshot.push(key, UNKNOWN) - 1
    addValue(snapshot, data[key])
    snapshot[nextAt] = snapshot.length
  }
  return snapshot
}

/**
 * What it tells is certain. An object that another has replaced, members that came or went, another order of keys, or what JSON
 * cannot hold are `unknown`.
 */
export function compareWithSnapshot(data: object, snapshot: Snapshot): Comparison {
  if (hasOwnJson(data)) return 'unknown'
  let changed: string[] | undefined
  let at = 0
  for (const key in data) {
    if (!hasOwn.call(data, key)) continue
    if (key !== snapshot[at]) return 'unknown'
    const end = compareValue((data as Record<string, unknown>)[key], snapshot, at + 2)
    if (end === UNKNOWN) return 'unknown'
    if (end === CHANGED) {
      // Most often there is none or one: an array of one costs less than one that grows.
      if (changed === undefined) changed = [key]
      else changed.push(key)
    }
    at = snapshot[at + 1] as number
  }
  return at === snapshot.length ? (changed ?? []) : 'unknown'
}

function addValue(snapshot: unknown[], value: unknown): void {
  snapshot.push(value)
  if (typeof value !== 'object' || value === null) return
  if (Array.isArray(value)) {
    snapshot.push(value.length)
    for (const item of value) addValue(snapshot, item)
    return
  }
  for (const key in value) {
    if (!hasOwn.call(value, key)) continue
    snapshot.push(key)
    addValue(snapshot, (value as Record<string, unknown>)[key])
  }
  snapshot.push(END)
}

function compareMembers(data: object, snapshot: Snapshot, from: number): number {
  if (hasOwnJson(data)) return UNKNOWN
  let at = from
  for (const key in data) {
    if (!hasOwn.call(data, key)) continue
    if (key !== snapshot[at]) return UNKNOWN
    at = compareValue((data as Record<string, unknown>)[key], snapshot, at + 1)
    if (at < 0) return at
  }
  return snapshot[at] === END ? at + 1 : UNKNOWN
}

function compareItems(items: readonly unknown[], snapshot: Snapshot, from: number): number {
  if (items.length !== snapshot[from] || hasOwnJson(items)) return UNKNOWN
  let at = from + 1
  for (let index = 0; index < items.length && at >= 0; index++) at = compareValue(items[index], snapshot, at)
  return at
}

function compareValue(value: unknown, snapshot: Snapshot, at: number): number {
  if (value !== snapshot[at]) return isPrimitiveJson(value) ? CHANGED : UNKNOWN
  if (typeof value !== 'object' || value === null) return at + 1
  return Array.isArray(value) ? compareItems(value, snapshot, at + 1) : compareMembers(value, snapshot, at + 1)
}

/** Whether data say themselves what their JSON is. */
function hasOwnJson(data: object): boolean {
  return (data as { toJSON?: unknown }).toJSON !== undefined
}

function isPrimitiveJson(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)
}
