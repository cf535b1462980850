import t from 'tap'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, createStoredApp, decisionsOf } from '../helpers/app.ts'
import { createVisited, recordFor, setVisits } from '../helpers/visited-app.ts'

t.test('a store that is down when a session is loaded answers 503, and logs nobody out', async (t) => {
  const { app, store, visitor } = await createVisited()
  const cookie = visitor.jar.header()
  store.before = () => Promise.reject(new Error('ECONNREFUSED 10.0.0.1'))
  let response = await visitor.get('/read')
  t.equal(response.statusCode, 503)
  t.equal(response.headers['retry-after'], '5')
  t.match(response.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE', message: /^The session store is not available/ })
  t.notMatch(response.body, /ECONN/)
  t.same(setCookieLines(response), [])
  t.equal((await app.inject('/read')).statusCode, 200, 'who has no cookie needs no store')
  const decisions = await decisionsOf(async () => {
    response = await visitor.get('/count')
  })
  t.same(decisions, ['open: store-unavailable', 'commit: store-unavailable'])
  store.before = () => undefined
  t.equal(visitor.jar.header(), cookie)
  t.equal((await visitor.get('/count')).body, '2')
})

t.test('a store that throws at once is as far away as one that rejects', async (t) => {
  for (const loadsAtOnce of [true, undefined]) {
    const store = Object.assign(new MemoryStore({ pruneInterval: 0 }), { loadsAtOnce })
    const { app, clock } = await createApp({ store: () => store })
    app.get('/set', setVisits)
    app.get('/read', async ({ session }) => ({ ...session }))
    app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => ({ ...session }))
    app.get('/logout', async ({ session }) => session.destroy())
    clock.set(new Date())
    const visitor = await createClient(app)
    await visitor.get('/set')
    const down = (): never => {
      throw new Error('down')
    }
    store.destroy = down
    t.equal((await visitor.get('/logout')).statusCode, 503)
    store.load = down
    const response = await visitor.get('/read')
    t.equal(response.statusCode, 503)
    t.match(response.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
    t.same(setCookieLines(response), [])
    const news = await visitor.get('/news')
    t.same([news.statusCode, news.json(), setCookieLines(news)], [200, {}, []])
    store.create = down
    t.equal((await app.inject('/set')).statusCode, 503)
  }
})

t.test('an error handler may look at the session that could not be loaded, which keeps nothing', async (t) => {
  const { app, store, visitor, warnings } = await createVisited()
  app.setErrorHandler(async (error: Error & { code: string }, request, reply) => {
    t.same({ ...request.session }, {})
    t.equal(request.session.isNew, true)
    request.session.visits = 99
    return reply.code(503).send(error.code)
  })
  store.before = () => Promise.reject(new Error('down'))
  const response = await visitor.get('/read')
  t.same([response.statusCode, response.body], [503, 'ERR_SESSION_STORE_UNAVAILABLE'])
  t.same(setCookieLines(response), [])
  t.match(warnings(), [{ reason: 'store-unavailable' }])
  store.before = () => undefined
  t.same((await visitor.get('/read')).json(), { visits: 1, name: 'Ana' })
})

t.test('a route may be served without its session while the store is down', async (t) => {
  const { app, store, visitor, logs, warnings } = await createVisited()
  const config = { session: { onStoreError: 'anonymous' } } as const
  app.get('/news', { config }, async ({ session }) => ({ ...session }))
  app.get('/news-count', { config }, async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  app.get('/news-logout', { config }, async ({ session }) => session.destroy())
  app.get('/news-commit', { config }, async ({ session }) => session.commit())
  const cookie = visitor.jar.header()
  t.same((await visitor.get('/news')).json(), { visits: 1, name: 'Ana' }, 'as usual while it is up')
  store.takeCalls()
  store.before = () => Promise.reject(new Error('down'))
  let response = await visitor.get('/news')
  t.same([response.statusCode, response.json(), setCookieLines(response)], [200, {}, []])
  t.match(
    logs.filter(({ level }) => level === 50),
    [{ msg: /onStoreError: 'anonymous'/ }]
  )
  t.same(warnings(), [])
  const decisions = await decisionsOf(async () => {
    response = await visitor.get('/news-count')
  })
  t.same(decisions, ['open: store-unavailable', 'commit: store-unavailable'])
  t.same([response.statusCode, response.body, setCookieLines(response)], [200, '1', []])
  t.match(warnings(), [{ reason: 'store-unavailable' }])
  t.same(store.takeMethods(), ['load', 'load'])
  await visitor.get('/news-logout')
  t.equal(visitor.jar.header(), cookie, 'nobody is told to be logged out who is not')
  t.equal(warnings().length, 2)
  const committing = await visitor.get('/news-commit')
  t.match(committing.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503 }, 'who insists is told')
})

t.test('a store that goes down before the session is kept answers 503 without a cookie', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  const config = { session: { onStoreError: 'anonymous' } } as const
  app.get('/news', { config }, async ({ session }) => {
    session.visits = 50
    return 'news'
  })
  for (const [url, method] of [
    ['/count', 'commit'],
    ['/renew', 'create'],
    ['/renew', 'commit'],
    ['/logout', 'destroy']
  ] as const) {
    store.before = (called) => (called === method ? Promise.reject(new Error('down')) : undefined)
    let response = await visitor.get('/untouched')
    const decisions = await decisionsOf(async () => {
      response = await visitor.get(url)
    })
    t.equal(response.statusCode, 503, url)
    t.equal(response.headers['retry-after'], '5')
    t.same(setCookieLines(response), [], `${url} ${method}`)
    t.equal(decisions.at(-1), 'commit: store-unavailable')
    if (url !== '/renew') t.same(await recordOf(key), { visits: 1, name: 'Ana' }, url)
    await store.inner.destroy(key)
    await store.inner.create(key, recordFor('{"visits":1,"name":"Ana"}'), 2_000_000_000)
  }
  store.before = (called) => (called === 'destroy' ? Promise.reject(new Error('down')) : undefined)
  t.equal((await visitor.get('/renew')).statusCode, 200, 'the old session has ended, and only its text is still there')
  store.before = (called) => (called === 'commit' ? Promise.reject(new Error('down')) : undefined)
  const response = await visitor.get('/news')
  t.same([response.statusCode, response.body, setCookieLines(response)], [200, 'news', []])
  store.before = () => Promise.reject(new Error('down'))
  t.equal((await app.inject('/set')).statusCode, 503, 'nor is a new session promised')
  t.same(setCookieLines(await app.inject('/set')), [])
})

