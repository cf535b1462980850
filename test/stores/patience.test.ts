import t from 'tap'
import { PATIENCE, watchTime } from '../../lib/stores/patience.ts'
import { FakeTime } from '../helpers/fake-time.ts'

t.test('a call with a deadline is tried until then, even if that moves', async (t) => {
  const time = new FakeTime(t)
  const call = { deadline: time.now + 10 }
  const isOver = watchTime(call)
  time.advance(10)
  t.equal(isOver(), false)
  time.advance(1)
  t.equal(isOver(), true)
  call.deadline += 5
  t.equal(isOver(), false)
})

t.test('a call without a deadline has an end nevertheless', async (t) => {
  const time = new FakeTime(t)
  const isOver = watchTime(undefined)
  time.advance(PATIENCE)
  t.equal(isOver(), false)
  time.advance(1)
  t.equal(isOver(), true)
})
