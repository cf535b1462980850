/** Flat list: key, index of the next member, then the value and its content, depth first. */
export type Snapshot = readonly unknown[]

/** The changed keys (possibly none), in the order of the snapshot, or `unknown`: compare the JSON. */
export type Comparison = readonly string[] | 'unknown'

// See lib/data/storable.ts.
const hasOwn = Object.prototype.hasOwnProperty

/** Marks the end of an object, in place of a next key. */
const END = null

// Results of a comparison, in place of the index at which to continue.
const CHANGED = -1
const UNKNOWN = -2

/** Records what `JSON.parse` returned. To compare with it later costs a third of what comparing the JSON would. */
export function takeSnapshot(data: object): Snapshot {
  const snapshot: unknown[] = []
  for (const key in data) {
    if (!hasOwn.call(data, key)) continue
    const nextAt = snapshot.push(key, UNKNOWN) - 1
    addValue(snapshot, (data as Record<string, unknown>)[key])
    snapshot[nextAt] = snapshot.length
  }
  return snapshot
}

/**
 * The snapshot after a comparison that found some members `changed`. Most often that is one number or text: then the rest of the
 * snapshot stays as it is.
 */
export function updateSnapshot(snapshot: Snapshot, data: object, changed: readonly string[]): Snapshot {
  if (changed.length === 0) return snapshot
  const updated = snapshot.slice()
  let at = 0
  for (const key of changed) {
    while (updated[at] !== key) at = updated[at + 1] as number
    const hasContent = updated[at + 1] !== at + 3
    if (hasContent) return takeSnapshot(data)
    updated[at + 2] = (data as Record<string, unknown>)[key]
  }
  return updated
}

/**
 * Never wrong: whenever it cannot be sure, it returns `unknown`. It does so for a replaced object, added or removed members,
 * another order of keys, and values that JSON cannot hold.
 */
export function compareWithSnapshot(data: object, snapshot: Snapshot): Comparison {
  if (hasOwnJson(data)) return 'unknown'
  let changed: string[] | undefined
  let at = 0
  for (const key in data) {
    if (!hasOwn.call(data, key)) continue
    const value = (data as Record<string, unknown>)[key]
    // JSON leaves out undefined: then there may be no members.
    if (key !== snapshot[at] || value === undefined) return 'unknown'
    const end = compareValue(value, snapshot, at + 2)
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

/** Whether an object has a `toJSON`, which decides what its JSON is. */
function hasOwnJson(data: object): boolean {
  return (data as { toJSON?: unknown }).toJSON !== undefined
}

function isPrimitiveJson(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean' || value === null || Number.isFinite(value)
}
