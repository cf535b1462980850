import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { getSessions, MemoryStore, session } from '../../lib/index.ts'
import { getLogin, getLoginGuards, login } from '../../lib/login/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { MODES, REVOCABLE } from '../helpers/app.ts'
import { createKitApp, createTwoKitsApp, loginEventsOf, Member, ROOT } from '../helpers/login-app.ts'

const BROWSER = { accept: 'text/html' }
const STORED: LooseOptions = { store: (clock) => new MemoryStore({ clock, pruneInterval: 0 }) }

t.test('two kits in one scope log their users in and out without each other, in every mode', async (t) => {
  for (const { mode, options } of MODES) {
    const { app } = await createTwoKitsApp(options)
    const both = new Member(app)
    t.same((await both.submit('/admin/login', { id: 1 })).json(), { next: '/admin/me', email: ROOT.email }, mode)
    t.equal(await both.read('/who'), 'nobody', mode)
    await both.login(2)
    t.same([await both.read('/me'), await both.read('/admin/me')], ['Ben', ROOT.email], mode)
    t.same(both.names(), ['admin', 'session'], mode)
    await both.submit('/logout')
    t.same([await both.read('/who'), await both.read('/admin/who')], ['nobody', ROOT.email], mode)
    await both.login(1)
    await both.submit('/admin/logout')
    t.same([await both.read('/who'), await both.read('/admin/who')], ['Ana', 'nobody'], mode)
  }
})

t.test('guards of one kit never let in a user of the other, and each sends browsers to its own page', async (t) => {
  for (const { mode, options } of [...MODES, ...REVOCABLE]) {
    const { app } = await createTwoKitsApp(options)
    const ana = new Member(app)
    await ana.login(1)
    const root = new Member(app)
    await root.submit('/admin/login', { id: 1 })
    for (const url of ['/admin/me', '/admin/fresh', '/admin/owner']) {
      t.equal((await ana.get(url)).statusCode, 401, `${mode}: the id is that of an administrator`)
      const { location } = (await ana.get(url, { headers: BROWSER })).headers
      t.match(location, /^\/admin\/login/, mode)
      t.equal(await root.read(url), ROOT.email)
    }
    for (const url of ['/me', '/fresh']) {
      t.equal((await root.get(url)).statusCode, 401, mode)
      t.match((await root.get(url, { headers: BROWSER })).headers.location, /^\/login/, mode)
    }
  }
})

t.test('each kit leads back to its own page', async (t) => {
  for (const { mode, options } of MODES) {
    const { app } = await createTwoKitsApp(options)
    const visitor = new Member(app)
    const [toLogin, toAdmin] = ['/me?a=1', '/admin/me?b=2'].map((url) => visitor.get(url, { headers: BROWSER }))
    const [login = '', admin = ''] = [(await toLogin)?.headers.location, (await toAdmin)?.headers.location].map(String)
    t.match((await visitor.submit(admin, { id: 1 })).json(), { next: '/admin/me?b=2' }, mode)
    t.match((await visitor.submit(login, { id: 2 })).json(), { next: '/me?a=1' }, mode)
  }
})

t.test('the cookies of one kit open nothing in the other', async (t) => {
  for (const { mode, options } of [...MODES, ...REVOCABLE]) {
    const { app } = await createTwoKitsApp(options)
    const both = new Member(app)
    await both.login(1)
    await both.submit('/admin/login', { id: 1 })
    const [user, admin] = [both.cookie('session'), both.cookie('admin')]
    const swapped = { headers: { cookie: `session=${admin}; admin=${user}` } }
    t.equal((await app.inject({ url: '/who', ...swapped })).body, 'nobody', mode)
    t.equal((await app.inject({ url: '/admin/who', ...swapped })).body, 'nobody', mode)
  }
  const { app } = await createTwoKitsApp(STORED, { remember: true })
  const both = new Member(app)
  await both.login(1, { remember: true })
  await both.submit('/admin/login', { id: 1, remember: true })
  const [user, admin] = [both.cookie('remember'), both.cookie('admin-remember')]
  const cookie = `remember=${admin}; admin-remember=${user}`
  t.equal((await app.inject({ url: '/who', headers: { cookie } })).body, 'nobody')
  t.equal((await app.inject({ url: '/admin/who', headers: { cookie } })).body, 'nobody')
})

