import websocket from '@fastify/websocket'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { requireSession, sameOriginOnly, sessionOf } from '../../lib/index.ts'
import type { LoginOptions, User } from '../../lib/login/index.ts'
import { login } from '../../lib/login/index.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import type { KitApp } from '../helpers/login-app.ts'
import { ANA, createKitApp, createStoredKitApp, Member, tellEventsOf } from '../helpers/login-app.ts'
import { close, listen, shakeHands } from '../helpers/sockets.ts'
import type { Tokens } from '../helpers/tokens.ts'
import { bearer, createTokens, OF_PROXY } from '../helpers/tokens.ts'

const BROWSER = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
const CROSS_SITE = { 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' }
const roles = (user: User): string[] => user.roles

async function createTokenApp(
  options: Parameters<typeof createKitApp>[0] = {},
  kit: Partial<LoginOptions> = {}
): Promise<KitApp & Tokens> {
  const tokens = createTokens()
  const { authenticate } = tokens
  return { ...(await createKitApp(options, { authenticate, roles, ...kit })), ...tokens }
}

for (const { mode, options } of MODES) {
  t.test(`${mode}: a token passes the guards, and makes no session`, async (t) => {
    const { app, asked, loads } = await createTokenApp(options)
    app.get(
      '/admin',
      app.requireRole('admin').handle(async ({ user }) => user.name)
    )
    app.get(
      '/write',
      app.loginRequired().handle(async ({ session, user }) => {
        session.visits = 1
        return user.name
      })
    )
    const program = new Member(app)
    for (const url of ['/me', '/who', '/admin', '/write']) {
      const response = await program.get(url, { headers: bearer('ana') })
      t.equal(response.body, 'Ana', url)
      t.same(setCookieLines(response), [], url)
      t.equal(response.headers.vary, 'Authorization', url)
    }
    t.match((await program.get('/admin', { headers: bearer('ben') })).json(), { code: 'ERR_SESSION_FORBIDDEN' })
    t.equal(asked.length, 5, 'once per request')
    t.same(loads, [])
    t.equal((await program.get('/public', { headers: bearer('ana') })).headers.vary, undefined)
    t.equal(asked.length, 5, 'not where nobody asks for the user')
  })

  t.test(`${mode}: the token decides, and the session that comes along is neither read nor changed`, async (t) => {
    const { app, clock, loads } = await createTokenApp(options)
    const seen: unknown[] = []
    app.get(
      '/both',
      app.loginRequired().handle(async (request) => {
        const { session, user } = request
        seen.push({ ...session }, session.ownerId, sessionOf(request), session.isNew)
        session.visits = 9
        session.setOwner('2')
        return user.name
      })
    )
    const ana = new Member(app)
    await ana.login(1)
    await ana.get('/cart')
    const before = [ana.cookie('session'), await ana.read('/data')]
    loads.length = 0
    // Its activity would be due.
    clock.advance(3_600)
    const decisions = await decisionsOf(async () => {
      const response = await ana.get('/both', { headers: bearer('ben') })
      t.equal(response.body, 'Ben')
      t.same(setCookieLines(response), [])
    })
    t.same(decisions.slice(-2), ['open: token', 'commit: token'])
    t.same(seen, [{}, undefined, undefined, true])
    t.same(loads, [])
    t.same([ana.cookie('session'), await ana.read('/data')].slice(1), before.slice(1))
    t.equal(await ana.read('/me'), 'Ana')
  })

  t.test(`${mode}: a bad token is nobody, also beside a good session`, async (t) => {
    const { app } = await createTokenApp(options)
    const ana = new Member(app)
    await ana.login(1)
    const cookie = ana.cookie('session')
    t.same(
      await tellEventsOf(async () => {
        const response = await ana.get('/me', { headers: { ...bearer('stolen'), ...BROWSER } })
        t.match(response.json(), { statusCode: 401, code: 'ERR_SESSION_LOGIN_REQUIRED' }, 'never a redirect')
        t.equal(response.headers['www-authenticate'], 'Bearer error="invalid_token"')
        t.equal(response.headers.vary, 'Authorization')
        t.notMatch(response.body, /stolen/)
      }),
      ['refused nobody not-logged-in']
    )
    t.equal((await ana.get('/who', { headers: bearer('stolen') })).body, 'nobody')
    t.equal(ana.cookie('session'), cookie)
    t.equal(await ana.read('/me'), 'Ana')
  })

  t.test(`${mode}: what a proxy asks for logs nobody out`, async (t) => {
    const { app } = await createTokenApp(options)
    const ana = new Member(app)
    const login = await ana.submit('/login', { id: 1 }, OF_PROXY)
    t.equal(login.statusCode, 200)
    t.equal((await ana.get('/me', { headers: OF_PROXY })).body, 'Ana')
    t.equal((await ana.submit('/confirm', {}, OF_PROXY)).statusCode, 200)
    const stranger = await new Member(app).get('/me', { headers: { ...OF_PROXY, ...BROWSER } })
    t.match(stranger.headers.location, /^\/login($|\?)/, 'a browser without a login goes to log in')
    t.equal((await ana.submit('/logout', {}, { ...OF_PROXY, ...CROSS_SITE })).statusCode, 403)
    t.equal((await ana.submit('/logout', {}, OF_PROXY)).statusCode, 200)
    t.equal(await ana.read('/who'), 'nobody')
  })
}

t.test('without a token, a client learns how to authenticate, and a browser goes to log in', async (t) => {
  const { app } = await createTokenApp({}, { challenge: 'Bearer realm="shop"' })
  app.get(
    '/hidden',
    app.loginRequired({ status: 404 }).handle(async () => '')
  )
  const program = await new Member(app).get('/me')
  t.equal(program.statusCode, 401)
  t.equal(program.headers['www-authenticate'], 'Bearer realm="shop"')
  const browser = await new Member(app).get('/me', { headers: BROWSER })
  t.equal(browser.headers.location, '/login')
  t.equal(browser.headers['www-authenticate'], undefined)
  t.match(String(browser.headers.vary), /Authorization/)
  const hidden = await new Member(app).get('/hidden', { headers: bearer('stolen') })
  t.equal(hidden.statusCode, 404)
  t.equal(hidden.headers['www-authenticate'], undefined, 'a hidden route gives no hint')
  const { app: plain } = await createKitApp()
  t.equal((await new Member(plain).get('/me')).headers['www-authenticate'], undefined)
})

t.test('a token is never fresh', async (t) => {
  const { app } = await createTokenApp()
  const response = await new Member(app).get('/fresh', { headers: { ...bearer('ana'), ...BROWSER } })
  t.match(response.json(), { statusCode: 403, code: 'ERR_SESSION_NOT_FRESH' })
  t.equal(response.headers['www-authenticate'], undefined)
  t.same((await new Member(app).get('/at', { headers: bearer('ana') })).json(), { at: null })
})

t.test('an application that cannot tell fails the request, and logs nobody in', async (t) => {
  const { app, asked } = await createTokenApp()
  const ana = new Member(app)
  await ana.login(1)
  for (const url of ['/me', '/who', '/fresh']) {
    const response = await ana.get(url, { headers: bearer('down') })
    t.match(response.json(), { statusCode: 503, message: 'the database of tokens is down' }, url)
  }
  t.equal(asked.length, 3)
  for (const url of ['/login', '/logout', '/confirm', '/logout-others']) {
    t.equal((await ana.submit(url, { id: 2 }, bearer('down'))).statusCode, 503, url)
  }
  t.equal(await ana.read('/me'), 'Ana')
})

t.test('calls that begin or end a login are refused, and change nothing', async (t) => {
  const { authenticate } = createTokens()
  const { app, store } = await createStoredKitApp({ remember: true, authenticate })
  app.post('/rehashed', async (request) => request.rehashed(ANA))
  app.post('/destroy', async (request) => {
    await request.loadUser()
    await request.session.destroy()
    return ''
  })
  app.post('/commit', async (request) => {
    await request.loadUser()
    request.session.visits = 1
    await request.session.commit()
  })
  const ana = new Member(app)
  await ana.login(1, { remember: true })
  const cookies = ana.jar.header()
  store.takeCalls()
  for (const token of ['ben', 'stolen']) {
    for (const url of ['/login', '/logout', '/confirm', '/logout-others', '/rehashed', '/commit']) {
      const response = await ana.submit(url, { id: 2 }, bearer(token))
      t.match(response.json(), { statusCode: 400, code: 'ERR_SESSION_TOKEN' }, url)
      t.same(setCookieLines(response), [])
    }
  }
  t.equal((await ana.submit('/destroy', {}, bearer('ben'))).statusCode, 200)
  t.same(
    store.takeCalls().filter((call) => !String(call).startsWith('load')),
    []
  )
  t.equal(ana.jar.header(), cookies)
  t.equal(await ana.read('/me'), 'Ana')
  ana.restart()
  t.equal(await ana.read('/me'), 'Ana', 'the browser is remembered still')
})

t.test('a token does not use what remembers the browser', async (t) => {
  const { authenticate } = createTokens()
  const { app } = await createStoredKitApp({ remember: true, authenticate })
  const ana = new Member(app)
  await ana.login(1, { remember: true })
  ana.restart()
  const before = ana.cookie('remember')
  t.equal((await ana.get('/who', { headers: bearer('ben') })).body, 'Ben')
  t.equal((await ana.get('/who', { headers: bearer('stolen') })).body, 'nobody')
  t.equal(ana.cookie('remember'), before)
  t.equal(await ana.read('/who'), 'Ana')
})

t.test('the data of a session do not count for the user of a token', async (t) => {
  const { app } = await createTokenApp()
  app.post('/mfa', async ({ session }) => {
    session.visits = 2
    return ''
  })
  const passed = requireSession(({ visits }) => visits === 2)
  for (const [url, guards] of [
    ['/before', [passed, app.loginRequired()]],
    ['/after', [app.loginRequired(), passed]]
  ] as const) {
    app.get(url, { preHandler: [...guards] }, async ({ user }) => user?.name)
  }
  const keyed = requireSession('visits', { redirectTo: '/start' })
  app.get('/keyed', { preHandler: [keyed] }, async () => 'in')
  const thief = new Member(app)
  await thief.login(2)
  await thief.submit('/mfa')
  for (const url of ['/before', '/after']) {
    t.equal(await thief.read(url), 'Ben', url)
    t.match((await thief.get(url, { headers: bearer('ana') })).json(), { code: 'ERR_SESSION_FORBIDDEN' }, url)
  }
  const refused = await thief.get('/keyed', { headers: { ...bearer('ana'), ...BROWSER } })
  t.match(refused.json(), { statusCode: 401 }, 'never a redirect')
  t.equal(refused.headers['www-authenticate'], 'Bearer error="invalid_token"')
  t.equal((await thief.get('/keyed', { headers: { ...OF_PROXY } })).body, 'in')
})

t.test('CSRF rules do not apply to a token, but to what browsers send by themselves', async (t) => {
  const asked: string[] = []
  const authenticate = ({ headers: { authorization = '' } }: FastifyRequest): User | null => {
    asked.push(authorization)
    return authorization === 'Bearer ana' || authorization.startsWith('Basic') ? ANA : null
  }
  const { app } = await createKitApp({}, { authenticate })
  app.post('/pay', { onRequest: sameOriginOnly(), preHandler: app.loginRequired() }, async ({ user }) => user?.name)
  const send = async (headers: Record<string, string>) => (await new Member(app).submit('/pay', {}, headers)).statusCode
  t.equal(await send({ ...CROSS_SITE, ...bearer('ana') }), 200)
  t.equal(await send({ ...CROSS_SITE, ...bearer('stolen') }), 401)
  t.equal(await send({ ...CROSS_SITE, authorization: 'Basic YW5hOmE=' }), 403)
  t.equal(await send({ authorization: 'Basic YW5hOmE=' }), 200)
  t.equal(await send(CROSS_SITE), 403)
  const ana = new Member(app)
  await ana.login(1)
  t.equal((await ana.submit('/pay', {}, CROSS_SITE)).statusCode, 403)
  asked.length = 0
  await send({ ...CROSS_SITE, ...bearer('ana') })
  t.equal(asked.length, 1, 'the hook and the guard share one answer')
})

t.test('a token that a hook has made of a cookie counts, and CSRF rules apply to it', async (t) => {
  const { app } = await createTokenApp()
  await app.register(async (scope) => {
    scope.addHook('onRequest', async (request) => {
      const [, token] = /\btoken=(\w+)/.exec(request.headers.cookie ?? '') ?? []
      if (request.url === '/mutated') request.raw.headers.authorization = `Bearer ${token}`
      else request.headers = { authorization: `Bearer ${token}` }
    })
    scope.addHook('onRequest', sameOriginOnly())
    const isEmpty = requireSession((session) => Object.keys(session).length === 0)
    for (const url of ['/mutated', '/added'])
      scope.post(url, { preHandler: [isEmpty, app.loginRequired()] }, async ({ user }) => user?.name)
  })
  const ben = new Member(app)
  await ben.login(2)
  ben.jar.take({ headers: { 'set-cookie': 'token=ana; Path=/' } })
  for (const url of ['/mutated', '/added']) {
    t.equal((await ben.submit(url)).body, 'Ana', 'a session and a token never mix')
    t.equal((await ben.submit(url, {}, CROSS_SITE)).statusCode, 403)
    t.equal((await ben.submit(url, {}, { ...CROSS_SITE, ...bearer('x') })).statusCode, 403)
  }
})

t.test('a failing application fails the CSRF check, too', async (t) => {
  const { app } = await createTokenApp()
  app.post('/pay', { onRequest: sameOriginOnly() }, async () => 'paid')
  const response = await new Member(app).submit('/pay', {}, { ...CROSS_SITE, ...bearer('down') })
  t.equal(response.statusCode, 503)
})

t.test('a hook before the kit knows of no token', async (t) => {
  const { app } = await createApp()
  app.addHook('onRequest', sameOriginOnly())
  const { authenticate } = createTokens()
  await app.register(login, { loadUser: () => null, authenticate })
  app.post('/pay', async () => 'paid')
  t.equal((await new Member(app).submit('/pay', {}, { ...CROSS_SITE, ...bearer('ana') })).statusCode, 403)
})

t.test('a route without sessions takes tokens', async (t) => {
  const { app } = await createTokenApp()
  app.get(
    '/api',
    app.loginRequired().handle({ config: { session: false } }, async ({ user }) => user.name)
  )
  t.equal((await new Member(app).get('/api', { headers: bearer('ana') })).body, 'Ana')
  t.match((await new Member(app).get('/api')).json(), { code: 'ERR_SESSION_DISABLED' })
})

t.test('every method is guarded', async (t) => {
  const { app } = await createTokenApp()
  app.route({
    method: ['GET', 'HEAD', 'OPTIONS', 'DELETE'],
    url: '/all',
    preHandler: app.loginRequired(),
    handler: async () => 'in'
  })
  for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE'] as const) {
    t.equal((await app.inject({ method, url: '/all', headers: bearer('ana') })).statusCode, 200, method)
    t.equal((await app.inject({ method, url: '/all', headers: bearer('stolen') })).statusCode, 401, method)
  }
})

