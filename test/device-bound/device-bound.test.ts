import fastify from 'fastify'
import t from 'tap'
import { deviceBound } from '../../lib/device-bound/device-bound.ts'
import { session } from '../../lib/index.ts'
import { SECRET } from '../helpers/app.ts'
import { createBoundBrowser } from '../helpers/device-app.ts'

t.test('a session is bound, and the other routes are answered as before', async (t) => {
  const { browser } = await createBoundBrowser()
  t.same(browser.ownRequests, ['POST /session/device/register 200'])
  t.equal((await browser.get('/me')).statusCode, 200)
  t.equal((await browser.refresh()).statusCode, 200)
  t.equal((await browser.post('/nowhere')).statusCode, 404)
})

t.test('an answer that fails fails the request', async (t) => {
  const app = fastify({ trustProxy: true })
  await app.register(session, { secret: SECRET })
  await app.register(deviceBound)
  app.addHook('onError', async () => {})
  const { addHook } = app
  t.type(addHook, 'function')
  const headers = { 'x-forwarded-proto': 'https', 'sec-secure-session-id': 'd1' }
  const broken = { ...headers, cookie: 'session=s2' }
  t.equal((await app.inject({ method: 'POST', url: '/session/device/refresh', headers: broken })).statusCode, 400)
})

t.test('it needs a session in its scope, whose cookie browsers bind', async (t) => {
  await t.rejects(async () => fastify().register(deviceBound), { code: 'ERR_SESSION_NOT_REGISTERED' })
  for (const cookie of [{ secure: false }, { secure: true, partitioned: true }]) {
    const app = fastify()
    await app.register(session, { secret: SECRET, cookie })
    await t.rejects(async () => app.register(deviceBound), { code: 'ERR_SESSION_COOKIE_RULE' })
  }
})

t.test('it is registered once for a session', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  await app.register(deviceBound)
  await t.rejects(async () => app.register(deviceBound, { path: '/other' }), { code: 'ERR_SESSION_DUPLICATE' })
})
