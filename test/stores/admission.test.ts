import t from 'tap'
import { admission } from '../../lib/stores/admission.ts'
import type { OwnerLimit } from '../../types/store.ts'

const LIVE = [
  { key: 'third', createdAt: 30 },
  { key: 'first', createdAt: 10 },
  { key: 'second', createdAt: 20 }
]

/** The keys of the records to end, or `refuse`. */
function decide(
  limit: OwnerLimit,
  live: readonly { key: string; createdAt: number }[] = LIVE,
  replacing?: string
): string {
  const evicted = admission(live, limit, replacing)
  return evicted === 'refuse' ? evicted : evicted.map(({ key }) => key).join(' ')
}

t.test('the oldest records make room, and no more of them than need be', async (t) => {
  const expected = ['first second third', 'first second', 'first', '', '']
  for (const [index, keys] of expected.entries()) t.equal(decide({ max: index + 1, evict: true }), keys)
})

t.test('without eviction, an owner who has reached the limit is refused', async (t) => {
  const expected = ['refuse', 'refuse', 'refuse', '', '']
  for (const [index, decision] of expected.entries()) t.equal(decide({ max: index + 1, evict: false }), decision)
})

t.test('the record that is replaced neither counts nor makes room', async (t) => {
  t.equal(decide({ max: 3, evict: true }, LIVE, 'first'), '')
  t.equal(decide({ max: 3, evict: false }, LIVE, 'first'), '')
  t.equal(decide({ max: 2, evict: true }, LIVE, 'first'), 'second')
  t.equal(decide({ max: 2, evict: false }, LIVE, 'first'), 'refuse')
  t.equal(decide({ max: 3, evict: true }, LIVE, 'of somebody else'), 'first')
})

t.test('an owner without records is always admitted', async (t) => {
  t.equal(decide({ max: 1, evict: false }, []), '')
  t.equal(decide({ max: 1, evict: true }, []), '')
})

t.test('records of one second go in the given order', async (t) => {
  const live = ['a', 'b', 'c'].map((key) => ({ key, createdAt: 10 }))
  t.equal(decide({ max: 2, evict: true }, live), 'a b')
})

t.test('the given records stay as they are', async (t) => {
  const live = Object.freeze([...LIVE])
  t.equal(decide({ max: 1, evict: true }, live), 'first second third')
  t.equal(live[0]?.key, 'third')
})
