import { createHmac } from 'node:crypto'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { ReferenceFormat } from '../../lib/format/reference.ts'
import { MemoryRevocations, MemoryStore, session } from '../../lib/index.ts'
import { getLogin, getLoginGuards } from '../../lib/login/get-login.ts'
import { login } from '../../lib/login/login.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LoginOptions } from '../../types/login.ts'
import { createApp, SECRET } from '../helpers/app.ts'
import { ANA, BEN, createKitApp, createStoredKitApp, createTwoKitsApp, Member, ROOT } from '../helpers/login-app.ts'
import { close, listen, shakeHands } from '../helpers/sockets.ts'
import { deriveKey } from '../vectors/reference.ts'

const options: LoginOptions = { loadUser: () => ANA }

t.test('the members of the kit work after its onRequest hook', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  app.addHook('onRequest', async (request) => {
    const early = { code: 'ERR_SESSION_NOT_LOADED', message: /has not run its onRequest hook yet/ }
    t.equal(request.user, null, 'a log may look at any time')
    t.equal(request.authenticatedAt, null)
    t.throws(() => request.loadUser(), early)
    t.throws(() => request.login(ANA), early)
  })
  await app.register(login, options)
  app.addHook('onRequest', async (request) => {
    t.equal(request.user, null)
    t.equal(request.authenticatedAt, null)
    await t.rejects(request.confirmLogin(), { code: 'ERR_SESSION_LOGIN_REQUIRED' })
    await t.rejects(request.logoutOthers(), { code: 'ERR_SESSION_LOGIN_REQUIRED' })
    await t.rejects(request.rehashed(ANA), { code: 'ERR_SESSION_LOGIN_REQUIRED' })
    await request.login(ANA)
    t.equal(request.user, ANA)
    t.type(request.authenticatedAt, Date)
    t.equal(await request.loadUser(), ANA)
    await request.confirmLogin()
    await request.logout()
    t.equal(request.user, null)
  })
  app.get('/', async () => 'ok')
  t.equal((await app.inject('/')).statusCode, 200)
})

t.test(
  'early hooks and error handlers may look at a user who is not loaded; what decides by the user must not',
  async (t) => {
    const { app, warnings } = await createKitApp()
    const seen: unknown[] = []
    app.addHook('preValidation', async (request) => void (request.url === '/careless' && seen.push(request.user)))
    app.setErrorHandler(async (error: { code?: string }, request, reply) => {
      seen.push(request.user)
      return reply.code(500).send(error.code)
    })
    app.get('/careless', async (request) => request.user)
    const preHandler = async (request: FastifyRequest): Promise<void> => {
      if (request.user === BEN) throw new Error('banned')
    }
    app.get('/banned', { preHandler }, async () => 'let in')
    const ana = new Member(app)
    await ana.login(1)
    for (let count = 0; count < 2; count++) t.equal((await ana.get('/careless')).body, 'ERR_SESSION_NOT_LOADED')
    t.same(seen, [null, null, null, null])
    t.match(warnings(), [{ reason: 'not-loaded' }])
    t.equal(warnings().length, 1)
    t.equal((await ana.get('/banned')).body, 'ERR_SESSION_NOT_LOADED')
  }
)

t.test('hooks on the way out may look, also those that were added before the kit', async (t) => {
  const app = fastify()
  const seen: unknown[] = []
  const look = (request: FastifyRequest): void => void seen.push(request.user, request.authenticatedAt)
  app.addHook('preSerialization', async (request, _reply, payload) => {
    look(request)
    return payload
  })
  app.addHook('onError', async (request) => look(request))
  app.addHook('onSend', async (request, _reply, payload) => {
    look(request)
    return payload
  })
  await app.register(session, { secret: SECRET })
  await app.register(login, options)
  app.post('/login', async (request) => request.login(ANA))
  app.get('/', async () => ({}))
  app.get('/sent', (_request, reply) => void reply.send({}))
  app.get('/fail', async () => {
    throw Object.assign(new Error('the real cause'), { statusCode: 503 })
  })
  const preHandler = (_request: FastifyRequest, _reply: unknown, done: (error: Error) => void): void =>
    done(new Error('the real cause'))
  app.get('/refused', { preHandler }, async () => '')
  const visitor = await createClient(app)
  await visitor.post('/login')
  for (const [url, status, body, looks] of [
    ['/', 200, '{}', 2],
    ['/sent', 200, '{}', 2],
    ['/fail', 503, /the real cause/, 2],
    ['/refused', 500, /the real cause/, 2]
  ] as const) {
    seen.length = 0
    const response = await visitor.get(url)
    t.equal(response.statusCode, status, url)
    t.match(response.body, body)
    t.same(seen, Array(2 * looks).fill(null))
  }
})

