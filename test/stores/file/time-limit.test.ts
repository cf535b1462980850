import t from 'tap'
import { TimeLimit } from '../../../lib/stores/file/time-limit.ts'
import { FakeTime } from '../../helpers/fake-time.ts'

t.test('waiting ends at the nearer of the timeout of locks and the deadline of the call', async (t) => {
  const time = new FakeTime(t)
  t.equal(new TimeLimit(5).left, 5000)
  t.equal(new TimeLimit(5, { deadline: time.now + 9000 }).left, 5000)
  const call = { deadline: time.now + 2000 }
  const limit = new TimeLimit(5, call)
  t.equal(limit.left, 2000)
  time.advance(1500)
  t.equal(limit.left, 500)
  call.deadline += 400
  t.equal(limit.left, 900, 'the process stood still')
  time.advance(1000)
  t.equal(limit.left, -100)
})

t.test('a caller that has given up is told so, one that only waited too long is not', async (t) => {
  const time = new FakeTime(t)
  const [waiter, caller] = [new TimeLimit(1), new TimeLimit(1, { deadline: time.now + 500 })]
  time.advance(500)
  caller.assertMayWrite()
  time.advance(1)
  t.throws(() => caller.assertMayWrite(), { message: 'The store had no time left for a change. Nothing was written.' })
  time.advance(1000)
  waiter.assertMayWrite()
})

t.test('the error says which limit it was, and who holds the lock', async (t) => {
  const time = new FakeTime(t)
  const limit = new TimeLimit(1, { deadline: time.now + 500 })
  time.advance(501)
  t.equal(limit.exceeded('/sessions', 'Ada').message, 'A lock in /sessions was not released in time. Ada holds it.')
  time.advance(500)
  t.equal(
    limit.exceeded('/sessions', 'Ada').message,
    'A lock in /sessions was not released within 1 s (lockTimeout). Ada holds it.'
  )
})
