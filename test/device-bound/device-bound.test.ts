import fastify from 'fastify'
import t from 'tap'
import { deviceBound } from '../../lib/device-bound/device-bound.ts'
import { flaskCookie } from '../../lib/flask/index.ts'
import { MemoryStore, session } from '../../lib/index.ts'
import { SECRET } from '../helpers/app.ts'
import { createBoundBrowser } from '../helpers/device-app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

t.test('a session is bound, and the other routes are answered as before', async (t) => {
  const { browser } = await createBoundBrowser()
  t.same(browser.ownRequests, ['POST /session/device/register 200'])
  t.equal((await browser.get('/me')).statusCode, 200)
  t.equal((await browser.refresh()).statusCode, 200)
  t.equal((await browser.post('/nowhere')).statusCode, 404)
})

t.test('an answer that fails fails the request, and the browser keeps its session', async (t) => {
  let isDown = false
  const { app, browser } = await createBoundBrowser({
    store: (clock) => {
      const store = new RecordingStore(new MemoryStore({ clock, pruneInterval: 0 }))
      store.before = (method) => {
        if (isDown && method === 'create') throw new Error('the store is down')
      }
      return store
    }
  })
  isDown = true
  t.equal((await browser.refresh()).statusCode, 503)
  isDown = false
  t.equal((await browser.refresh()).statusCode, 200)
  await app.close()
})

t.test('browsers call its routes as they are, so the prefix has no parameters', async (t) => {
  const app = fastify()
  const registered = app.register(
    async (scope) => {
      await scope.register(session, { secret: SECRET })
      await scope.register(deviceBound)
    },
    { prefix: '/:tenant' }
  )
  await t.rejects(async () => registered, { code: 'ERR_SESSION_OPTION_INVALID' })
})

t.test('it needs a session in its scope, whose cookie browsers bind', async (t) => {
  await t.rejects(async () => fastify().register(deviceBound), { code: 'ERR_SESSION_NOT_REGISTERED' })
  for (const cookie of [{ secure: false }, { secure: true, partitioned: true }]) {
    const app = fastify()
    await app.register(session, { secret: SECRET, cookie })
    await t.rejects(async () => app.register(deviceBound), { code: 'ERR_SESSION_COOKIE_RULE' })
  }
})

t.test("Flask would ask for no proof, so a session in Flask's cookie is bound to no device", async (t) => {
  const app = fastify()
  await app.register(session, { format: flaskCookie({ secretKey: SECRET }) })
  await t.rejects(async () => app.register(deviceBound), { code: 'ERR_SESSION_OPTION_INVALID', message: /format/ })
})

t.test('it is registered once for a session', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  await app.register(deviceBound)
  await t.rejects(async () => app.register(deviceBound, { path: '/other' }), { code: 'ERR_SESSION_DUPLICATE' })
})
