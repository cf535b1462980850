import type * as Tap from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import type { Races } from '../../../lib/testing/race-suite/races.ts'
import { racesOf } from '../../../lib/testing/race-suite/races.ts'
import type { RaceSuite } from '../../../lib/testing/race-suite/site.ts'
import { collect } from '../collect.ts'
import type { Opens } from './broken-stores.ts'

/** What is wrong with a store, and the tests that must refuse it. */
export type BrokenStore = readonly [what: string, open: Opens, ...tests: string[]]

/** Checks a group of tests: a sound store passes all of them, and each of them refuses a broken store. */
export function checkRaces(t: Tap.Test, register: (races: Races) => void, broken: readonly BrokenStore[]): void {
  const collectWith = (open: RaceSuite['open']) => collect((test) => register(racesOf({ test, open })))

  t.test('a sound store passes', async (t) => {
    const tests = collectWith((clock, other) => other ?? new MemoryStore({ clock }))
    t.ok(tests.size > 0)
    for (const [name, run] of tests) await t.resolves(run(), name)
  })

  t.test('a broken store is refused by the test of the rule that it breaks', async (t) => {
    for (const [what, open, ...names] of broken) {
      const tests = collectWith((clock, other) => other ?? open(clock))
      for (const name of names) {
        t.ok(tests.has(name), name)
        await t.rejects(tests.get(name)?.() as Promise<void>, { code: 'ERR_ASSERTION' }, `${what}: ${name}`)
      }
    }
    const refusing = new Set(broken.flatMap(([, , ...names]) => names))
    const all = [...collectWith(() => new MemoryStore()).keys()]
    t.same(
      all.filter((name) => !refusing.has(name)),
      [],
      'every test can fail'
    )
  })
}