t.test('request.user of a token is not there before it was asked for', async (t) => {
  const { app } = await createTokenApp()
  app.get('/careless', async (request) => request.user?.name)
  app.get(
    '/early',
    { preHandler: async (request) => void (await request.loadUser()) },
    async (request) => request.user?.name
  )
  const program = new Member(app)
  t.match((await program.get('/careless', { headers: bearer('ana') })).json(), { code: 'ERR_SESSION_NOT_LOADED' })
  t.equal((await program.get('/early', { headers: bearer('ana') })).body, 'Ana')
})

t.test('a token that is revoked while a WebSocket is open is nobody', async (t) => {
  const { app, users } = await createTokenApp()
  t.teardown(() => app.close())
  await app.register(websocket)
  let request: FastifyRequest | undefined
  app.get('/chat', { websocket: true, preHandler: app.loginRequired() }, (_socket, opened) => {
    request = opened
  })
  const address = await listen(app)
  const { status } = await shakeHands(`${address}/chat`).catch(() => ({ status: 401 }))
  t.equal(status, 401)
  const { socket, setCookies } = await shakeHands(`${address}/chat`, bearer('ana'))
  t.same(setCookies, [])
  t.equal((await request?.loadUser({ fresh: true }))?.name, 'Ana')
  users.delete('ana')
  t.equal(await request?.loadUser({ fresh: true }), null)
  await close(socket)
})

t.test('writing to a session that a token has set aside is said in the log, without the token', async (t) => {
  const { app, logs, warnings } = await createTokenApp()
  app.get(
    '/write',
    app.loginRequired().handle(async ({ session }) => {
      session.visits = 1
      return ''
    })
  )
  app.get('/late', async (request) => {
    request.session.visits = 1
    await request.loadUser()
    return { ...request.session }
  })
  const program = new Member(app)
  await program.get('/write', { headers: bearer('ana') })
  t.match(warnings(), [{ reason: 'token' }])
  const late = await program.get('/late', { headers: bearer('ana') })
  t.same([late.json(), setCookieLines(late)], [{}, []])
  await program.get('/me', { headers: bearer('stolen') })
  t.notMatch(JSON.stringify(logs), /Bearer (ana|stolen)|"(ana|stolen)"/)
})
