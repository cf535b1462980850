import t from 'tap'
import { checkExpiry, expiresAt, lastSecond, refreshAfterOf, timeoutsOf } from '../../lib/transport/expiry.ts'

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

t.test('a timeout of its own holds for a session, up to the cap', async (t) => {
  t.equal(timeoutsOf(undefined, timeouts), timeouts)
  t.equal(timeoutsOf(':v1', timeouts), timeouts)
  t.same(timeoutsOf(':I50', timeouts), { idleTimeout: 50, absoluteTimeout: 1000 })
  t.same(timeoutsOf(':L50', timeouts), { idleTimeout: 100, absoluteTimeout: 50 })
  t.same(timeoutsOf(':I500:L2000:v1', timeouts), { idleTimeout: 500, absoluteTimeout: 2000 })
  t.same(timeoutsOf(':I501:L2001', timeouts), { idleTimeout: 500, absoluteTimeout: 2000 })
  const session = { createdAt: 5000, lastSeenAt: 5000, extensions: ':I50:L80' }
  t.equal(checkExpiry(session, timeouts, 5050), undefined)
  t.equal(checkExpiry(session, timeouts, 5051), 'expired-idle')
  t.equal(checkExpiry({ ...session, lastSeenAt: 5080 }, timeouts, 5080), undefined)
  t.equal(checkExpiry({ ...session, lastSeenAt: 5080 }, timeouts, 5081), 'expired-absolute')
  t.equal(expiresAt(session, timeouts), 5050)
  t.equal(expiresAt({ ...session, lastSeenAt: 5060 }, timeouts), 5080)
  t.equal(lastSecond(session, { idleTimeout: 7, absoluteTimeout: 9 }), 5007, 'given ones')
})

t.test('activity is noted ten times in a shorter timeout, and not less often than the options say', async (t) => {
  const settings = { ...timeouts, refreshAfter: 10 }
  t.equal(refreshAfterOf(undefined, settings), 10)
  t.equal(refreshAfterOf(':I50', settings), 5)
  t.equal(refreshAfterOf(':I9', settings), 0)
  t.equal(refreshAfterOf(':I500', settings), 10)
  t.equal(refreshAfterOf(':L5', settings), 10)
  t.equal(refreshAfterOf(':I50', { ...settings, refreshAfter: 0 }), 0)
  t.equal(refreshAfterOf(':I99', { ...settings, refreshAfter: 90 }), 9)
})