t.test('a store that does not answer is down, and what it answers later changes nothing', async (t) => {
  const { store, visitor, warnings } = await createVisited({ storeTimeout: 0.02 })
  const answers: (() => void)[] = []
  const wait = (): Promise<void> => new Promise((resolve) => void answers.push(resolve))
  // The timer of a deadline keeps no process alive.
  const alive = setInterval(() => {}, 1000)
  store.before = wait
  const loading = await visitor.get('/read')
  store.before = (method) => (method === 'commit' ? wait() : undefined)
  const committing = await visitor.get('/count')
  clearInterval(alive)
  for (const response of [loading, committing]) {
    t.equal(response.statusCode, 503)
    t.match(response.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
    t.same(setCookieLines(response), [])
  }
  t.equal(answers.length, 2)
  for (const answer of answers) answer()
  await new Promise(setImmediate)
  t.same(warnings(), [])
})

t.test('while the store is down nothing can be updated, reloaded or committed, on any route', async (t) => {
  const { app, store } = await createStoredApp()
  app.get('/', setVisits)
  app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => {
    const refused = { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503, headers: { 'retry-after': '5' } }
    await t.rejects(
      session.update(() => 1),
      refused
    )
    await t.rejects(session.reload(), refused)
    await t.rejects(session.commit(), refused)
    return 'news'
  })
  const visitor = await createClient(app)
  await visitor.get('/')
  store.before = () => Promise.reject(new Error('down'))
  t.equal((await visitor.get('/news')).body, 'news')
})
