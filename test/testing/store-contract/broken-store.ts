import type { MemoryStoreOptions } from '../../../lib/stores/memory.ts'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import type {
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  SessionStore,
  StoredRecord
} from '../../../types/store.ts'
import { later } from '../collect.ts'

export const NO_CHANGES: SessionChanges = { set: {}, unset: [] }

type Method =
  | 'create'
  | 'load'
  | 'commit'
  | 'touch'
  | 'destroy'
  | 'list'
  | 'destroyAll'
  | 'count'
  | 'entries'
  | 'destroyEverything'
  | 'listen'
type Rules = {
  [Name in Method]?: (store: MemoryStore, ...parameters: Parameters<NonNullable<SessionStore[Name]>>) => unknown
}

/** A MemoryStore with some methods replaced. The replacements get a sound store as `store`. */
export function broken(rules: Rules, options: (clock: () => number) => MemoryStoreOptions = (clock) => ({ clock })) {
  return (clock: () => number): MemoryStore => {
    const sound = new MemoryStore(options(clock))
    const store: Record<string, unknown> = {}
    for (const name of [
      'create',
      'load',
      'commit',
      'touch',
      'destroy',
      'list',
      'destroyAll',
      'count',
      'entries',
      'destroyEverything',
      'close',
      'publish',
      'listen'
    ] as const) {
      const rule = rules[name as Method] as ((...parameters: unknown[]) => unknown) | undefined
      const method = (...parameters: unknown[]): unknown =>
        (sound[name] as (...all: unknown[]) => unknown)(...parameters)
      store[name] = async (...parameters: unknown[]) =>
        rule === undefined ? method.call(sound, ...parameters) : rule(sound, ...parameters)
    }
    return store as unknown as MemoryStore
  }
}

/** Loads a record and changes some members. */
export async function altered(
  store: MemoryStore,
  key: string,
  change: (record: StoredRecord) => Partial<StoredRecord>
): Promise<StoredRecord | undefined> {
  const record = await store.load(key)
  return record && { ...record, ...change(record) }
}

/** A commit that loads the record, waits, and writes all members. */
export async function rewrite(
  store: MemoryStore,
  key: string,
  changes: SessionChanges,
  expiresAt: number
): Promise<void> {
  const record = await store.load(key)
  await later()
  const all = Object.entries(JSON.parse(record?.json ?? '{}')).map(([name, value]) => [name, JSON.stringify(value)])
  const set = { ...Object.fromEntries(all), ...changes.set }
  for (const name of changes.unset) delete set[name]
  const now = Object.keys(JSON.parse((await store.load(key))?.json ?? '{}'))
  await store.commit(key, { ...changes, set, unset: now.filter((name) => !(name in set)) }, expiresAt)
}

export async function countAndWait(
  store: MemoryStore,
  key: string,
  record: SessionRecord,
  expiresAt: number,
  limit?: OwnerLimit
): Promise<CreateResult> {
  if (limit === undefined) return store.create(key, record, expiresAt)
  const others = await store.list(record.ownerId as string)
  await later()
  if (others.length >= limit.max) return store.create(key, record, expiresAt, limit)
  return store.create(key, record, expiresAt)
}
