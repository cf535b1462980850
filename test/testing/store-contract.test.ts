import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import type { MemoryStoreOptions } from '../../lib/stores/memory.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import type { StoreSuite } from '../../lib/testing/store-contract.ts'
import { testStore } from '../../lib/testing/store-contract.ts'
import type {
  CommitResult,
  CreateResult,
  OwnerLimit,
  SessionChanges,
  SessionRecord,
  StoredRecord
} from '../../types/store.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The tests of the suite, not run yet. */
function collect(suite: Omit<StoreSuite, 'test'>): Map<string, () => Promise<void>> {
  const tests = new Map<string, () => Promise<void>>()
  testStore({ ...suite, test: (name, run) => tests.set(name, run) })
  return tests
}

/** A later turn, in which others have had theirs. */
function later(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

t.test('under tap', async (t) => {
  testStore({ test: (name, run) => t.test(name, run), open: (clock) => new MemoryStore({ clock }) })
})

t.test('under node:test', async (t) => {
  const file = join(ROOT, 'lib/index.ts')
  const directory = t.testdir({
    'store.test.ts': `
      import { test } from 'node:test'
      import { MemoryStore } from ${JSON.stringify(file)}
      import { testStore } from ${JSON.stringify(join(ROOT, 'lib/testing/index.ts'))}

      testStore({ test, open: (clock) => new MemoryStore({ clock }) })
    `
  })
  const { NODE_OPTIONS: _, NODE_V8_COVERAGE: __, ...env } = process.env
  const strip = join(ROOT, 'test/helpers/strip-types.mjs')
  const parameters = [`--import=${strip}`, '--test', '--test-reporter=tap', join(directory, 'store.test.ts')]
  const { status, stdout } = spawnSync(process.execPath, parameters, { env, encoding: 'utf8' })
  t.equal(status, 0, stdout)
  for (const name of collect({ open: () => new MemoryStore() }).keys()) t.ok(stdout.includes(`- ${name}\n`), name)
})

t.test('what a store is known not to do is left out, and said to be', async (t) => {
  const open = (): never => t.fail('no store is needed') as never
  const all = [...collect({ open }).keys()]
  for (const weakness of ['atomicity', 'owners'] as const) {
    const tests = collect({ open, without: [weakness] })
    const left = [...tests].filter(([name]) => name.startsWith(`left out (${weakness}): `))
    t.ok(left.length > 3)
    for (const [, run] of left) await run()
    t.same(
      [...tests.keys()].map((name) => name.replace(`left out (${weakness}): `, '')),
      all,
      'the others stay'
    )
  }
})

t.test('the store of each test is closed, whatever came of it', async (t) => {
  let opened = 0
  const closed: unknown[] = []
  class Closing extends MemoryStore {
    override async close(): Promise<void> {
      closed.push(this)
    }
  }
  const open = (clock: () => number): MemoryStore => {
    opened++
    return new Closing({ clock })
  }
  const name = 'create never overwrites'
  await collect({ open }).get(name)?.()
  t.equal(closed.length, 1)
  await collect({ open, close: (store) => closed.push(store, 'by the suite') }).get(name)?.()
  t.equal(closed.length, 3)
  t.equal(closed.at(-1), 'by the suite')
  class Throwing extends Closing {
    override create(): never {
      throw new Error('out of order')
    }
  }
  await t.rejects(collect({ open: () => new Throwing() }).get(name)?.() as Promise<void>, { message: 'out of order' })
  t.equal(closed.length, 4)
  t.equal(opened, 2)
})

const HARDLY: SessionChanges = { set: {}, unset: [] }

type Method = 'create' | 'load' | 'commit' | 'touch' | 'destroy' | 'list' | 'destroyAll'
type Rules = { [Name in Method]?: (store: MemoryStore, ...parameters: Parameters<MemoryStore[Name]>) => unknown }

/** A MemoryStore some of whose methods are replaced. What they are given as `store` is one that is in order. */
function broken(rules: Rules, options: (clock: () => number) => MemoryStoreOptions = (clock) => ({ clock })) {
  return (clock: () => number): MemoryStore => {
    const sound = new MemoryStore(options(clock))
    const store: Record<string, unknown> = {}
    for (const name of ['create', 'load', 'commit', 'touch', 'destroy', 'list', 'destroyAll', 'close'] as const) {
      const rule = rules[name as Method] as ((...parameters: unknown[]) => unknown) | undefined
      const method = (...parameters: unknown[]): unknown =>
        (sound[name] as (...all: unknown[]) => unknown)(...parameters)
      store[name] = async (...parameters: unknown[]) =>
        rule === undefined ? method.call(sound, ...parameters) : rule(sound, ...parameters)
    }
    return store as unknown as MemoryStore
  }
}

/** A record with something else in it. */
async function altered(
  store: MemoryStore,
  key: string,
  change: (record: StoredRecord) => Partial<StoredRecord>
): Promise<StoredRecord | undefined> {
  const record = await store.load(key)
  return record && { ...record, ...change(record) }
}

/** What a commit leads to, worked out by somebody who does not hold the store meanwhile. */
async function rewrite(store: MemoryStore, key: string, changes: SessionChanges, expiresAt: number): Promise<void> {
  const record = await store.load(key)
  await later()
  const all = Object.entries(JSON.parse(record?.json ?? '{}')).map(([name, value]) => [name, JSON.stringify(value)])
  const set = { ...Object.fromEntries(all), ...changes.set }
  for (const name of changes.unset) delete set[name]
  const now = Object.keys(JSON.parse((await store.load(key))?.json ?? '{}'))
  await store.commit(key, { ...changes, set, unset: now.filter((name) => !(name in set)) }, expiresAt)
}

async function countAndWait(
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

/** What is wrong with a store, and the test that has to say so. */
const BROKEN: readonly (readonly [what: string, test: string, open: (clock: () => number) => MemoryStore])[] = [
  [
    'the description is dropped',
    'a record comes back as it was created',
    broken({ load: (store, key) => altered(store, key, () => ({ description: undefined })) })
  ],
  [
    'the times are strings',
    'a record comes back as it was created',
    broken({
      load: (store, key) => altered(store, key, ({ createdAt }) => ({ createdAt: String(createdAt) as never }))
    })
  ],
  [
    'no owner is an empty owner',
    'a record comes back as it was created',
    broken({ load: (store, key) => altered(store, key, ({ ownerId = '' }) => ({ ownerId })) })
  ],
  [
    'keys inside values are sorted',
    'values come back as they were, in the order that they had',
    broken({
      load: (store, key) =>
        altered(store, key, ({ json }) => ({
          json: JSON.stringify(JSON.parse(json), (_, value) =>
            typeof value === 'object' && value !== null && !Array.isArray(value)
              ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
              : value
          )
        }))
    })
  ],
  [
    'empty arrays are empty objects',
    'values come back as they were, in the order that they had',
    broken({ load: (store, key) => altered(store, key, ({ json }) => ({ json: json.replaceAll('[]', '{}') })) })
  ],
  [
    'members are assigned, so that __proto__ is lost',
    'members may have any name',
    broken({
      create: (store, key, record, expiresAt) => {
        const members: Record<string, unknown> = {}
        for (const [name, value] of Object.entries(JSON.parse(record.json))) members[name] = value
        return store.create(key, { ...record, json: JSON.stringify(members) }, expiresAt)
      }
    })
  ],
  [
    'names are UTF-8, so that half a pair is lost',
    'members may have any name',
    broken({
      create: (store, key, record, expiresAt) =>
        store.create(key, { ...record, json: record.json.replaceAll('\\ud800', '\ufffd') }, expiresAt)
    })
  ],
  [
    'a commit creates',
    'an unknown key is not found by any method',
    broken({
      commit: async (store, key, changes, expiresAt) => {
        const record = { json: '{}', createdAt: 0, lastSeenAt: 0, permanent: false, ownerId: undefined }
        await store.create(key, { ...record, description: undefined }, expiresAt)
        return store.commit(key, changes, expiresAt)
      }
    })
  ],
  ['a touch always succeeds', 'an unknown key is not found by any method', broken({ touch: () => true })],
  [
    'to destroy nothing is an error',
    'an unknown key is not found by any method',
    broken({
      destroy: async (store, key) => {
        if ((await store.load(key)) === undefined) throw new Error('no such session')
        return store.destroy(key)
      }
    })
  ],
  [
    'create overwrites',
    'create never overwrites',
    broken({
      create: async (store, key, record, expiresAt, limit) => {
        await store.destroy(key)
        return store.create(key, record, expiresAt, limit)
      }
    })
  ],
  [
    'create always says yes',
    'create never overwrites',
    broken({
      create: async (store, ...record) => {
        await store.create(...record)
        return true
      }
    })
  ],
  [
    'create looks first and writes later',
    'of many who create one key at once, one does',
    broken({
      create: async (store, key, record, expiresAt) => {
        if ((await store.load(key)) !== undefined) return false
        await later()
        await store.destroy(key)
        return store.create(key, record, expiresAt)
      }
    })
  ],
  [
    'who creates at once ends the record of the other',
    'of many who create one key at once, one does',
    broken({ load: () => undefined })
  ],
  [
    'expired records are served',
    'a record is there at its last second and gone at the next',
    broken({}, () => ({ clock: () => 0 }))
  ],
  [
    'records stay for a second longer',
    'a record is there at its last second and gone at the next',
    broken({}, (clock) => ({ clock: () => clock() - 1000 }))
  ],
  [
    'records go a second early',
    'a record is there at its last second and gone at the next',
    broken({}, (clock) => ({ clock: () => clock() + 1000 }))
  ],
  [
    'an expired record is in the way',
    'the key of an expired record is free',
    (clock) => {
      const used = new Set<string>()
      return broken({
        create: (store, key, ...rest) => (used.has(key) ? false : store.create(used.add(key) && key, ...rest))
      })(clock)
    }
  ],
  [
    'a commit replaces all members',
    'a commit sets and removes members and leaves the others',
    broken({
      commit: async (store, key, { set, unset }, expiresAt, version) => {
        const old = Object.keys(JSON.parse((await store.load(key))?.json ?? '{}'))
        const all = [...unset, ...old.filter((name) => !(name in set))]
        return store.commit(key, { set, unset: all }, expiresAt, version)
      }
    })
  ],
  [
    'what was committed cannot be found',
    'a commit sets and removes members and leaves the others',
    broken({ load: () => undefined })
  ],
  [
    'a commit removes nothing',
    'a commit sets and removes members and leaves the others',
    broken({
      commit: (store, key, changes, expiresAt, version) =>
        store.commit(key, { ...changes, unset: [] }, expiresAt, version)
    })
  ],
  [
    'a commit merges objects',
    'a commit sets and removes members and leaves the others',
    broken({
      commit: async (store, key, changes, expiresAt) => {
        const old = JSON.parse((await store.load(key))?.json ?? '{}')
        const merge = (name: string, text: string): string => JSON.stringify([old[name], JSON.parse(text)].flat())
        const set = Object.fromEntries(Object.entries(changes.set).map(([name, text]) => [name, merge(name, text)]))
        return store.commit(key, { ...changes, set }, expiresAt)
      }
    })
  ],
  [
    'a commit leaves the expiry',
    'a commit moves the expiry, and what else it names',
    broken({
      commit: async (store, key, changes, expiresAt, version) =>
        store.commit(key, changes, (await store.load(key))?.expiresAt ?? expiresAt, version)
    })
  ],
  [
    'a commit forgets `permanent`',
    'a commit moves the expiry, and what else it names',
    broken({
      commit: (store, key, { set, unset, lastSeenAt }, ...rest) =>
        store.commit(key, { set, unset, lastSeenAt }, ...rest)
    })
  ],
  [
    'a commit resets `permanent`',
    'a commit moves the expiry, and what else it names',
    broken({
      commit: (store, key, { permanent = true, ...changes }, ...rest) =>
        store.commit(key, { ...changes, permanent }, ...rest)
    })
  ],
  [
    'an expiry in the past is ignored',
    'an expiry in the past ends a record',
    broken({
      commit: (store, key, changes, expiresAt, version) =>
        store.commit(key, changes, Math.max(expiresAt, 2_000_000_000), version)
    })
  ],
  [
    'commits are not counted',
    'every commit adds one to the version',
    broken({ load: (store, key) => altered(store, key, () => ({ version: 0 })) })
  ],
  [
    'a touch counts as a commit',
    'every commit adds one to the version',
    broken({
      touch: async (store, key, expiresAt, lastSeenAt) =>
        (await store.commit(key, { ...HARDLY, lastSeenAt }, expiresAt)) === 'committed'
    })
  ],
  [
    'the version is not looked at',
    'a commit for another version writes nothing',
    broken({ commit: (store, key, changes, expiresAt) => store.commit(key, changes, expiresAt) })
  ],
  [
    'a conflict moves the expiry',
    'a commit for another version writes nothing',
    broken({
      commit: async (store, key, changes, expiresAt, version): Promise<CommitResult> => {
        const result = await store.commit(key, changes, expiresAt, version)
        if (result === 'conflict') await store.touch(key, expiresAt)
        return result
      }
    })
  ],
  [
    'a commit reads, waits and writes everything',
    'commits of different members at once are all kept',
    broken({
      commit: async (store, key, changes, expiresAt) => {
        await rewrite(store, key, changes, expiresAt)
        return 'committed'
      }
    })
  ],
  [
    'the version is compared first and the data are written later',
    'of many commits for one version, one is made',
    broken({
      commit: async (store, key, changes, expiresAt, version) => {
        if ((await store.load(key))?.version !== version) return 'conflict'
        await later()
        return store.commit(key, changes, expiresAt)
      }
    })
  ],
  [
    'a touch writes data',
    'a touch moves the expiry and no data',
    broken({
      touch: async (store, key, expiresAt) =>
        (await store.commit(key, { set: { touched: '1' }, unset: [] }, expiresAt)) === 'committed'
    })
  ],
  ['a touch does not move the expiry', 'a touch moves the expiry and no data', broken({ touch: () => true })],
  [
    'a touch forgets when somebody was seen',
    'a touch moves the expiry and no data',
    broken({ touch: (store, key, expiresAt, lastSeenAt = 0) => store.touch(key, expiresAt, lastSeenAt) })
  ],
  ['nothing is destroyed', 'what was destroyed comes back by no method', broken({ destroy: () => undefined })],
  [
    'a touch brings back',
    'what was destroyed comes back by no method',
    (clock) => {
      const bin = new Map<string, StoredRecord | undefined>()
      return broken({
        destroy: async (store, key) => {
          bin.set(key, bin.get(key) ?? (await store.load(key)))
          return store.destroy(key)
        },
        touch: async (store, key, expiresAt) => {
          const record = bin.get(key)
          if (record !== undefined) await store.create(key, record, expiresAt)
          return store.touch(key, expiresAt)
        }
      })(clock)
    }
  ],
  [
    'a commit that began before writes the record back',
    'a destroy among commits is final',
    broken({
      commit: async (store, key, changes, expiresAt) => {
        const record = await store.load(key)
        if (record === undefined) return 'gone'
        await later()
        await store.create(key, record, expiresAt)
        return store.commit(key, changes, expiresAt)
      }
    })
  ],
  [
    'a column has 65 535 bytes',
    'a large record comes back whole',
    broken({
      create: (store, key, record, expiresAt) => {
        if (Buffer.byteLength(record.json) > 65_535) throw new Error('Data too long for column')
        return store.create(key, record, expiresAt)
      }
    })
  ],
  [
    'owners are found by a prefix',
    'list gives the live records of one owner',
    (clock) => {
      const owners = new Set<string>()
      return broken({
        create: (store, key, record, expiresAt) => {
          if (record.ownerId !== undefined) owners.add(record.ownerId)
          return store.create(key, record, expiresAt)
        },
        list: async (store, ownerId) => {
          const alike = [...owners].filter((owner) => owner.startsWith(ownerId))
          return (await Promise.all(alike.map((owner) => store.list(owner)))).flat()
        }
      })(clock)
    }
  ],
  [
    'dead records are listed',
    'list gives the live records of one owner',
    (clock) => {
      const dead: StoredRecord[] = []
      return broken({
        destroy: async (store, key) => {
          const record = await store.load(key)
          if (record !== undefined) dead.push(record)
          return store.destroy(key)
        },
        list: async (store, owner) => [...(await store.list(owner)), ...dead.filter(({ ownerId }) => ownerId === owner)]
      })(clock)
    }
  ],
  [
    'what is listed is not what is loaded',
    'list gives the live records of one owner',
    broken({ list: async (store, ownerId) => (await store.list(ownerId)).map((record) => ({ ...record, version: 9 })) })
  ],
  [
    'a list expires with the first expiry of its records',
    'a record stays listed for as long as it lives',
    (clock) => {
      const until = new Map<string, number>()
      return broken({
        create: (store, key, record, expiresAt) => {
          until.set(key, expiresAt)
          return store.create(key, record, expiresAt)
        },
        list: async (store, ownerId) =>
          (await store.list(ownerId)).filter(({ key }) => (until.get(key) ?? 0) * 1000 > clock())
      })(clock)
    }
  ],
  [
    'destroyAll spares nobody',
    'destroyAll ends the sessions of one owner',
    broken({ destroyAll: (store, ownerId) => store.destroyAll(ownerId) })
  ],
  [
    'destroyAll counts what it spared',
    'destroyAll ends the sessions of one owner',
    broken({
      destroyAll: async (store, ownerId, exceptKey) => {
        const { length } = await store.list(ownerId)
        await store.destroyAll(ownerId, exceptKey)
        return length
      }
    })
  ],
  [
    'a limit evicts the newest',
    'a limit that evicts ends the oldest',
    broken({
      create: async (store, key, record, expiresAt, limit) => {
        const { ownerId } = record
        const others = ownerId === undefined || limit === undefined ? [] : await store.list(ownerId)
        const surplus = others.sort((a, b) => b.createdAt - a.createdAt).slice(0, others.length + 1 - (limit?.max ?? 9))
        for (const { key } of surplus) await store.destroy(key)
        return store.create(key, record, expiresAt)
      }
    })
  ],
  [
    'a limit evicts one',
    'a limit that evicts ends the oldest',
    broken({
      create: async (store, key, record, expiresAt, limit) => {
        const { ownerId } = record
        const others = ownerId === undefined || limit === undefined ? [] : await store.list(ownerId)
        const oldest = others.sort((a, b) => a.createdAt - b.createdAt)[0]
        if (oldest !== undefined) await store.destroy(oldest.key)
        return store.create(key, record, expiresAt)
      }
    })
  ],
  [
    'a limit that refuses has written already',
    'a limit that refuses writes nothing',
    broken({
      create: async (store, key, record, expiresAt, limit) => {
        const { length } = limit && record.ownerId !== undefined ? await store.list(record.ownerId) : []
        await store.create(key, record, expiresAt)
        return length < (limit?.max ?? 9) ? true : 'over-limit'
      }
    })
  ],
  [
    'what is replaced counts',
    'a limit that refuses writes nothing',
    broken({
      create: (store, key, record, expiresAt, limit) =>
        store.create(key, record, expiresAt, limit && { max: limit.max, evict: limit.evict })
    })
  ],
  ['a limit counts first and writes later', 'logins at once do not get past a limit', broken({ create: countAndWait })]
]

t.test('a store that breaks a rule is refused by the test of that rule', async (t) => {
  for (const [what, name, open] of BROKEN) {
    const run = collect({ open }).get(name)
    t.ok(run, name)
    await t.rejects(run?.() as Promise<void>, `${what}: ${name}`)
  }
  const refusing = new Set(BROKEN.map(([, name]) => name))
  t.same(
    [...collect({ open: () => new MemoryStore() }).keys()].filter((name) => !refusing.has(name)),
    [],
    'every test of the suite can fail'
  )
})

t.test('a store that is only wrapped passes, so it is the rule that fails', async (t) => {
  for (const run of collect({ open: broken({}) }).values()) await run()
  t.pass()
})
