import t from 'tap'
import { CommandNumbers } from '../../../lib/stores/redis/command-numbers.ts'

t.test('the lowest number is that of the oldest command for a key without an answer', async (t) => {
  const numbers = new CommandNumbers()
  t.same([numbers.begin('a'), numbers.begin('b'), numbers.begin('a'), numbers.begin('a')], [1, 2, 3, 4])
  t.equal(numbers.lowest('a'), 1)
  numbers.settle('a', 3)
  t.equal(numbers.lowest('a'), 1)
  numbers.settle('a', 1)
  t.equal(numbers.lowest('a'), 4)
  t.equal(numbers.lowest('b'), 2)
  numbers.settle('a', 4)
  t.equal(numbers.lowest('a'), 5, 'none is open')
  t.equal(numbers.begin('a'), 5)
  t.equal(numbers.lowest('a'), 5)
})

t.test('a command that has failed may still come until its deadline, and without one for a minute', async (t) => {
  let now = 5
  t.intercept(performance, 'now', { value: () => now })
  const numbers = new CommandNumbers()
  numbers.fail('a', numbers.begin('a'), undefined)
  numbers.fail('a', numbers.begin('a'), { deadline: 2005 })
  numbers.fail('b', numbers.begin('b'), { deadline: 2005 })
  now = 2004
  t.same([numbers.lowest('a'), numbers.lowest('b')], [1, 3])
  now = 2005
  t.same([numbers.lowest('a'), numbers.lowest('b')], [1, 4])
  now = 60_004
  t.equal(numbers.lowest('a'), 1)
  numbers.begin('a')
  now = 60_005
  t.equal(numbers.lowest('a'), 4)
  now += 1e9
  t.equal(numbers.lowest('a'), 4, 'one that waits for its answer stays')
  numbers.settle('b', numbers.begin('b'))
  t.equal(numbers.size, 1)
})

t.test('what has failed is forgotten although nobody asks for its key again', async (t) => {
  let now = 5
  t.intercept(performance, 'now', { value: () => now })
  const numbers = new CommandNumbers()
  for (let key = 0; key < 100; key++) numbers.fail(`${key}`, numbers.begin(`${key}`), { deadline: now + 2000 })
  t.equal(numbers.size, 100)
  now += 2000
  numbers.settle('a', numbers.begin('a'))
  t.equal(numbers.size, 0)
})
