import t from 'tap'
import { checkExpiry, expiresAt } from '../../lib/transport/expiry.ts'

const timeouts = { idleTimeout: 100, absoluteTimeout: 1000, maxIdleTimeout: 500, maxAbsoluteTimeout: 2000 }

t.test('a session is alive at its last second and gone at the next', async (t) => {
  const times = { createdAt: 5000, lastSeenAt: 5000 }
  t.equal(checkExpiry(times, timeouts, 5099), undefined)
  t.equal(checkExpiry(times, timeouts, 5100), undefined)
  t.equal(checkExpiry(times, timeouts, 5101), 'expired-idle')
})

t.test('activity does not extend the absolute limit', async (t) => {
  t.equal(checkExpiry({ createdAt: 5000, lastSeenAt: 5999 }, timeouts, 5999), undefined)
  t.equal(checkExpiry({ createdAt: 5000, lastSeenAt: 6000 }, timeouts, 6000), undefined)
  t.equal(checkExpiry({ createdAt: 5000, lastSeenAt: 6001 }, timeouts, 6001), 'expired-absolute')
})

t.test('a clock that is a minute ahead logs nobody out; a stamp from further ahead is refused', async (t) => {
  t.equal(checkExpiry({ createdAt: 5060, lastSeenAt: 5060 }, timeouts, 5000), undefined)
  t.equal(checkExpiry({ createdAt: 5000, lastSeenAt: 5061 }, timeouts, 5000), 'not-yet-valid')
  t.equal(checkExpiry({ createdAt: 5061, lastSeenAt: 5000 }, timeouts, 5000), 'not-yet-valid')
})

t.test('the last second is the nearer of both limits', async (t) => {
  t.equal(expiresAt({ createdAt: 5000, lastSeenAt: 5010 }, timeouts), 5110)
  t.equal(expiresAt({ createdAt: 5000, lastSeenAt: 5950 }, timeouts), 6000)
})