t.test('each kit remembers its own logins', async (t) => {
  const { app } = await createTwoKitsApp(STORED, { remember: true })
  const both = new Member(app)
  const restart = (): void => {
    both.forget('session')
    both.forget('admin')
  }
  await both.login(2, { remember: true })
  await both.submit('/admin/login', { id: 1, remember: true })
  t.same(both.names(), ['admin', 'admin-remember', 'remember', 'session'])
  restart()
  t.same([await both.read('/who'), await both.read('/admin/who')], ['Ben', ROOT.email])
  t.equal((await both.get('/admin/fresh')).json().code, 'ERR_SESSION_NOT_FRESH')
  const lines = setCookieLines(await both.submit('/logout'))
  t.notOk(
    lines.some((line) => line.startsWith('admin')),
    'the reply does not touch the cookies of the other kit'
  )
  restart()
  t.same([await both.read('/who'), await both.read('/admin/who')], ['nobody', ROOT.email])
  await both.submit('/admin/logout')
  restart()
  t.equal(await both.read('/admin/who'), 'nobody')
})

t.test('endings and limits are those of a session, although users of both kits have one id', async (t) => {
  for (const options of [STORED, ...REVOCABLE.map(({ options }) => options)]) {
    const { app } = await createTwoKitsApp(options)
    const [ana, root] = [new Member(app), new Member(app)]
    await ana.login(1)
    await root.submit('/admin/login', { id: 1 })
    await app.sessions.revokeAll('1')
    t.same([await ana.read('/who'), await root.read('/admin/who')], ['nobody', ROOT.email])
    await ana.login(1)
    await getSessions(app, 'adminSession').revokeAll('1')
    t.same([await ana.read('/who'), await root.read('/admin/who')], ['Ana', 'nobody'])
    await root.submit('/admin/login', { id: 1 })
    const elsewhere = new Member(app)
    await elsewhere.submit('/admin/login', { id: 1 })
    await elsewhere.submit('/admin/logout-others')
    t.same([await ana.read('/who'), await root.read('/admin/who')], ['Ana', 'nobody'])
  }
  const { app } = await createTwoKitsApp({ ...STORED, maxPerOwner: 1 } as LooseOptions)
  const [first, second] = [new Member(app), new Member(app)]
  await first.login(1)
  await second.submit('/admin/login', { id: 1 })
  t.same([await first.read('/who'), await second.read('/admin/who')], ['Ana', ROOT.email])
  await first.submit('/admin/login', { id: 1 })
  t.same([await first.read('/who'), await second.read('/admin/who')], ['Ana', 'nobody'])
})

t.test('events say which kit they are of', async (t) => {
  const { app } = await createTwoKitsApp()
  const both = new Member(app)
  const events = await loginEventsOf(async () => {
    await both.login(1)
    await both.submit('/admin/login', { id: 1 })
    await new Member(app).get('/admin/me')
    await both.submit('/admin/logout')
    await both.submit('/logout')
  })
  t.same(
    events.map(({ type, userDecorator, userId }) => [type, userDecorator, userId]),
    [
      ['login', 'user', '1'],
      ['login', 'adminUser', '1'],
      ['refused', 'adminUser', undefined],
      ['logout', 'adminUser', '1'],
      ['logout', 'user', '1']
    ]
  )
})

t.test('the end of a session of one kit forgets nothing of the other', async (t) => {
  const { app } = await createTwoKitsApp(STORED, { remember: true })
  app.post('/destroy', async ({ session }) => session.destroy())
  const both = new Member(app)
  await both.login(1, { remember: true })
  await both.submit('/admin/login', { id: 1, remember: true })
  await both.submit('/destroy')
  both.forget('admin')
  t.same([await both.read('/who'), await both.read('/admin/who')], ['nobody', ROOT.email])
})

