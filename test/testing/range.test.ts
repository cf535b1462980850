import t from 'tap'
import { range, repeat } from '../../lib/testing/range.ts'

t.test('a range counts from 0', async (t) => {
  t.same(range(0), [])
  t.same(range(3), [0, 1, 2])
})

t.test('a value is repeated as it is', async (t) => {
  const value = {}
  const values = repeat(value, 2)
  t.equal(values.length, 2)
  t.ok(values.every((other) => other === value))
  t.same(repeat(value, 0), [])
})
