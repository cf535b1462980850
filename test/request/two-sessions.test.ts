import fastify from 'fastify'
import t from 'tap'
import type { SessionOptions } from '../../lib/index.ts'
import { getSession, getSessions, session } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { MODES, OTHER_SECRET, SECRET } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

t.test('two sessions in one scope are independent', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin', idleTimeout: 60 })
  app.get('/set', async (request) => {
    request.session.visits = 1
    getSession<{ level: number }>(request, 'admin').level = 9
    return ''
  })
  app.get('/out', async (request) => {
    await getSession(request, 'admin').destroy()
    return ''
  })
  app.get('/', async (request) => ({ session: request.session, admin: getSession(request, 'admin') }))
  const visitor = await createClient(app)
  t.equal(setCookieLines(await visitor.get('/set')).length, 2)
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: { level: 9 } })
  await visitor.get('/out')
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: {} })
  const swapped = visitor.jar.header().replace('session=', 'admin=')
  t.same(
    (await app.inject({ url: '/', headers: { cookie: swapped } })).json().admin,
    {},
    'one never opens as the other'
  )
})

t.test('two sessions with two stores are independent, and so are their lists', async (t) => {
  const [store, adminStore] = [1, 2].map(() => new RecordingStore(new MemoryStore({ pruneInterval: 0 }))) as [
    RecordingStore,
    RecordingStore
  ]
  const app = fastify()
  await app.register(session, { secret: SECRET, store })
  await app.register(session, { secret: SECRET, store: adminStore, decorator: 'admin', cookieName: 'admin' })
  app.get('/set', async (request) => {
    request.session.visits = 1
    const admin = getSession<{ level: number }>(request, 'admin')
    admin.level = 9
    admin.setOwner('ana')
    return ''
  })
  app.get('/', async (request) => ({ session: request.session, admin: getSession(request, 'admin') }))
  const visitor = await createClient(app)
  t.equal(setCookieLines(await visitor.get('/set')).length, 2)
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: { level: 9 } })
  const swapped = visitor.jar.header().replace('session=', 'x=').replace('admin=', 'session=')
  t.same((await app.inject({ url: '/', headers: { cookie: swapped } })).json().session, {})
  const admins = getSessions(app, 'admin')
  t.equal((await admins.list('ana')).length, 1)
  t.same(await app.sessions.list('ana'), [])
  t.equal(await admins.revokeAll('ana'), 1)
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: {} })
  await app.close()
  t.same([store.closed, adminStore.closed], [1, 1])
})

t.test('sessions stay in the scope that registered them', async (t) => {
  const app = fastify()
  await app.register(async (scope) => {
    await scope.register(session, { secret: SECRET })
    scope.get('/inside', async (request) => {
      request.session.visits = 1
      return ''
    })
  })
  await app.register(async (scope) => {
    await scope.register(session, { secret: OTHER_SECRET })
    scope.get('/beside', async (request) => request.session.visits ?? 'nothing')
  })
  app.get('/outside', async (request) => {
    t.equal(request.session, undefined)
    t.throws(() => getSession(request), { code: 'ERR_SESSION_NOT_REGISTERED' })
    return ''
  })
  const visitor = await createClient(app)
  t.equal(setCookieLines(await visitor.get('/inside')).length, 1)
  t.equal((await visitor.get('/beside')).body, 'nothing')
  t.equal((await visitor.get('/outside')).statusCode, 200)
})

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions of one name and one secret are refused in sibling scopes`, async (t) => {
    for (const [secret, more, isFine] of [
      [SECRET, {}, false],
      [SECRET, { cookie: { path: '/admin' } }, false],
      [[OTHER_SECRET, SECRET], {}, false],
      [SECRET, { cookieName: 'admin' }, true],
      [OTHER_SECRET, { cookie: { path: '/admin' } }, true]
    ] as const) {
      const app = fastify()
      const add = (all: object): Promise<unknown> =>
        Promise.resolve(app.register(async (scope) => void (await scope.register(session, all as SessionOptions))))
      const store = typeof options.store === 'function' ? options.store(Date.now) : options.store
      await add({ ...options, store, secret: SECRET })
      const added = add({ ...options, store, secret, ...more })
      if (isFine) await t.resolves(added)
      else await t.rejects(added, { code: 'ERR_SESSION_DUPLICATE', message: /opens the same cookies/ })
    }
  })
}

t.test('two applications in one process do not affect each other', async (t) => {
  const apps = [SECRET, OTHER_SECRET].map((secret) => ({ app: fastify(), secret }))
  for (const { app, secret } of apps) {
    await app.register(session, { secret, cookieName: 'shared' })
    app.get('/', async ({ session }) => {
      session.visits = (session.visits ?? 0) + 1
      return session.visits
    })
  }
  const visitors = await Promise.all(apps.map(({ app }) => createClient(app)))
  for (const expected of ['1', '2', '3']) {
    for (const visitor of visitors) t.equal((await visitor.get('/')).body, expected)
  }
  const stolen = visitors[0]?.jar.header() ?? ''
  t.equal((await apps[1]?.app.inject({ url: '/', headers: { cookie: stolen } }))?.body, '1')
})
