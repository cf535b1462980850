import t from 'tap'
import { NO_MARKS, StoredMarks } from '../../lib/owners/adoption-marks.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'

const DIGEST = Buffer.alloc(32, 1)
const OTHER = Buffer.alloc(32, 2)

t.test('a mark in a store stays until its end, and opens nothing', async (t) => {
  const clock = new FakeClock()
  const store = new MemoryStore({ clock: clock.now, pruneInterval: 0 })
  const now = (): number => Math.floor(clock.now() / 1000)
  const marks = new StoredMarks(store, now)
  const [first, until] = [now(), now() + 60]
  t.equal(await marks.since(DIGEST), undefined)
  t.equal(await marks.claim(DIGEST, until), true)
  clock.advance(30)
  t.equal(await marks.claim(DIGEST, until), false)
  t.equal(await marks.since(DIGEST), first)
  t.equal(store.load(DIGEST.toString('base64url')), undefined)
  await marks.bar(OTHER, until)
  t.equal(await marks.since(OTHER), first + 30)
  await marks.bar(OTHER, until)
  clock.advance(30)
  t.equal(await marks.since(DIGEST), first)
  clock.advance(1)
  t.equal(await marks.since(DIGEST), undefined)
})

t.test('without a memory nothing is marked', async (t) => {
  t.equal(NO_MARKS.claim(DIGEST, 1), true)
  t.equal(NO_MARKS.bar(DIGEST, 1), undefined)
  t.equal(NO_MARKS.since(DIGEST), undefined)
})
