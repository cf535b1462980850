import t from 'tap'
import { secondsOf } from '../../lib/transport/clock.ts'

t.test('a clock in milliseconds tells whole seconds, and one that tells no time is refused', async (t) => {
  t.equal(secondsOf(() => 1_700_000_000_999)(), 1_700_000_000)
  t.equal(secondsOf(() => 0)(), 0)
  for (const wrong of [Number.NaN, -1, Number.POSITIVE_INFINITY]) {
    t.throws(
      secondsOf(() => wrong),
      { code: 'ERR_SESSION_OPTION_INVALID' }
    )
  }
})
