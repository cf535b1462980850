import type { MemoryStoreOptions } from '../../../lib/stores/memory.ts'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import type { SessionChanges, StoredRecord } from '../../../types/store.ts'
import { later } from '../collect.ts'

export type Opens = (clock: () => number) => MemoryStore

/** Opens stores of a subclass. */
export function by(Store: new (options: MemoryStoreOptions) => MemoryStore): Opens {
  return (clock) => new Store({ clock })
}

/** Remembers the first record that it loaded for each key. */
class Remembering extends MemoryStore {
  readonly first: Map<string, StoredRecord> = new Map()

  override load(key: string): StoredRecord | undefined {
    const record = super.load(key)
    if (record !== undefined && !this.first.has(key)) this.first.set(key, record)
    return record
  }

  /** Creates a destroyed record again. */
  async restore(key: string, expiresAt: number): Promise<void> {
    const record = this.first.get(key)
    if (record !== undefined) await super.create(key, record, expiresAt)
  }
}

export class Replacing extends MemoryStore {
  override async commit(key: string, changes: SessionChanges, ...rest: [number, number?]) {
    const old = Object.keys(JSON.parse((await super.load(key))?.json ?? '{}'))
    const { set } = changes
    return super.commit(key, { ...changes, unset: old.filter((name) => !(name in set)) }, ...rest)
  }
}

export class Merging extends MemoryStore {
  override async commit(key: string, changes: SessionChanges, ...rest: [number, number?]) {
    const old = JSON.parse((await super.load(key))?.json ?? '{}')
    const merge = (name: string, text: string): string => {
      const value = JSON.parse(text)
      return typeof value === 'object' ? JSON.stringify({ ...old[name], ...value }) : text
    }
    const set = Object.fromEntries(Object.entries(changes.set).map(([name, text]) => [name, merge(name, text)]))
    return super.commit(key, { ...changes, set }, ...rest)
  }
}

export class TouchWrites extends Remembering {
  override async touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    const members = Object.entries(JSON.parse(this.first.get(key)?.json ?? '{}'))
    const set = Object.fromEntries(members.map(([name, value]) => [name, JSON.stringify(value)]))
    return (await super.commit(key, { set, unset: [], lastSeenAt }, expiresAt)) === 'committed'
  }
}

export class RemovesNothing extends MemoryStore {
  override commit(key: string, changes: SessionChanges, ...rest: [number, number?]) {
    return super.commit(key, { ...changes, unset: [] }, ...rest)
  }
}

export class KeepsTombstones extends MemoryStore {
  readonly unset: Set<string> = new Set()

  override commit(key: string, changes: SessionChanges, ...rest: [number, number?]) {
    for (const name of changes.unset) this.unset.add(key + name)
    const set = Object.fromEntries(Object.entries(changes.set).filter(([name]) => !this.unset.has(key + name)))
    return super.commit(key, { ...changes, set }, ...rest)
  }
}

export class TouchRevives extends Remembering {
  override async touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    await this.restore(key, expiresAt)
    return super.touch(key, expiresAt, lastSeenAt)
  }
}

export class CommitRevives extends Remembering {
  override async commit(key: string, changes: SessionChanges, expiresAt: number, version?: number) {
    await this.restore(key, expiresAt)
    return super.commit(key, changes, expiresAt, version)
  }
}

export class MissesTheDead extends MemoryStore {
  override async destroy(key: string): Promise<void> {
    if ((await super.load(key)) === undefined) throw new Error('no such session')
    return super.destroy(key)
  }
}

export class Cached extends Remembering {
  override load(key: string): StoredRecord | undefined {
    return this.first.get(key) ?? super.load(key)
  }
}

export class DestroysNothing extends MemoryStore {
  override async destroy(): Promise<void> {}
}

export class SparesAll extends MemoryStore {
  override async destroyAll(ownerId: string): Promise<number> {
    return (await super.list(ownerId)).length - 1
  }
}

/** Its commit loads the record, waits, and writes the whole record. */
export class NotAtomic extends MemoryStore {
  override async commit(key: string, changes: SessionChanges, expiresAt: number, version?: number) {
    const record = await super.load(key)
    if (record === undefined) return 'gone'
    if (version !== undefined && version !== record.version) return 'conflict'
    await later()
    await super.destroy(key)
    await super.create(key, record, expiresAt)
    return super.commit(key, changes, expiresAt)
  }
}

export class OneByOne extends MemoryStore {
  override async commit(key: string, changes: SessionChanges, expiresAt: number) {
    for (const [name, text] of Object.entries(changes.set)) {
      // The second member takes longer for commits that came earlier.
      if (name === 'two') for (let turn = 0; turn < 9 - JSON.parse(text).by; turn++) await later()
      await super.commit(key, { set: { [name]: text }, unset: [] }, expiresAt)
    }
    return super.commit(key, { ...changes, set: {} }, expiresAt)
  }
}

export class IgnoresVersions extends MemoryStore {
  override commit(key: string, changes: SessionChanges, expiresAt: number) {
    return super.commit(key, changes, expiresAt)
  }
}

export class AlwaysCommits extends MemoryStore {
  override async commit(key: string, changes: SessionChanges, expiresAt: number) {
    await super.commit(key, changes, expiresAt)
    return 'committed' as const
  }
}

export class CountsFirst extends MemoryStore {
  override async create(...[key, record, expiresAt, limit]: Parameters<MemoryStore['create']>) {
    const { length } = record.ownerId === undefined ? [] : await super.list(record.ownerId)
    await later()
    if (limit !== undefined && length >= limit.max) return super.create(key, record, expiresAt, limit)
    return super.create(key, record, expiresAt)
  }
}