t.test('a callback is refused at once', async (t) => {
  const { app } = await createKitApp()
  app.get('/', async (request) => {
    const untyped = request as unknown as Record<string, (...values: unknown[]) => unknown>
    const refused = { code: 'ERR_SESSION_VALUE', message: /returns a promise; it takes no callback/ }
    for (const method of ['login', 'logout', 'loadUser', 'confirmLogin', 'logoutOthers', 'rehashed']) {
      t.throws(() => untyped[method]?.(ANA, () => {}), refused, method)
      t.throws(() => untyped[method]?.(ANA, {}, () => {}), refused, method)
    }
    return request.user
  })
  t.equal((await app.inject('/')).body, 'null')
})

t.test('a request that does not use the kit costs no call and sends no cookie', async (t) => {
  const { app, store, loads } = await createStoredKitApp()
  const ana = new Member(app)
  await ana.login(1, { remember: true })
  ana.restart()
  store.takeCalls()
  const response = await ana.get('/public')
  t.same(setCookieLines(response), [])
  t.same(store.takeCalls(), [])
  t.same(loads, [])
})

t.test('the id of a remembered session is an HMAC of the token under a key of its own', async (t) => {
  const { app } = await createStoredKitApp()
  const ana = new Member(app)
  await ana.login(1, { remember: true })
  ana.restart()
  const payloadOf = (name: 'session' | 'remember'): string => String(ana.cookie(name).split('.')[1])
  const token = payloadOf('remember')
  await ana.get('/who')
  const key = deriveKey(Buffer.from(SECRET), 'remembered').toString('hex')
  t.equal(payloadOf('session'), createHmac('sha256', key).update(`session remember=${token}`).digest('base64url'))
})

t.test('the kit needs a session, and a store for the option remember', async (t) => {
  const start = (app: ReturnType<typeof fastify>, more: object = {}): Promise<unknown> =>
    Promise.resolve(app.register(login, { ...options, ...more }))
  await t.rejects(start(fastify()), { code: 'ERR_SESSION_NOT_REGISTERED', message: /needs request\.session/ })
  const { app } = await createApp()
  await t.rejects(start(app, { decorator: 'admin' }), { message: /needs request\.admin/ })
  const { app: other } = await createApp()
  await t.rejects(start(other, { remember: true }), { code: 'ERR_SESSION_STORE_REQUIRED' })
  const { app: stored } = await createApp({ store: new MemoryStore({ pruneInterval: 0 }) })
  await t.rejects(start(stored, { remember: { cookieName: 'session' } }), { code: 'ERR_SESSION_DUPLICATE' })
  const { app: wrong } = await createApp()
  await t.rejects(start(wrong, { protection: 'weak' }), { code: 'ERR_SESSION_OPTION_INVALID' })
})

t.test('a name that is taken is refused with the likely cause', async (t) => {
  for (const name of [
    'user',
    'authenticatedAt',
    'loadUser',
    'login',
    'logout',
    'confirmLogin',
    'logoutOthers',
    'rehashed'
  ]) {
    const { app } = await createApp()
    app.decorateRequest(name as 'taken', null)
    await t.rejects(Promise.resolve(app.register(login, options)), {
      code: 'ERR_SESSION_DUPLICATE',
      message: new RegExp(`^request\\.${name} exists already: the login kit, @fastify/passport`)
    })
  }
})

