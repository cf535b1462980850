import cors from '@fastify/cors'
import csrf from '@fastify/csrf-protection'
import fastify from 'fastify'
import t from 'tap'
import { deviceBound } from '../../../lib/device-bound/index.ts'
import { loginRequired, MemoryStore, sameOriginOnly, session } from '../../../lib/index.ts'
import { FakeClock } from '../../../lib/testing/fake-clock.ts'
import { SECRET, START } from '../../helpers/app.ts'
import { createBoundBrowser, createDeviceApp, deviceEventsOf } from '../../helpers/device-app.ts'
import { challengeIn, DeviceBrowser, refreshToken } from '../../helpers/device-browser.ts'
import { RecordingStore } from '../../helpers/recording-store.ts'

const HTTPS = { host: 'app.test', 'x-forwarded-proto': 'https' }

t.test('the routes stand before guards, tokens against CSRF, and what reads bodies', async (t) => {
  const clock = new FakeClock(START)
  const app = fastify({ trustProxy: true })
  await app.register(session, { secret: SECRET, clock: clock.now })
  await app.register(deviceBound)
  await app.register(cors, { origin: true, credentials: true })
  await app.register(csrf, { sessionPlugin: '@fastify/session' })
  app.addHook('onRequest', sameOriginOnly())
  app.addHook('preHandler', loginRequired({ key: 'name', redirectTo: '/login' }))
  app.addHook('preParsing', async () => {
    throw new Error('a body was to be read')
  })
  app.addHook('preValidation', async () => {
    throw new Error('a request was validated')
  })
  app.removeAllContentTypeParsers()
  await app.register(async (scope) => {
    scope.addHook('preHandler', (request, reply, done) => app.csrfProtection(request, reply, done))
  })
  app.get(
    '/login',
    {
      onRequest: async ({ session }, reply) => {
        session.setOwner('7')
        return reply.send('logged in')
      }
    },
    async () => 'never'
  )
  app.get(
    '/me',
    { onRequest: async ({ session }, reply) => reply.send({ isBound: session.device !== undefined }) },
    async () => 'never'
  )

  const browser = new DeviceBrowser(app, clock.now)
  await browser.get('/login')
  t.same(browser.ownRequests, ['POST /session/device/register 200'])
  clock.advance(700)
  const foreign = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.test', 'content-type': 'text/unknown' }
  const asked = await browser.sendAsIs({
    method: 'POST',
    url: '/session/device/refresh',
    headers: { ...foreign, 'sec-secure-session-id': browser.session?.identifier },
    payload: 'a body'
  })
  t.equal(asked.statusCode, 403)
  const { session: bound } = browser
  const reply = await browser.sendAsIs({
    method: 'POST',
    url: '/session/device/refresh',
    headers: {
      ...foreign,
      'sec-secure-session-id': bound?.identifier,
      'secure-session-response': refreshToken(bound?.keys as never, challengeIn(asked) ?? '')
    }
  })
  t.equal(reply.statusCode, 200)
  t.same((await browser.get('/me')).json(), { isBound: true })
  for (const { headers } of [asked, reply]) {
    t.equal(headers['cross-origin-resource-policy'], 'same-origin')
    t.equal(headers['cache-control'], 'no-store')
    t.equal(headers.location, undefined)
    t.same(
      Object.keys(headers).filter((name) => name.startsWith('access-control-')),
      [],
      'no CORS'
    )
  }
})

