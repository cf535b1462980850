import fastify from 'fastify'
import t from 'tap'
import { session } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, createStoredApp, decisionsOf, SECRET, START } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'
import { setVisits } from '../helpers/visited-app.ts'

t.test('on a route without sessions the object is there, keeps nothing and says so', async (t) => {
  const { app, warnings } = await createApp()
  app.get('/set', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/off', { config: { session: false } }, async ({ session }) => {
    const before = { ...session }
    session.visits = 2
    await t.rejects(session.commit(), { code: 'ERR_SESSION_DISABLED' })
    return before
  })
  app.get('/off-logout', { config: { session: false } }, async ({ session }) => session.destroy())
  app.get('/off-read', { config: { session: false } }, async ({ session }) => session)
  const visitor = await createClient(app)
  await visitor.get('/set')
  const decisions = await decisionsOf(async () => {
    const response = await visitor.get('/off')
    t.same(response.json(), {})
    t.same(setCookieLines(response), [])
  })
  t.same(decisions, ['open: disabled', 'commit: disabled'])
  t.match(warnings(), [{ reason: 'disabled' }])
  await visitor.get('/off-read')
  t.equal(warnings().length, 1)
  await visitor.get('/off-logout')
  t.equal(warnings().length, 2, 'a logout that cannot work is not silent either')
  t.match(warnings()[1], { reason: 'disabled' })
})

t.test('an earlier hook than ours can use the session, but not commit it', async (t) => {
  const clock = new FakeClock(START)
  const app = fastify()
  app.addHook('onRequest', async (request) => {
    request.session.visits = 1
    await t.rejects(request.session.commit(), { code: 'ERR_SESSION_DISABLED' })
  })
  await app.register(session, { secret: SECRET, clock: clock.now })
  app.get('/', async ({ session }) => session)
  const response = await app.inject('/')
  t.same(response.json(), { visits: 1 })
  t.equal(setCookieLines(response).length, 1)
})

t.test('an onRequest hook before ours comes too early for a session that has to be loaded', async (t) => {
  for (const headers of [{}, { cookie: 'session=x' }]) {
    const app = fastify()
    app.addHook('onRequest', async (request) => {
      t.same({ ...request.session }, {})
      const early = { code: 'ERR_SESSION_NOT_LOADED', message: /not loaded from the store yet/ }
      await t.rejects(async () => request.session.commit(), early)
    })
    await app.register(session, { secret: SECRET, store: new RecordingStore(new MemoryStore()) })
    app.get('/', async ({ session }) => ({ ...session }))
    app.get('/off', { config: { session: false } }, async () => '')
    t.equal((await app.inject({ url: '/', headers })).statusCode, 200)
  }
})

t.test('a cookie that somebody puts into the request after the session was looked for is not looked up', async (t) => {
  const { app } = await createStoredApp()
  let cookie: string | undefined
  app.addHook('onRequest', async (request) => {
    if (cookie === undefined) return
    request.raw.headers.cookie = cookie
    t.equal(request.session.visits, undefined)
  })
  app.get('/', setVisits)
  const visitor = await createClient(app)
  await visitor.get('/')
  cookie = visitor.jar.header()
  const response = await app.inject('/')
  t.match(
    response.json(),
    { statusCode: 500, code: 'ERR_SESSION_NOT_LOADED' },
    'and what is written is not lost in silence'
  )
})
