import type * as Tap from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import type { ContractTests } from '../../../lib/testing/store-contract/bench.ts'
import { contractTests } from '../../../lib/testing/store-contract/bench.ts'
import { collect } from '../collect.ts'
import { broken } from './broken-store.ts'

type Open = (clock: () => number) => MemoryStore

/** What is wrong with a store, and the test that must refuse it. */
export type BrokenStore = readonly [what: string, test: string, open: Open]

/** Checks a group of tests: a sound store passes all of them, and each of them refuses a broken store. */
export function checkContract(
  t: Tap.Test,
  register: (tests: ContractTests) => void,
  stores: readonly BrokenStore[]
): void {
  const collectWith = (open: Open) => collect((test) => register(contractTests({ test, open })))

  t.test('a sound store passes', async (t) => {
    const tests = collectWith((clock) => new MemoryStore({ clock }))
    t.ok(tests.size > 0)
    for (const [name, run] of tests) await t.resolves(run(), name)
  })

  t.test('a store that is only wrapped passes, so it is the broken rule that fails', async (t) => {
    for (const [name, run] of collectWith(broken({}))) await t.resolves(run(), name)
  })

  t.test('a broken store is refused by the test of the rule that it breaks', async (t) => {
    for (const [what, name, open] of stores) {
      const run = collectWith(open).get(name)
      t.ok(run, name)
      await t.rejects(run?.() as Promise<void>, `${what}: ${name}`)
    }
    const refusing = new Set(stores.map(([, name]) => name))
    const all = [...collectWith(() => new MemoryStore()).keys()]
    t.same(
      all.filter((name) => !refusing.has(name)),
      [],
      'every test can fail'
    )
  })
}