t.test('what the browser is told', async (t) => {
  const { app, clock } = await createDeviceApp(
    { cookieName: '__Host-session', cookie: { sameSite: 'strict', priority: 'high' } },
    { path: '/auth/device', refreshEvery: 60 }
  )
  const browser = new DeviceBrowser(app, clock.now)
  browser.isCapable = false
  const offer = (await browser.post('/login')).headers['secure-session-registration']
  t.match(offer, /^\(ES256 RS256\);path="\/auth\/device\/register";challenge="c1[\w-]{6}\d{10}\.[\w-]{11}\.[\w-]{43}"$/)
  const [, challenge = ''] = /challenge="(.*)"/.exec(String(offer)) ?? []
  const reply = await browser.register({ path: '/auth/device/register', challenge })
  t.match(reply.json(), {
    session_identifier: /^d[\w-]{22}$/,
    refresh_url: '/auth/device/refresh',
    scope: { origin: 'https://app.test', include_site: false, scope_specification: [] },
    credentials: [
      { type: 'cookie', name: '__Host-session-device', attributes: 'Path=/; HttpOnly; Secure; SameSite=Strict' }
    ]
  })
  t.equal(reply.headers['content-type'], 'application/json; charset=utf-8')
  const line = [reply.headers['set-cookie']].flat().find((line) => line?.startsWith('__Host-session-device='))
  t.match(line, /^__Host-session-device=d1[\w.-]{158}; Max-Age=60; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
})

t.test('the paths are those that the browser sees', async (t) => {
  const app = fastify({ trustProxy: true })
  await app.register(
    async (scope) => {
      await scope.register(session, { secret: SECRET, basePath: '/shop' })
      await scope.register(deviceBound)
      scope.get('/login', async ({ session }) => session.setOwner('7'))
    },
    { prefix: '/v1' }
  )
  const { headers } = await app.inject({ url: '/v1/login', headers: HTTPS })
  t.match(headers['secure-session-registration'], ';path="/shop/v1/session/device/register";')
})

t.test('nothing is offered or bound over plain HTTP', async (t) => {
  const { app, browser } = await createBoundBrowser()
  const plain = await app.inject({ method: 'POST', url: '/login', headers: { host: 'app.test' } })
  t.equal(plain.headers['secure-session-registration'], undefined)
  for (const url of ['/session/device/register', '/session/device/refresh']) {
    const events = await deviceEventsOf(async () => {
      const headers = { host: 'app.test', cookie: browser.header, 'sec-secure-session-id': browser.session?.identifier }
      t.equal((await app.inject({ method: 'POST', url, headers })).statusCode, 400)
    })
    t.same(events, ['refused: insecure-transport'])
  }
})

t.test('a request that no browser has made gets no challenge, and no look at the store', async (t) => {
  const { app, browser } = await createBoundBrowser()
  const headers = { ...HTTPS, cookie: browser.header }
  const events = await deviceEventsOf(async () => {
    const refresh = await app.inject({ method: 'POST', url: '/session/device/refresh', headers })
    t.equal(refresh.statusCode, 400)
    t.equal(refresh.body, '{"continue":false}')
    t.equal(refresh.headers['secure-session-challenge'], undefined)
    t.equal((await app.inject({ method: 'POST', url: '/session/device/register', headers })).statusCode, 400)
    t.equal((await app.inject({ url: '/session/device/register', headers })).statusCode, 404)
  })
  t.same(events, ['refused: not-a-browser', 'refused: not-a-browser'])
})

t.test('a refresh for another device ends that one in the browser, and nothing else', async (t) => {
  const { app, browser, clock } = await createBoundBrowser()
  const events = await deviceEventsOf(async () => {
    const headers = { ...HTTPS, cookie: browser.header, 'sec-secure-session-id': 'd123456789012345678901' }
    t.equal((await app.inject({ method: 'POST', url: '/session/device/refresh', headers })).statusCode, 400)
    const stranger = { ...headers, cookie: '' }
    t.equal((await app.inject({ method: 'POST', url: '/session/device/refresh', headers: stranger })).statusCode, 400)
  })
  t.same(events, ['refused: other-device', 'refused: no-session'])
  clock.advance(700)
  t.ok((await browser.get('/me')).json().isProved)
})

t.test('while the store is down, the browser keeps the session and comes back', async (t) => {
  let isDown = false
  const clock = new FakeClock(START)
  const store = new RecordingStore(new MemoryStore({ clock: clock.now, pruneInterval: 0 }))
  const { load } = store
  store.load = async (key) => {
    if (isDown) throw new Error('the store is down')
    return load.call(store, key)
  }
  const { app } = await createDeviceApp({ store, clock: clock.now })
  const browser = new DeviceBrowser(app, clock.now)
  await browser.post('/login')
  clock.advance(700)
  isDown = true
  t.equal((await browser.get('/me')).statusCode, 503)
  t.ok(browser.session)
  isDown = false
  t.ok((await browser.get('/me')).json().isProved)
})

t.test('the sessions of an owner tell their devices', async (t) => {
  const clock = new FakeClock(START)
  const store = new MemoryStore({ clock: clock.now, pruneInterval: 0 })
  const { app } = await createDeviceApp({ store, clock: clock.now })
  const [bound, plain] = [new DeviceBrowser(app, clock.now), new DeviceBrowser(app, clock.now)]
  plain.isCapable = false
  await bound.post('/login')
  await plain.post('/login')
  clock.advance(700)
  await bound.get('/me')
  const sessions = await app.sessions.list('7')
  t.same(sessions.map(({ device }) => device).sort(), [
    { boundAt: START, lastProofAt: new Date(START.getTime() + 700_000) },
    undefined
  ])
  const { handle = '' } = sessions.find(({ device }) => device !== undefined) ?? {}
  await app.sessions.revoke(handle)
  t.notOk((await bound.get('/me')).json().isBound)
  clock.advance(700)
  await bound.get('/me')
  t.equal(bound.session, undefined)
})

t.test('two sessions of one application are bound apart from each other', async (t) => {
  const clock = new FakeClock(START)
  const app = fastify({ trustProxy: true })
  await app.register(session, { secret: SECRET, clock: clock.now })
  await app.register(session, { secret: SECRET, clock: clock.now, decorator: 'adminSession', cookieName: 'admin' })
  await app.register(deviceBound)
  await app.register(deviceBound, { decorator: 'adminSession', path: '/admin/device' })
  app.get('/login', async (request) => {
    const { adminSession } = request as unknown as { adminSession: typeof request.session }
    adminSession.setOwner('7')
    return 'logged in'
  })
  const browser = new DeviceBrowser(app, clock.now)
  await browser.get('/login')
  t.same([...browser.cookies.keys()], ['admin', 'admin-device'])
  t.same(browser.ownRequests, ['POST /admin/device/register 200'])
})
