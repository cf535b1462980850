import t from 'tap'
import { assertInTime } from '../../lib/stores/assert-in-time.ts'

t.test('a write may be made until its deadline, and always without one', async (t) => {
  assertInTime(undefined)
  assertInTime({ deadline: performance.now() + 60_000 })
  assertInTime({ deadline: Number.POSITIVE_INFINITY })
  t.throws(() => assertInTime({ deadline: performance.now() - 1 }), {
    message: 'The store had no time left for a change. Nothing was written.'
  })
})