t.test('clients of tests are users of the kit of their session', async (t) => {
  for (const { mode, options } of MODES) {
    const { app } = await createTwoKitsApp(options)
    const root = await createClient(app, { user: ROOT, decorator: 'adminSession' })
    t.equal((await root.get('/admin/owner')).body, ROOT.email, mode)
    t.equal((await root.get('/me')).statusCode, 401, mode)
  }
})

t.test('a kit in an inner scope is not found outside, and the kit outside is found inside', async (t) => {
  const { app } = await createKitApp()
  await app.register(async (scope) => {
    await scope.register(session, {
      secret: 'a secret of administrators 0123456789',
      decorator: 'adminSession',
      cookieName: 'admin'
    })
    await scope.register(login<'adminUser'>, {
      userDecorator: 'adminUser',
      decorator: 'adminSession',
      loadUser: () => ROOT
    })
    const { loginRequired } = getLoginGuards(scope, 'adminUser')
    scope.post('/admin/in', async (request) => {
      await getLogin(request, 'adminUser').login(ROOT)
      return (await request.loadUser())?.name
    })
    scope.get(
      '/admin',
      loginRequired().handle(async ({ adminUser }) => adminUser.email)
    )
  })
  app.get('/outside', async (request: FastifyRequest) => {
    t.equal(request.adminUser, undefined)
    getLogin(request, 'adminUser')
  })
  const root = new Member(app)
  await root.login(2)
  t.equal((await root.submit('/admin/in')).body, 'Ben')
  t.equal(await root.read('/admin'), ROOT.email)
  t.match((await root.get('/outside')).json(), {
    code: 'ERR_SESSION_NOT_REGISTERED',
    message: /no login kit named 'adminUser'.*with userDecorator: 'adminUser'/
  })
  t.throws(() => getLoginGuards(app, 'adminUser'), { code: 'ERR_SESSION_NOT_REGISTERED' })
})

t.test('the page for a login can depend on the request, and each kit has its own', async (t) => {
  const languages = ({ url }: { url: string }): string => (url.startsWith('/de/') ? '/de/anmelden' : '/login')
  for (const { mode, options } of MODES) {
    const { app } = await createKitApp(options, {
      loginPath: languages,
      confirmPath: ({ headers }) => `/confirm?lang=${headers['accept-language']}`
    })
    app.get(
      '/de/ich',
      app.loginRequired().handle(async ({ user }) => user.name)
    )
    const visitor = new Member(app)
    const whereTo = async (url: string): Promise<string> =>
      String((await visitor.get(url, { headers: { ...BROWSER, 'accept-language': 'de' } })).headers.location)
    t.match(await whereTo('/de/ich'), /^\/de\/anmelden($|\?next=)/, mode)
    t.match(await whereTo('/me'), /^\/login($|\?next=)/, mode)
    await visitor.login(1, { fresh: false })
    t.match(await whereTo('/fresh'), /^\/confirm\?lang=de($|&next=%2Ffresh$)/, mode)
  }
  const { app } = await createKitApp({}, { loginPath: languages })
  const client = new Member(app)
  t.equal((await client.get('/de/ich')).statusCode, 404)
  t.equal((await client.get('/me')).json().code, 'ERR_SESSION_LOGIN_REQUIRED', 'who is no browser gets the error')
})

t.test('a login page that is made of a request leads to no other server', async (t) => {
  const { app } = await createKitApp({}, { loginPath: ({ headers }) => String(headers['x-login']) })
  for (const chosen of [
    '//evil.example',
    'https://evil.example',
    '\\\\evil.example',
    '/\\evil.example',
    '/%0d%0aset-cookie:a=b/../..//evil.example'
  ]) {
    const response = await app.inject({ url: '/me', headers: { ...BROWSER, 'x-login': chosen } })
    t.match(response.json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' }, chosen)
    t.equal(response.headers.location, undefined)
  }
})
