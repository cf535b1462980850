import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import type { MemoryStoreOptions } from '../../lib/stores/memory.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import type { RaceSuite } from '../../lib/testing/race-suite.ts'
import { testRaces } from '../../lib/testing/race-suite.ts'
import type { SessionChanges, SessionStore, StoredRecord } from '../../types/store.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The tests of the suite, not run yet. */
function collect(suite: Omit<RaceSuite, 'test'>): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>()
  testRaces({ ...suite, test: (name, run) => tests.set(name, run) })
  return tests
}

/** A later turn, in which others have had theirs. */
function later(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

t.test('under tap', async (t) => {
  testRaces({
    test: (name, run) => t.test(name, run),
    open: (clock, other) => other ?? new MemoryStore({ clock })
  })
})

t.test('under node:test', async (t) => {
  const directory = t.testdir({
    'races.test.ts': `
      import { test } from 'node:test'
      import { MemoryStore } from ${JSON.stringify(join(ROOT, 'lib/index.ts'))}
      import { testRaces } from ${JSON.stringify(join(ROOT, 'lib/testing/index.ts'))}

      testRaces({ test, open: (clock, other) => other ?? new MemoryStore({ clock }) })
    `
  })
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env
  const strip = join(ROOT, 'test/helpers/strip-types.mjs')
  const parameters = [`--import=${strip}`, '--test', '--test-reporter=tap', join(directory, 'races.test.ts')]
  const { status, stdout } = spawnSync(process.execPath, parameters, { env, encoding: 'utf8' })
  t.equal(status, 0, stdout)
  for (const name of collect({ open: () => new MemoryStore() }).keys()) t.ok(stdout.includes(`- ${name}\n`), name)
})

t.test('what a store is known not to do is left out, and said to be', async (t) => {
  const open = (): never => t.fail('no store is needed') as never
  const all = [...collect({ open }).keys()]
  for (const [weakness, least] of [
    ['atomicity', 8],
    ['owners', 3]
  ] as const) {
    const tests = collect({ open, without: [weakness] })
    const left = [...tests].filter(([name]) => name.startsWith(`left out (${weakness}): `))
    t.ok(left.length >= least)
    for (const [, run] of left) await run()
    t.same(
      [...tests.keys()].map((name) => name.replace(`left out (${weakness}): `, '')),
      all,
      'the others stay'
    )
  }
})

t.test('each application has a store, on one clock, and each store is closed once', async (t) => {
  const name = 'a session that expires while a request writes is gone'
  const clocks = new Set<() => number>()
  const shared: (SessionStore | undefined)[] = []
  const closed: SessionStore[] = []
  const open = (clock: () => number, other?: SessionStore): SessionStore => {
    clocks.add(clock)
    shared.push(other)
    return other ?? new MemoryStore({ clock })
  }
  await collect({ open, close: (store) => closed.push(store) }).get(name)?.()
  t.equal(clocks.size, 1)
  t.equal(shared.length, 2)
  t.same(shared, [undefined, closed[0]])
  t.equal(closed.length, 1)

  // Two stores with nothing in common are refused, for the same reason: a browser is at home in both applications.
  closed.length = 0
  const apart = collect({ open: (clock) => new MemoryStore({ clock }), close: (store) => closed.push(store) })
  await t.rejects(apart.get(name)?.() as Promise<void>)
  t.equal(closed.length, 2)
})

t.test('no test waits for ever, whatever the store does', async (t) => {
  class Forgetful extends MemoryStore {
    override async load(): Promise<undefined> {
      return undefined
    }
  }
  class Down extends MemoryStore {
    override async load(): Promise<never> {
      throw new Error('out of order')
    }
  }
  for (const Store of [Forgetful, Down]) {
    for (const [name, run] of collect({ open: (clock, other) => other ?? new Store({ clock }) })) {
      await t.rejects(run(), { code: 'ERR_ASSERTION' }, name)
    }
  }
})

type Opens = (clock: () => number) => MemoryStore

/** A MemoryStore that is used through a subclass. */
function by(Store: new (options: MemoryStoreOptions) => MemoryStore): Opens {
  return (clock) => new Store({ clock })
}

/** Remembers what there once was. */
class Remembering extends MemoryStore {
  readonly first: Map<string, StoredRecord> = new Map()

  override async load(key: string): Promise<StoredRecord | undefined> {
    const record = await super.load(key)
    if (record !== undefined && !this.first.has(key)) this.first.set(key, record)
    return record
  }

  /** Puts a record back that has been destroyed. */
  async restore(key: string, expiresAt: number): Promise<void> {
    const record = this.first.get(key)
    if (record !== undefined) await super.create(key, record, expiresAt)
  }
}

class Replacing extends MemoryStore {
  override async commit(key: string, changes: SessionChanges, ...rest: [number, number?]) {
    const old = Object.keys(JSON.parse((await super.load(key))?.json ?? '{}'))
    const { set } = changes
    return super.commit(key, { ...changes, unset: old.filter((name) => !(name in set)) }, ...rest)
  }
}

class Merging extends MemoryStore {
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

class TouchWrites extends Remembering {
  override async touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    const members = Object.entries(JSON.parse(this.first.get(key)?.json ?? '{}'))
    const set = Object.fromEntries(members.map(([name, value]) => [name, JSON.stringify(value)]))
    return (await super.commit(key, { set, unset: [], lastSeenAt }, expiresAt)) === 'committed'
  }
}

class RemovesNothing extends MemoryStore {
  override commit(key: string, changes: SessionChanges, ...rest: [number, number?]) {
    return super.commit(key, { ...changes, unset: [] }, ...rest)
  }
}

class KeepsTombstones extends MemoryStore {
  readonly unset: Set<string> = new Set()

  override commit(key: string, changes: SessionChanges, ...rest: [number, number?]) {
    for (const name of changes.unset) this.unset.add(key + name)
    const set = Object.fromEntries(Object.entries(changes.set).filter(([name]) => !this.unset.has(key + name)))
    return super.commit(key, { ...changes, set }, ...rest)
  }
}

class TouchRevives extends Remembering {
  override async touch(key: string, expiresAt: number, lastSeenAt?: number): Promise<boolean> {
    await this.restore(key, expiresAt)
    return super.touch(key, expiresAt, lastSeenAt)
  }
}

class CommitRevives extends Remembering {
  override async commit(key: string, changes: SessionChanges, expiresAt: number, version?: number) {
    await this.restore(key, expiresAt)
    return super.commit(key, changes, expiresAt, version)
  }
}

class MissesTheDead extends MemoryStore {
  override async destroy(key: string): Promise<void> {
    if ((await super.load(key)) === undefined) throw new Error('no such session')
    return super.destroy(key)
  }
}

class Cached extends Remembering {
  override async load(key: string): Promise<StoredRecord | undefined> {
    return this.first.get(key) ?? super.load(key)
  }
}

class DestroysNothing extends MemoryStore {
  override async destroy(): Promise<void> {}
}

class SparesAll extends MemoryStore {
  override async destroyAll(ownerId: string): Promise<number> {
    return (await super.list(ownerId)).length - 1
  }
}

/** Reads, waits, and writes the whole of it. */
class NotAtomic extends MemoryStore {
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

class OneByOne extends MemoryStore {
  override async commit(key: string, changes: SessionChanges, expiresAt: number) {
    for (const [name, text] of Object.entries(changes.set)) {
      // The later ones of a commit take longer for those who came first.
      if (name === 'two') for (let turn = 0; turn < 9 - JSON.parse(text).by; turn++) await later()
      await super.commit(key, { set: { [name]: text }, unset: [] }, expiresAt)
    }
    return super.commit(key, { ...changes, set: {} }, expiresAt)
  }
}

class IgnoresVersions extends MemoryStore {
  override commit(key: string, changes: SessionChanges, expiresAt: number) {
    return super.commit(key, changes, expiresAt)
  }
}

class AlwaysCommits extends MemoryStore {
  override async commit(key: string, changes: SessionChanges, expiresAt: number) {
    await super.commit(key, changes, expiresAt)
    return 'committed' as const
  }
}

class CountsFirst extends MemoryStore {
  override async create(...[key, record, expiresAt, limit]: Parameters<MemoryStore['create']>) {
    const { length } = record.ownerId === undefined ? [] : await super.list(record.ownerId)
    await later()
    if (limit !== undefined && length >= limit.max) return super.create(key, record, expiresAt, limit)
    return super.create(key, record, expiresAt)
  }
}

/** What is wrong with a store, and the test that has to say so. */
const BROKEN: readonly (readonly [what: string, open: Opens, ...tests: string[]])[] = [
  [
    'a commit replaces all members',
    by(Replacing),
    'a request that ends late keeps what others wrote to other keys',
    'a request that removes the last key it knows of keeps what others wrote'
  ],
  ['a commit merges objects', by(Merging), 'of writes to one key, the last one counts, and whole'],
  ['a touch writes data', by(TouchWrites), 'a request that only reads takes nothing back'],
  [
    'a commit removes nothing',
    by(RemovesNothing),
    'a deletion and a write to another key both count, whoever ends first'
  ],
  ['what was removed stays so', by(KeepsTombstones), 'of a deletion and a write of one key, the last one counts'],
  ['a touch brings back', by(TouchRevives), 'a slow reader brings no destroyed session back'],
  [
    'a commit brings back',
    by(CommitRevives),
    'a slow writer brings no destroyed session back',
    'what comes under the old id after the new one is gone',
    'a session that began anew gets nothing from the old one',
    'a logout among readers and writers is final'
  ],
  ['to destroy nothing is an error', by(MissesTheDead), 'a session that is destroyed twice at once is destroyed'],
  ['loads come from a cache', by(Cached), 'a new id takes along what was written under the old one'],
  [
    'nothing is destroyed',
    by(DestroysNothing),
    'a logout that began before the new id is final when it ends first',
    'a logout among readers and writers is final'
  ],
  [
    'nothing expires',
    () => new MemoryStore({ clock: () => 0 }),
    'a session that expires while a request writes is gone'
  ],
  ['destroyAll does nothing', by(SparesAll), 'a session that its owner ended elsewhere stays so'],
  [
    'a commit reads, waits and writes everything',
    by(NotAtomic),
    'writes to different keys at once are all kept',
    'updates and plain writes to other keys at once are all kept',
    'what is acknowledged while the id changes moves along'
  ],
  ['a commit goes member by member', by(OneByOne), 'writes to the same keys at once are never mixed'],
  [
    'the version is not looked at',
    by(IgnoresVersions),
    '100 increments by update() make 100',
    'what is pushed by update() is in the array once'
  ],
  [
    'a commit always says that it was made',
    by(AlwaysCommits),
    'of new ids that one session gets at once, one lives',
    'a slow writer brings no destroyed session back'
  ],
  [
    'a limit counts first and writes later',
    by(CountsFirst),
    'logins at once do not get past maxPerOwner (refuse)',
    'logins at once do not get past maxPerOwner (evict-oldest)'
  ]
]

t.test('a store that breaks a rule is refused by the test of that rule', async (t) => {
  for (const [what, open, ...names] of BROKEN) {
    const tests = collect({ open: (clock, other) => other ?? open(clock) })
    for (const name of names) {
      t.ok(tests.has(name), name)
      await t.rejects(tests.get(name)?.() as Promise<void>, { code: 'ERR_ASSERTION' }, `${what}: ${name}`)
    }
  }
  const refusing = new Set(BROKEN.flatMap(([, , ...names]) => names))
  t.same(
    [...collect({ open: () => new MemoryStore() }).keys()].filter((name) => !refusing.has(name)),
    [],
    'every test of the suite can fail'
  )
})
