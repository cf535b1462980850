import t from 'tap'
import { BoundedMap } from '../../lib/util/bounded-map.ts'

t.test('what was found out is known, the oldest no longer', async (t) => {
  const recent = new BoundedMap<string>(3)
  t.equal(recent.get('a'), undefined)
  for (const key of 'abc') recent.set(key, key.toUpperCase())
  t.equal([...'abc'].map((key) => recent.get(key)).join(''), 'ABC')
  for (const key of 'def') recent.set(key, key.toUpperCase())
  t.equal(recent.get('c'), 'C', 'of the older generation')
  recent.set('g', 'G')
  t.equal(recent.get('a'), undefined)
  t.equal(recent.get('b'), undefined)
  t.equal(recent.get('c'), 'C', 'who is asked for stays')
  t.equal(recent.get('g'), 'G')
})

t.test('what was deleted is gone, from both generations', async (t) => {
  const map = new BoundedMap<string>(1)
  map.set('a', 'A')
  map.set('b', 'B')
  map.set('b', 'BB')
  t.equal(map.get('a'), 'A', 'a new value for a key needs no room')
  for (const key of 'ab') map.delete(key)
  t.same([map.get('a'), map.get('b')], [undefined, undefined])
})

t.test('it never holds more than two generations', async (t) => {
  const isKnown = (key: number): boolean => {
    const recent = new BoundedMap<{ key: number }>(10)
    for (let next = 0; next < 1000; next++) recent.set(String(next), { key: next })
    return recent.get(String(key)) !== undefined
  }
  const known = Array.from({ length: 1000 }, (_, key) => key).filter(isKnown)
  t.same(
    known,
    Array.from({ length: 20 }, (_, index) => 980 + index)
  )
})
