import Cookie from '@fastify/cookie'
import t from 'tap'
import { fastifySession } from '../../lib/adopt/fastify-session.ts'

const CONTEXT = { now: 1_800_000_000, cookiesNamed: () => [] }
const cookie = { expires: new Date(1_800_000_050_000).toISOString(), originalMaxAge: 60_000 }
const store = { get: async () => ({ userId: 7, cookie }), destroy: async () => {} }

t.test('the name and the signature are those of @fastify/session', async (t) => {
  const reader = fastifySession({ secret: 'secret', store })
  t.equal(reader.cookieName, 'sessionId')
  t.equal(fastifySession({ secret: 'secret', store, cookieName: 'sid' }).cookieName, 'sid')
  t.match(await reader.read(Cookie.sign('abc', 'secret'), CONTEXT), {
    key: 'abc',
    data: { userId: 7 },
    expiresAt: 1_800_000_049
  })
})

t.test('with a prefix', async (t) => {
  const reader = fastifySession({ secret: ['secret'], store, cookiePrefix: 's:' })
  t.match(await reader.read(`s:${Cookie.sign('abc', 'secret')}`, CONTEXT), { key: 'abc' })
  t.equal(await reader.read(Cookie.sign('abc', 'secret'), CONTEXT), 'refused')
})

t.test('wrong options are refused', async (t) => {
  t.throws(() => fastifySession({ secret: '', store }), { code: 'ERR_SESSION_OPTION_INVALID' })
  t.throws(() => fastifySession({ secret: 'secret', store, name: 'a' } as never), {
    code: 'ERR_SESSION_OPTION_UNKNOWN'
  })
})
