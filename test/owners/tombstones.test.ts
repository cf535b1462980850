import t from 'tap'
import { createNote } from '../../lib/data/no-session.ts'
import { unreadableError } from '../../lib/errors.ts'
import { Tombstones, tombstoneOf } from '../../lib/owners/tombstones.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import type { SessionStore } from '../../types/store.ts'

const LATER = 9_000_000_000
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
  t.match(store.load(tombstoneOf(FIRST)), { json: '{}', ownerId: undefined, extensions: ':N' })
  clock.advance(60)
  t.equal(await tombstones.has(FIRST), true)
  clock.advance(1)
  t.equal(await tombstones.has(FIRST), false)
})

t.test('it leads to the newer keys of a login', async (t) => {
  const { tombstones } = create(60)
  await tombstones.add(FIRST, SECOND)
  t.same(await tombstones.successorsOf(FIRST), [SECOND])
  await tombstones.add(SECOND, THIRD)
  t.same(await tombstones.successorsOf(FIRST), [SECOND, THIRD])
  await tombstones.add(THIRD, undefined)
  t.same(await tombstones.successorsOf(FIRST), [SECOND, THIRD], 'the last of which has ended')
  t.same(await tombstones.successorsOf('d'.repeat(43)), [])
})

t.test('it leads to the key of each request that was to give the login a new one', async (t) => {
  const { clock, tombstones } = create(60)
  await tombstones.add(FIRST, SECOND)
  clock.advance(40)
  await tombstones.add(FIRST, THIRD)
  await tombstones.add(FIRST, undefined)
  t.same(await tombstones.successorsOf(FIRST), [SECOND, THIRD])
  clock.advance(60)
  t.equal(await tombstones.has(FIRST), true, 'the last one counts')
})

t.test('one that cannot be read is there, and leads nowhere; a store that fails is an error', async (t) => {
  const { store, tombstones } = create(60)
  store.create(tombstoneOf(FIRST), createNote(0, 'not JSON'), LATER)
  t.equal(await tombstones.has(FIRST), true)
  t.same(await tombstones.successorsOf(FIRST), [])
  const failing = (error: Error): Tombstones => {
    const load = (): never => {
      throw error
    }
    return new Tombstones({ load } as unknown as SessionStore, 60, () => 0)
  }
  const sealed = failing(unreadableError())
  t.equal(sealed.has(FIRST), true)
  t.same(await sealed.successorsOf(FIRST), [])
  const broken = failing(new Error('down'))
  t.throws(() => broken.has(FIRST), { message: 'down' })
  await t.rejects(broken.successorsOf(FIRST), { message: 'down' })
})

t.test('without a grace period there are none', async (t) => {
  const { store, tombstones } = create(0)
  await tombstones.add(FIRST, SECOND)
  t.equal(store.load(tombstoneOf(FIRST)), undefined)
  t.equal(await tombstones.has(FIRST), false)
  t.same(await tombstones.successorsOf(FIRST), [])
})
