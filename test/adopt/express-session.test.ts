import Cookie from '@fastify/cookie'
import t from 'tap'
import { expressSession } from '../../lib/adopt/express-session.ts'

const CONTEXT = { now: 1_800_000_000, cookiesNamed: () => [] }
const past = { expires: '2020-01-01T00:00:00.000Z' }
const store = { get: async () => ({ userId: 7, cookie: past }), destroy: async () => {} }

t.test('the name, the prefix and the signature are those of express-session', async (t) => {
  const reader = expressSession({ secret: 'secret', store })
  t.equal(reader.cookieName, 'connect.sid')
  t.equal(expressSession({ secret: 'secret', store, name: 'sid' }).cookieName, 'sid')
  const value = encodeURIComponent(`s:${Cookie.sign('abc', 'secret')}`)
  t.match(await reader.read(value, CONTEXT), { key: 'abc', data: { userId: 7 } }, 'the store says what has ended')
  t.equal(await reader.read(Cookie.sign('abc', 'secret'), CONTEXT), 'refused')
})

t.test('wrong options are refused', async (t) => {
  t.throws(() => expressSession({ secret: '', store }), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.throws(() => expressSession({ secret: 'secret', store: {} as never }), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.throws(() => expressSession({ secret: 'secret', store, cookieName: 'a' } as never), {
    code: 'ERR_SESSION_OPTION_UNKNOWN'
  })
})
