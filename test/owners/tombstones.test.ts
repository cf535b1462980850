import t from 'tap'
import { Tombstones, tombstoneOf } from '../../lib/owners/tombstones.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'

const [FIRST, SECOND, THIRD] = ['a', 'b', 'c'].map((letter) => letter.repeat(43)) as [string, string, string]

function create(grace: number) {
  const clock = new FakeClock()
  const store = new MemoryStore({ clock: clock.now, pruneInterval: 0 })
  return { clock, store, tombstones: new Tombstones(store, grace, () => Math.floor(clock.now() / 1000)) }
}

t.test('a tombstone stays for the grace period, and not under a key that a cookie leads to', async (t) => {
  const { clock, store, tombstones } = create(60)
  t.equal(await tombstones.has(FIRST), false)
  await tombstones.add(FIRST, undefined)
  t.equal(await tombstones.has(FIRST), true)
  t.equal(store.load(FIRST), undefined)
  t.match(tombstoneOf(FIRST), /^[\w-]{43}$/)
  t.match(store.load(tombstoneOf(FIRST)), { json: '{}', ownerId: undefined })
  clock.advance(60)
  t.equal(await tombstones.has(FIRST), true)
  clock.advance(1)
  t.equal(await tombstones.has(FIRST), false)
})

t.test('it leads to the newest key of a login', async (t) => {
  const { tombstones } = create(60)
  await tombstones.add(FIRST, SECOND)
  t.equal(await tombstones.successorOf(FIRST), SECOND)
  await tombstones.add(SECOND, THIRD)
  t.equal(await tombstones.successorOf(FIRST), THIRD)
  await tombstones.add(THIRD, undefined)
  t.equal(await tombstones.successorOf(FIRST), THIRD, 'which has ended')
  t.equal(await tombstones.successorOf('d'.repeat(43)), undefined)
})

t.test('without a grace period there are none', async (t) => {
  const { store, tombstones } = create(0)
  await tombstones.add(FIRST, SECOND)
  t.equal(store.load(tombstoneOf(FIRST)), undefined)
  t.equal(await tombstones.has(FIRST), false)
  t.equal(await tombstones.successorOf(FIRST), undefined)
})