t.test('a kit with a name adds only its user', async (t) => {
  const { app } = await createApp()
  // As another plugin may do.
  for (const name of ['user', 'login', 'logout']) app.decorateRequest(name as 'taken', null)
  app.decorate('loginRequired' as 'taken', () => 'taken')
  await app.register(login<'adminUser'>, { userDecorator: 'adminUser', loadUser: () => ROOT, loginPath: '/login' })
  t.equal((app as unknown as { loginRequired(): unknown }).loginRequired(), 'taken')
  app.addHook('onRequest', async (request) => t.equal(request.adminUser, null))
  app.post('/in', async (request) => {
    await getLogin(request, 'adminUser').login(ROOT)
    return request.adminUser
  })
  app.get('/careless', async (request) => request.adminUser)
  app.get(
    '/',
    getLoginGuards(app, 'adminUser')
      .loginRequired()
      .handle(async ({ adminUser }) => adminUser.email)
  )
  const root = new Member(app)
  t.match((await root.submit('/in')).json(), ROOT)
  t.equal(await root.read('/'), ROOT.email)
  t.match((await root.get('/careless')).json(), {
    code: 'ERR_SESSION_NOT_LOADED',
    message: /^request\.adminUser has not been loaded\..*await getLogin\(request, 'adminUser'\)\.loadUser\(\) first\.$/
  })
})

t.test('a hook that looks too early is told where to look, in the words of its kit', async (t) => {
  const { app, warnings } = await createTwoKitsApp()
  app.addHook('preValidation', async (request) => void [request.user, request.adminUser])
  const both = new Member(app)
  await both.login(1)
  await both.submit('/admin/login', { id: 1 })
  await both.get('/me')
  t.match(
    warnings().map(({ msg }) => msg),
    [
      /^request\.user was read.*await request\.loadUser\(\) first.*sessionOf\(request\)/,
      /^request\.adminUser was read.*await getLogin\(request, 'adminUser'\)\.loadUser.*sessionOf\(request, 'adminSession'\)/
    ]
  )
})

t.test('kits that would get in the way of each other are refused when they are registered', async (t) => {
  const duplicate = (message: RegExp) => ({ code: 'ERR_SESSION_DUPLICATE', message })
  const add = async (app: FastifyInstance, more: object): Promise<unknown> =>
    app.register(login<'adminUser'>, { userDecorator: 'adminUser', loadUser: () => ROOT, ...more })
  const store = (): MemoryStore => new MemoryStore({ pruneInterval: 0 })

  const { app: oneSession } = await createApp()
  await oneSession.register(login, options)
  await t.rejects(
    add(oneSession, {}),
    duplicate(/has the same session.*another decorator and cookieName.*option decorator/)
  )

  for (const userDecorator of ['adminUser', 'third', 'session', 'adminSession']) {
    const { app: oneName } = await createTwoKitsApp()
    await oneName.register(session, { secret: SECRET, decorator: 'third', cookieName: 'third' })
    const taken = new RegExp(`^request\\.${userDecorator} exists already.*another userDecorator`)
    await t.rejects(add(oneName, { decorator: 'third', userDecorator }), duplicate(taken))
  }

  for (const shared of [{ store: store() }, { revocations: new MemoryRevocations() }]) {
    const { app: oneStore } = await createApp(shared)
    await oneStore.register(login, options)
    await oneStore.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin', ...shared })
    await t.rejects(add(oneStore, { decorator: 'admin' }), duplicate(/same store or list of revocations/))
  }

  const { app: oneCookie } = await createApp({ store: store() })
  await oneCookie.register(login, { ...options, remember: true })
  await oneCookie.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin', store: store() })
  await t.rejects(add(oneCookie, { decorator: 'admin', remember: true }), duplicate(/The cookie 'remember' belongs to/))
})

t.test('kits in sibling scopes need sessions of their own', async (t) => {
  const { app } = await createApp()
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin' })
  const add = (more: object): Promise<unknown> =>
    Promise.resolve(app.register(async (scope) => void (await scope.register(login, { ...options, ...more }))))
  await add({})
  await t.resolves(add({ decorator: 'admin' }))
  await t.rejects(add({}), { code: 'ERR_SESSION_DUPLICATE', message: /accept the users of the other/ })
})

