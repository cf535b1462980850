import t from 'tap'
import { session } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { createApp, createStoredApp, type LooseOptions, MODES, SECRET, START } from '../helpers/app.ts'

async function createShop(options: LooseOptions = {}) {
  const made = await createApp(options)
  const { app } = made
  app.get('/', async ({ session }) => ({ ...session, owner: session.ownerId }))
  app.post('/count', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  app.post('/login', async ({ session }, reply) => {
    await session.renew()
    session.userId = 7
    return reply.redirect('/', 303)
  })
  app.post('/logout', async ({ session }, reply) => {
    await session.destroy()
    return reply.redirect('/', 303)
  })
  return made
}

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`a client in ${mode} mode goes through the life of a session`, async (t) => {
    const { app } = await createShop(options)
    const client = await createClient(app)
    t.equal(client.jar.header(), '')
    t.strictSame(await client.session(), { reason: 'no-cookie' })
    t.equal((await client.post('/count')).body, '1')
    const { id } = await client.session()
    await client.post('/count')
    const login = await client.post('/login')
    t.same([login.statusCode, login.headers.location], [303, '/'], 'a redirect is seen, not followed')
    const { reason, ...seen } = await client.session()
    t.match(seen, { data: { visits: 2, userId: 7 } })
    t.not(seen.id, id)
    const copy = client.jar.header()
    await client.post('/logout')
    t.strictSame(await client.session(), { reason: 'no-cookie' })
    client.jar.set('session', copy.slice('session='.length))
    t.equal((await client.session()).reason, isSelfContained ? 'opened' : 'not-found')
  })

  t.test(`a client in ${mode} mode may start with a session`, async (t) => {
    const { app, clock } = await createShop(options)
    const ada = await createClient(app, { data: { userId: 7 }, ownerId: 'ada' })
    const ben = await createClient(app, { ownerId: 'ben' })
    const stranger = await createClient(app)
    t.same((await ada.get('/')).json(), { userId: 7, owner: 'ada' })
    t.same((await ben.get('/')).json(), { owner: 'ben' })
    t.same((await stranger.get('/')).json(), {})
    await ada.post('/count')
    await ben.post('/count')
    await ben.post('/count')
    t.same((await ada.session()).data, { userId: 7, visits: 1 }, 'two clients are two browsers')
    t.same((await ben.session()).data, { visits: 2 })
    await ada.post('/logout')
    t.same((await ada.get('/')).json(), {}, 'what it came with is gone')
    t.same((await ben.get('/')).json(), { visits: 2, owner: 'ben' })
    const old = await createClient(app, { data: { visits: 1 }, lastSeenAt: new Date(START.getTime() - 86_400_000) })
    clock.advance(1)
    t.same((await old.get('/')).json(), {})
  })
}

t.test('each method sends its request with the cookies', async (t) => {
  const { app } = await createApp()
  const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS']
  app.route({
    method: methods,
    url: '/:id',
    handler: async ({ method, url, headers, body }) => ({
      method,
      url,
      body,
      from: headers.from,
      cookie: headers.cookie
    })
  })
  const client = await createClient(app, { cookies: 'theme=dark; lang=en' })
  const headers = { from: 'test' }
  const [payload, cookie] = [{ a: 1 }, 'theme=dark; lang=en']
  t.same((await client.get('/1', { query: { q: '1' }, headers })).json(), {
    method: 'GET',
    url: '/1?q=1',
    from: 'test',
    cookie
  })
  for (const name of ['post', 'put', 'patch', 'delete'] as const) {
    const reply = await client[name]('/1', { payload, headers })
    t.same(reply.json(), { method: name.toUpperCase(), url: '/1', body: payload, from: 'test', cookie })
    t.match((await client[name]('/1')).json(), { method: name.toUpperCase(), cookie }, 'alone')
  }
  t.match((await client.inject('/1')).json(), { method: 'GET', cookie })
  t.match((await client.inject({ method: 'OPTIONS', url: { pathname: '/1' } })).json(), { method: 'OPTIONS', cookie })
  t.match((await client.get('/1', { headers: { Cookie: 'mine=1' } })).json(), { cookie: 'mine=1' })
  t.match((await client.get('/1', { cookies: { more: '2' } })).json(), { cookie: `${cookie}; more=2` })
})

t.test('cookies are sent according to their path', async (t) => {
  const { app } = await createApp({ cookie: { path: '/app' } })
  app.get('/*', async ({ headers }) => headers.cookie ?? 'none')
  app.post('/app/logout', async ({ session }) => session.destroy())
  app.post('/app/count', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  app.post('/deep/er/set', async (_request, reply) => reply.header('set-cookie', 'x=1').send(''))
  const client = await createClient(app, { data: { visits: 1 } })
  t.equal((await client.post('/app/count')).body, '2')
  t.equal((await client.get('/')).body, 'none', 'the reply has said where it belongs')
  t.same((await client.session()).data, { visits: 2 })
  await client.post('/app/logout')
  t.equal((await client.get('/app')).body, 'none', 'also of what it came with, nothing is left')
  await client.post('/deep/er/set')
  t.equal((await client.get('/deep/er')).body, 'x=1')
  t.equal((await client.get('/deep')).body, 'none')
})

t.test('followRedirects follows redirects with the cookies that they set', async (t) => {
  const { app } = await createShop()
  app.get('/loop', async (request, reply) => {
    request.session.visits = (request.session.visits ?? 0) + 1
    return reply.redirect('/loop')
  })
  const client = await createClient(app, { followRedirects: true })
  const login = await client.post('/login', { payload: { name: 'ada' } })
  t.same([login.statusCode, login.json()], [200, { userId: 7 }])
  const logout = await client.post('/logout')
  t.same([logout.statusCode, logout.json()], [200, {}])
  const loop = await client.get('/loop')
  t.equal(loop.statusCode, 302, 'a browser gives up, too')
  t.same((await client.session()).data, { visits: 21 })
})

t.test('a client of a named session reads that session', async (t) => {
  const { app } = await createApp()
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin' })
  const cookies = await sessionCookie(app, { visits: 1 })
  const client = await createClient<{ level: number }>(app, { decorator: 'admin', data: { level: 3 }, cookies })
  const { data } = await client.session()
  t.equal(data?.level, 3)
  t.match(client.jar.header(), /^session=s2.*; admin=s2/)
})

t.test('a client without a session needs no plugin in the application', async (t) => {
  const { app, store } = await createStoredApp()
  await createClient(app, { cookies: 'theme=dark' })
  app.get('/', async () => '')
  t.same(store.takeCalls(), [])
})

t.test('wrong options are refused', async (t) => {
  const { app } = await createApp()
  const refusals: [options: object, code: string][] = [
    [{ users: 7 }, 'ERR_SESSION_OPTION_UNKNOWN'],
    [{ cookies: { theme: 'dark' } }, 'ERR_SESSION_OPTION_INVALID'],
    [{ followRedirects: 5 }, 'ERR_SESSION_OPTION_INVALID'],
    [{ data: {} }, 'ERR_SESSION_VALUE'],
    [{ data: { get: 1 } }, 'ERR_SESSION_RESERVED_KEY'],
    [{ data: { visits: 1 }, decorator: 'admin' }, 'ERR_SESSION_NOT_REGISTERED']
  ]
  for (const [options, code] of refusals) {
    await t.rejects(createClient(app, options), { code }, JSON.stringify(options))
  }
})
