import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import type { Bench } from '../../../lib/testing/store-contract/bench.ts'
import { contractTests, EXTENSIONS, HOUR, newKey, newRecord, SET_A } from '../../../lib/testing/store-contract/bench.ts'
import type { StoreSuite } from '../../../lib/testing/store-contract/suite.ts'
import { collect } from '../collect.ts'

/** Runs one test with a bench. */
async function useBench(suite: Omit<StoreSuite, 'test'>, use: (bench: Bench) => Promise<void>): Promise<void> {
  const tests = collect((test) => contractTests({ ...suite, test }).test('the test', use))
  await tests.get('the test')?.()
}

t.test('the store of each test is closed, even if the test fails', async (t) => {
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
  await useBench({ open }, async () => {})
  t.equal(closed.length, 1)
  await useBench({ open, close: (store) => closed.push(store, 'by the suite') }, async () => {})
  t.equal(closed.length, 3)
  t.equal(closed.at(-1), 'by the suite')
  const failing = async (): Promise<never> => {
    throw new Error('out of order')
  }
  await t.rejects(useBench({ open }, failing), { message: 'out of order' })
  t.equal(closed.length, 4)
  t.equal(opened, 3)
})

t.test('a store without close needs none', async (t) => {
  const open = (clock: () => number) => Object.create(new MemoryStore({ clock }), { close: { value: undefined } })
  await t.resolves(useBench({ open }, async () => {}))
})

t.test('a bench adds records, reads data and moves the clock of the store', async (t) => {
  const open = (clock: () => number) => new MemoryStore({ clock })
  await useBench({ open }, async ({ store, now, advance, add, data }) => {
    const [first, second] = [await add(), await add({ json: '{"a":1}', ownerId: 'ada' }, now + 10)]
    t.match(await store.load(first), { json: '{}', createdAt: now, permanent: false, expiresAt: now + HOUR })
    t.same(await data(second), { a: 1 })
    await store.commit(first, SET_A, now + HOUR)
    t.same(await data(first), { a: 1 })
    advance(11)
    t.equal(await data(second), null)
    t.equal(await data(newKey()), null)
  })
})

t.test('a bench fails if the store does not create the record', async (t) => {
  class Refusing extends MemoryStore {
    override async create(): Promise<false> {
      return false
    }
  }
  const adding = useBench({ open: () => new Refusing() }, async ({ add }) => void (await add()))
  await t.rejects(adding, { code: 'ERR_ASSERTION' })
})

t.test('a test is skipped if the store has one of its weaknesses', async (t) => {
  const names = collect((test) => {
    const { testUnless } = contractTests({ test, open: () => new MemoryStore(), without: ['owners'] })
    testUnless(['owners'], 'first', async () => {})
    testUnless(['atomicity'], 'second', async () => {})
  }).keys()
  t.same([...names], ['skipped (owners): first', 'second'])
})

t.test('keys are new, and records have defaults for what is left out', async (t) => {
  t.not(newKey(), newKey())
  t.match(newKey(), /^[\w-]{43}$/)
  const { createdAt } = newRecord()
  const defaults = { json: '{}', createdAt, lastSeenAt: createdAt, permanent: false }
  t.same(newRecord(), { ...defaults, ownerId: undefined, description: undefined, extensions: undefined })
  const times = { createdAt: 1, lastSeenAt: 2 }
  const given = { json: '{}', ...times, permanent: true, ownerId: 'ada', description: '{}', extensions: EXTENSIONS }
  t.same(newRecord(given), given)
})