t.test('sessions can be revoked without remembered logins', async (t) => {
  const { app } = await createKitApp({ store: (clock) => new MemoryStore({ clock, pruneInterval: 0 }) })
  const ana = new Member(app)
  await ana.login(1)
  await app.sessions.revoke(await ana.read('/id'))
  t.equal(await ana.read('/who'), 'nobody')
  await ana.login(1)
  t.equal(await app.sessions.revokeAll('1'), 1)
  t.equal(await ana.read('/who'), 'nobody')
})

t.test('the 101 of a WebSocket carries the remember cookie', async (t) => {
  const { app } = await createStoredKitApp()
  t.teardown(() => app.close())
  await app.register(websocket)
  app.get('/in', { websocket: true, preHandler: (request) => request.login(ANA, { remember: true }) }, () => {})
  app.get('/out', { websocket: true }, () => {})
  const address = await listen(app)
  const { setCookies: lines, socket } = await shakeHands(`${address}/in`)
  await close(socket)
  t.same(lines.map((line) => line.split('=')[0]).sort(), ['remember', 'session'])
  const silent = await shakeHands(`${address}/out`)
  await close(silent.socket)
  t.same(silent.setCookies, [])
})

t.test('the value of one cookie does not open as another cookie', async (t) => {
  const { app } = await createStoredKitApp()
  const ana = new Member(app)
  await ana.login(1, { remember: true })
  const [id, token] = [ana.cookie('session'), ana.cookie('remember')]
  for (const cookie of [`session=${token}`, `remember=${id}`]) {
    t.equal((await app.inject({ url: '/who', headers: { cookie } })).body, 'nobody')
  }
  const keys = deriveKeys([Buffer.from(SECRET)], 'reference')
  t.equal(new ReferenceFormat(keys, 'session remember').verify(token), undefined)
  t.equal(new ReferenceFormat(keys, 'remember').verify(token), 'bad-signature')
})

t.test(
  'the default clock is that of the process at each call, so that fake timers installed later count',
  async (t) => {
    const app = fastify()
    await app.register(session, { secret: SECRET })
    await app.register(login, options)
    app.get('/', async (request) => {
      await request.login(ANA)
      return { at: request.authenticatedAt }
    })
    t.intercept(Date, 'now', { value: () => Date.UTC(2040, 0, 1) })
    t.same((await app.inject('/')).json(), { at: '2040-01-01T00:00:00.000Z' })
  }
)

t.test('a remembered login ends with its session, also in a route outside of the scope of the kit', async (t) => {
  const { app } = await createApp({ store: (clock) => new MemoryStore({ clock, pruneInterval: 0 }) })
  await app.register(async (scope) => {
    await scope.register(login, { loadUser: () => ANA, remember: true })
    scope.post('/login', async (request) => {
      await request.login(ANA, { remember: true })
      return ''
    })
    scope.get('/who', async (request) => (await request.loadUser())?.name ?? 'nobody')
    scope.post('/inside', async ({ session }) => session.destroy())
  })
  app.post('/outside', async ({ session }) => session.destroy())
  const log = async (): Promise<Member> => {
    const ana = new Member(app)
    await ana.submit('/login')
    t.equal(await ana.read('/who'), 'Ana')
    return ana
  }
  const endings = [
    (ana: Member) => ana.submit('/outside'),
    // Where the browser does not send the cookie that remembers it.
    (ana: Member) =>
      app.inject({ method: 'POST', url: '/outside', headers: { cookie: `session=${ana.cookie('session')}` } }),
    (ana: Member) => ana.submit('/inside'),
    async () => {
      const [{ handle = '' } = {}] = await app.sessions.list('1')
      await app.sessions.revoke(handle)
    },
    () => app.sessions.revokeAll('1')
  ]
  for (const end of endings) {
    const ana = await log()
    await end(ana)
    ana.restart()
    t.equal(await ana.read('/who'), 'nobody')
  }
  t.equal((await new Member(app).submit('/outside')).statusCode, 200, 'a stranger has nothing to forget')
})
