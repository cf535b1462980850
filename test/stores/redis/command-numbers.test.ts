import t from 'tap'
import { CommandNumbers } from '../../../lib/stores/redis/command-numbers.ts'

t.test('the lowest number is that of the oldest command without an answer', async (t) => {
  const numbers = new CommandNumbers()
  t.same([numbers.begin(), numbers.begin(), numbers.begin()], [1, 2, 3])
  t.equal(numbers.lowest(), 1)
  numbers.settle(2)
  t.equal(numbers.lowest(), 1)
  numbers.settle(1)
  t.equal(numbers.lowest(), 3)
  numbers.settle(3)
  t.equal(numbers.lowest(), 4, 'none is open')
  t.equal(numbers.begin(), 4)
  t.equal(numbers.lowest(), 4)
})

t.test('a command that has failed may still come for a minute', async (t) => {
  let now = 5
  t.intercept(performance, 'now', { value: () => now })
  const numbers = new CommandNumbers()
  numbers.fail(numbers.begin())
  numbers.settle(numbers.begin())
  now += 59_999
  t.equal(numbers.lowest(), 1)
  numbers.begin()
  now += 1
  t.equal(numbers.lowest(), 3)
  now += 1e9
  t.equal(numbers.lowest(), 3, 'one that waits for its answer stays')
})
