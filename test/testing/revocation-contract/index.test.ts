import t from 'tap'
import { MemoryRevocations } from '../../../lib/revocations/memory.ts'
import { testRevocations } from '../../../lib/testing/revocation-contract/index.ts'
import type { Revocation, RevocationList, RevocationPage } from '../../../types/revocations.ts'
import { collect, later } from '../collect.ts'

/** Returns a function that opens one list again and again. The clock is that of the test that opens it. */
function sharing<List extends RevocationList>(make: (clock: () => number) => List): (clock: () => number) => List {
  let now: () => number = Date.now
  const list = make(() => now())
  return (clock) => {
    now = clock
    return list
  }
}

t.test('a list in memory keeps all rules', async (t) => {
  const closed: unknown[] = []
  const open = sharing((clock) => new MemoryRevocations({ clock }))
  testRevocations({ test: (name, run) => t.test(name, run), open, close: (list) => closed.push(list) })
  t.test('and each is closed', async (t) => t.equal(closed.length, 9))
})

t.test('so does one that gives the parts of a page, and tells nothing', async (t) => {
  class InParts implements RevocationList {
    readonly #inner: MemoryRevocations

    constructor(clock: () => number) {
      this.#inner = new MemoryRevocations({ clock })
    }

    async add(entry: Revocation): Promise<Revocation | undefined> {
      for (let turns = 0; turns < 5; turns++) await later()
      return this.#inner.add(entry)
    }

    since(position?: string): RevocationPage {
      const page = this.#inner.since(position)
      const end = Number(page.position)
      const entries = page.entries.slice(0, 100)
      // Without gaps: nothing is over in between.
      return page.entries.length <= 100
        ? page
        : { entries, position: String(end - page.entries.length + 100), hasMore: true }
    }
  }
  testRevocations({ test: (name, run) => t.test(name, run), open: sharing((clock) => new InParts(clock)) })
})

/** Lists that break a rule each, and the test that notices. */
const MUTANTS: Readonly<Record<string, (list: MemoryRevocations) => Partial<RevocationList>>> = {
  'every process gets each entry as it was added': (list) => ({
    add: (entry) => list.add({ ...entry, until: entry.until + 1 })
  }),
  'a position leads to what was added after it': (list) => ({ since: () => list.since() }),
  'of several who end a session, one has ended it, and the others learn how': (list) => ({
    add(entry) {
      list.add(entry)
      return undefined
    }
  }),
  'the same owner, and everybody, can be added again and again': (list) => {
    const owners = new Map<string, Revocation>()
    return {
      add(entry) {
        const known = entry.kind === 'owner' ? owners.get(entry.id) : undefined
        if (entry.kind === 'owner') owners.set(entry.id, entry)
        return known ?? list.add(entry)
      }
    }
  },
  'an entry is kept through its last second, and not in the next': (list) => ({
    add: (entry) => list.add({ ...entry, until: entry.until - (entry.kind === 'session' ? 1 : 0) })
  }),
  'nothing that is added in parallel is missed': (list) => ({
    since(position) {
      const page = list.since(position)
      return { ...page, entries: page.entries.slice(1) }
    }
  }),
  'a long list comes in parts': (list) => ({
    since(position) {
      const page = list.since(position)
      return { ...page, entries: page.entries.slice(0, 1000) }
    }
  }),
  'a position that the list does not know counts as none': (list) => ({
    since: (position) =>
      position?.startsWith('999') ? { entries: [], position, hasMore: false } : list.since(position)
  }),
  'who listens hears each entry, until they stop': (list) => ({
    listen(onEntry) {
      list.listen(onEntry)
      return () => {}
    }
  })
}

t.test('each rule that a list breaks is noticed', async (t) => {
  for (const [name, mutate] of Object.entries(MUTANTS)) {
    const open = sharing((clock): RevocationList => {
      const list = new MemoryRevocations({ clock })
      return {
        add: (entry) => list.add(entry),
        since: (position) => list.since(position),
        listen: (onEntry) => list.listen(onEntry),
        ...mutate(list)
      }
    })
    const tests = collect((test) => testRevocations({ test, open }))
    await t.rejects(tests.get(name)?.() as Promise<void>, { code: 'ERR_ASSERTION' }, name)
  }
  t.same(Object.keys(MUTANTS), [
    ...collect((test) => testRevocations({ test, open: () => new MemoryRevocations() })).keys()
  ])
})
