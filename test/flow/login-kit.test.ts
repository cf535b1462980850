import csrfProtection from '@fastify/csrf-protection'
import t from 'tap'
import type { User } from '../../lib/login/index.ts'
import { MODES } from '../helpers/app.ts'
import { ANA, createKitApp, createStoredKitApp, Member, tellEventsOf } from '../helpers/login-app.ts'

const BROWSER = { accept: 'text/html' }

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`a login and a logout in ${mode} sessions`, async (t) => {
    const { app, loads } = await createKitApp(options)
    const ana = new Member(app)
    t.equal((await ana.get('/me')).statusCode, 401)
    t.equal(await ana.read('/who'), 'nobody')
    t.same(loads, [], 'nobody is loaded for a stranger')
    t.equal((await ana.login(1)).json().name, 'Ana', 'the handler that logs in knows who it is')
    t.same(loads, [], 'and need not ask')
    t.equal(await ana.read('/me'), 'Ana')
    t.equal(await ana.read('/who'), 'Ana')
    t.same((await ana.submit('/logout')).json(), { user: null })
    t.equal(ana.jar.header(), '', 'nothing is left in the browser')
    t.equal((await ana.get('/me')).statusCode, 401)
  })

  t.test(`an id from before the login opens nothing in ${mode} sessions`, async (t) => {
    const { app } = await createKitApp(options)
    const ana = new Member(app)
    await ana.read('/cart')
    const [planted, before] = [ana.jar.header(), await ana.read('/id')]
    await ana.login(1)
    const [loggedIn, after] = [ana.jar.header(), await ana.read('/id')]
    t.not(after, before)
    const attacker = await app.inject({ url: '/who', headers: { cookie: planted } })
    t.equal(attacker.body, 'nobody')
    const { body } = await app.inject({ url: '/data', headers: { cookie: planted } })
    t.same(JSON.parse(body), isSelfContained ? { cart: { book: 1 } } : {}, 'a stored session is not there any more')
    await ana.submit('/confirm')
    t.not(await ana.read('/id'), after, 'confirming is an authentication, too')
    const old = await app.inject({ url: '/who', headers: { cookie: loggedIn } })
    t.equal(old.body, isSelfContained ? 'Ana' : 'nobody')
  })

  t.test(`a login keeps the data of a visitor, and drops that of another user, in ${mode} sessions`, async (t) => {
    const { app } = await createKitApp(options)
    const visitor = new Member(app)
    await visitor.read('/cart')
    await visitor.login(1)
    t.same((await visitor.get('/data')).json().cart, { book: 1 })
    await visitor.login(1)
    t.same((await visitor.get('/data')).json().cart, { book: 1 }, 'the same user once more is the same user')
    await visitor.login(2)
    t.equal(await visitor.read('/me'), 'Ben')
    t.same((await visitor.get('/data')).json().cart, undefined)
  })

  for (const sessionPlugin of ['@fastify/session', '@fastify/secure-session'] as const) {
    t.test(`a login replaces the secret of @fastify/csrf-protection (${sessionPlugin}, ${mode})`, async (t) => {
      const { app } = await createKitApp(options)
      await app.register(csrfProtection, { sessionPlugin })
      app.get('/form', async (_request, reply) => reply.generateCsrf({ path: '/' }))
      app.post('/transfer', { onRequest: app.csrfProtection }, async () => 'done')
      const ana = new Member(app)
      const transfer = async (token: string): Promise<number> =>
        (await ana.submit('/transfer', {}, { 'csrf-token': token })).statusCode
      const before = await ana.read('/form')
      t.equal(await transfer(before), 200)
      await ana.login(1)
      t.equal(await transfer(before), 403, 'a token that somebody has seen before')
      const after = await ana.read('/form')
      t.equal(await transfer(after), 200)
      await ana.submit('/confirm')
      t.equal(await transfer(after), 403)
    })
  }

  t.test(`the session of a user who is gone ends, in ${mode} sessions`, async (t) => {
    const { app, users } = await createKitApp(options)
    const ana = new Member(app)
    await ana.read('/cart')
    await ana.login(1)
    const copy = ana.jar.header()
    users.delete('1')
    const events = await tellEventsOf(async () => {
      t.equal((await ana.get('/me')).statusCode, 401)
    })
    t.same(events, ['ended 1', 'refused nobody not-logged-in'])
    t.equal(ana.jar.header(), '')
    users.set('1', ANA)
    t.equal(await ana.read('/who'), 'nobody', 'and does not come back with the user')
    const { body } = await app.inject({ url: '/who', headers: { cookie: copy } })
    t.equal(body, isSelfContained ? 'Ana' : 'nobody')
  })

  t.test(`a changed password ends older sessions of the user, in ${mode} sessions`, async (t) => {
    const { app, users } = await createKitApp(options, { authHash: ({ password }) => password })
    app.post('/password', async (request) => {
      const user = (await request.loadUser()) as User
      user.password = 'new'
      await request.login(user)
      return ''
    })
    const [laptop, phone, ben] = [new Member(app), new Member(app), new Member(app)]
    for (const device of [laptop, phone]) await device.login(1)
    await ben.login(2)
    const copy = laptop.jar.header()
    await laptop.submit('/password')
    t.equal(users.get('1')?.password, 'new')
    t.equal(await laptop.read('/me'), 'Ana', 'the session that made the change stays')
    t.equal((await phone.get('/me')).statusCode, 401)
    t.equal(phone.jar.header(), '')
    t.equal(await ben.read('/me'), 'Ben')
    const { statusCode } = await app.inject({ url: '/me', headers: { cookie: copy } })
    t.equal(statusCode, 401, 'a copy from before, also where the cookie is all there is')
  })

  t.test(`a guard sends browsers to log in and back, in ${mode} sessions`, async (t) => {
    const { app } = await createKitApp(options)
    const ana = new Member(app)
    const refused = await ana.get('/me?tab=2', { headers: BROWSER })
    t.equal(refused.statusCode, 302)
    t.equal(refused.headers.location, options.store === undefined ? '/login' : '/login?next=%2Fme%3Ftab%3D2')
    t.equal((await ana.submit(String(refused.headers.location), { id: 1 })).json().next, '/me?tab=2')
    t.notOk('next' in (await ana.get('/data')).json())
    const submitted = await new Member(app).get('/me', { headers: { accept: 'application/json' } })
    t.match(submitted.json(), { statusCode: 401, code: 'ERR_SESSION_LOGIN_REQUIRED' })
  })

  t.test(`a login is fresh for as long as a route asks, in ${mode} sessions`, async (t) => {
    const { app, clock } = await createKitApp(options, { confirmPath: '/password-please' })
    const ana = new Member(app)
    t.match((await ana.get('/fresh')).json(), { code: 'ERR_SESSION_LOGIN_REQUIRED' })
    await ana.login(1)
    await ana.read('/cart')
    t.equal((await ana.get('/at')).json().at, new Date(clock.now()).toISOString())
    clock.advance(600)
    t.equal(await ana.read('/fresh'), 'Ana')
    clock.advance(1)
    t.match((await ana.get('/fresh')).json(), { statusCode: 401, code: 'ERR_SESSION_NOT_FRESH' })
    t.equal(await ana.read('/me'), 'Ana', 'other routes do not ask')
    const sent = await ana.get('/fresh?x=1', { headers: BROWSER })
    const isStored = options.store !== undefined
    t.equal(sent.headers.location, isStored ? '/password-please?next=%2Ffresh%3Fx%3D1' : '/password-please')
    const before = (await ana.get('/life')).json()
    t.same(
      await tellEventsOf(async () => t.equal((await ana.submit('/confirm')).body, 'confirmed')),
      ['login 1'],
      'told as what it is'
    )
    t.equal(await ana.read('/fresh'), 'Ana')
    const data = (await ana.get('/data')).json()
    t.same([data.cart, data.next], [{ book: 1 }, isStored ? undefined : '/fresh?x=1'], 'what was there is there')
    const after = (await ana.get('/life')).json()
    t.equal(new Date(after.createdAt).getTime() - new Date(before.createdAt).getTime(), 601_000)
    t.equal(after.createdAt, new Date(clock.now()).toISOString(), 'both timeouts start anew')
  })

  t.test(`without a limit a login is fresh while its session lasts, in ${mode} sessions`, async (t) => {
    const { app, clock } = await createKitApp(options)
    app.get(
      '/session',
      app.freshLoginRequired().handle(async ({ user }) => user.name)
    )
    const [ana, ben] = [new Member(app), new Member(app)]
    await ana.login(1)
    await ben.login(2, { fresh: false })
    clock.advance(80_000)
    t.equal(await ana.read('/session'), 'Ana')
    t.match((await ben.get('/session')).json(), { code: 'ERR_SESSION_NOT_FRESH' })
    t.equal((await ben.get('/at')).json().at, null)
  })

  t.test(`roles, in ${mode} sessions`, async (t) => {
    const { app, users } = await createKitApp(options, { roles: ({ roles }) => roles })
    app.get(
      '/admin',
      app.requireRole('admin').handle(async ({ user }) => user.name)
    )
    app.get(
      '/staff',
      app.requireRole('admin', 'editor', { status: 404 }).handle(async ({ user }) => user.name)
    )
    const [ana, ben] = [new Member(app), new Member(app)]
    t.match((await ben.get('/admin')).json(), { statusCode: 401, code: 'ERR_SESSION_LOGIN_REQUIRED' })
    t.equal((await ben.get('/staff')).statusCode, 404, 'what is hidden is hidden from strangers, too')
    await ana.login(1)
    await ben.login(2)
    t.equal(await ana.read('/admin'), 'Ana')
    t.match((await ben.get('/admin')).json(), { statusCode: 403, code: 'ERR_SESSION_FORBIDDEN' })
    t.equal((await ben.get('/staff')).statusCode, 404)
    t.equal((await ben.get('/admin', { headers: BROWSER })).statusCode, 403)
    Object.assign(users.get('2') as User, { roles: ['editor'] })
    t.equal(await ben.read('/staff'), 'Ben', 'a role that was given holds at the next request')
    Object.assign(users.get('1') as User, { roles: [] })
    t.equal((await ana.get('/admin')).statusCode, 403, 'and so does one that was taken')
  })

  for (const change of ['address', 'browser'] as const) {
    t.test(
      `another ${change} makes a login stale or ends it, as the option protection says, in ${mode} sessions`,
      async (t) => {
        const here = { 'x-forwarded-for': '203.0.113.7', 'user-agent': 'Firefox' }
        const there = {
          ...here,
          ...(change === 'address' ? { 'x-forwarded-for': '198.51.100.9' } : { 'user-agent': 'curl' })
        }
        for (const protection of ['basic', 'strong', false, undefined] as const) {
          const { app } = await createKitApp(options, protection === undefined ? {} : { protection }, {
            trustProxy: true
          })
          const ana = new Member(app)
          await ana.submit('/login', { id: 1 }, here)
          const ask = (url: string, headers: Record<string, string>) => ana.get(url, { headers })
          t.equal((await ask('/fresh', here)).body, 'Ana')
          const told = await tellEventsOf(() => ask('/who', there))
          if (protection === 'strong') {
            t.same(told, ['protected 1'])
            t.equal((await ask('/who', here)).body, 'nobody', 'the login is over')
          } else if (protection === false) {
            t.same(told, [])
            t.equal((await ask('/fresh', there)).body, 'Ana')
          } else {
            t.same(told, ['protected 1'], 'told once')
            t.same(await tellEventsOf(() => ask('/who', there)), [])
            t.equal((await ask('/who', there)).body, 'Ana', 'still logged in')
            t.equal((await ask('/fresh', there)).statusCode, 401)
            t.equal((await ask('/fresh', here)).statusCode, 401, 'a fresh login does not come back by itself')
            await ana.submit('/confirm', {}, there)
            t.equal(
              (await ask('/fresh', there)).body,
              'Ana',
              'the password makes the new client the one that logged in'
            )
          }
        }
      }
    )
  }

  t.test(`ids of all kinds are distinct and come back unchanged, in ${mode} sessions`, async (t) => {
    const ids = [
      0,
      -1,
      1,
      '01',
      ' 1',
      '1 ',
      'ä',
      'a;b=c,d',
      '%2e',
      '"\\\n',
      '😀',
      '{',
      'null',
      '__proto__',
      'x'.repeat(255)
    ]
    const { app, users, loads } = await createKitApp(options)
    for (const id of ids) users.set(String(id), { ...ANA, id, name: `name of ${id}` })
    for (const id of ids) {
      loads.length = 0
      const member = new Member(app)
      t.equal((await member.login(id)).statusCode, 200)
      t.equal(await member.read('/me'), `name of ${id}`)
      t.same(loads, [String(id)])
    }
    users.set('1', { ...ANA, id: '1', name: 'a string' })
    const member = new Member(app)
    await member.login('1')
    t.equal(await member.read('/me'), 'a string', 'an id is what it is as a string: 1 and "1" are one user')
    for (const id of ['', 'x'.repeat(256), 'remember me', null, true, 1.5, {}]) {
      users.set('odd', { ...ANA, id: id as string })
      const odd = new Member(app)
      t.match((await odd.login('odd')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
      t.equal(odd.jar.header(), '')
    }
  })
}

t.test('a user is loaded at most once per request, and only when somebody asks', async (t) => {
  const { app, loads } = await createKitApp()
  app.get('/many', { preHandler: app.loginRequired() }, async (request) => {
    const asked = await Promise.all(Array.from({ length: 20 }, () => request.loadUser()))
    return { all: asked.every((user) => user === request.user), name: (await request.loadUser())?.name }
  })
  const ana = new Member(app)
  await ana.login(1)
  await ana.read('/public')
  await ana.read('/cart')
  await ana.read('/data')
  t.same(loads, [])
  t.same((await ana.get('/many')).json(), { all: true, name: 'Ana' })
  t.same(loads, ['1'])
})

t.test('a failed load is an error and not a logout, and is repeated', async (t) => {
  let failures = 0
  const loadUser = async (): Promise<User> => {
    if (failures-- > 0) throw new Error('database down')
    return ANA
  }
  const { app } = await createKitApp({}, { loadUser })
  app.get('/twice', async (request) => {
    await t.rejects(request.loadUser(), { message: 'database down' })
    t.throws(() => request.user, { code: 'ERR_SESSION_NOT_LOADED' })
    return (await request.loadUser())?.name
  })
  const ana = new Member(app)
  await ana.login(1)
  failures = 2
  t.equal((await ana.get('/me')).statusCode, 500)
  t.equal((await ana.get('/who')).statusCode, 500)
  t.equal(await ana.read('/me'), 'Ana')
  failures = 1
  t.equal(await ana.read('/twice'), 'Ana')
})

t.test('loadUser returns a user or null', async (t) => {
  let given: unknown
  const { app } = await createKitApp({}, { loadUser: () => given as User })
  for (const [value, status] of [
    [undefined, 401],
    [null, 401],
    [false, 500],
    ['', 500],
    [0, 500],
    [true, 500],
    ['1', 500],
    [[ANA], 500]
  ]) {
    given = ANA
    const ana = new Member(app)
    await ana.login(1)
    given = value
    t.equal((await ana.get('/me')).statusCode, status, JSON.stringify(value))
  }
})

t.test('request.user throws if the user is not loaded', async (t) => {
  const { app } = await createKitApp()
  app.get('/careless', async (request) => ({ name: request.user?.name ?? null, at: request.authenticatedAt }))
  app.options('/me', { preHandler: app.loginRequired() }, async (request) => request.user?.name)
  const ana = new Member(app)
  t.same((await ana.get('/careless')).json(), { name: null, at: null }, 'nobody can be logged in without a cookie')
  await ana.read('/cart')
  t.same((await ana.get('/careless')).json(), { name: null, at: null }, 'nor in a session without a login')
  await ana.login(1)
  t.match((await ana.get('/careless')).json(), { statusCode: 500, code: 'ERR_SESSION_NOT_LOADED' })
  const options = await ana.inject({ method: 'OPTIONS', url: '/me' })
  t.equal(options.statusCode, 200, 'a guard loads the user for OPTIONS too')
})

t.test('methods that need a login say so', async (t) => {
  const { app } = await createStoredKitApp()
  const visitor = new Member(app)
  for (const url of ['/confirm', '/logout-others']) {
    t.match((await visitor.submit(url)).json(), { statusCode: 401, code: 'ERR_SESSION_LOGIN_REQUIRED' })
  }
  t.equal((await visitor.submit('/logout')).statusCode, 200, 'a logout does not')
})

t.test('a logout can clear the data of the browser', async (t) => {
  for (const clearSiteData of [true, false]) {
    const { app } = await createKitApp({}, { clearSiteData })
    const ana = new Member(app)
    const { headers } = await ana.login(1)
    t.notOk(headers['clear-site-data'])
    const out = await ana.submit('/logout')
    t.equal(out.headers['clear-site-data'], clearSiteData ? '"cache", "storage"' : undefined)
  }
})

t.test('logoutOthers ends the other sessions of a user', async (t) => {
  const { app } = await createStoredKitApp({})
  const [laptop, phone, tablet, ben] = [new Member(app), new Member(app), new Member(app), new Member(app)]
  for (const device of [laptop, phone, tablet]) await device.login(1)
  await ben.login(2)
  t.equal(await laptop.read('/who'), 'Ana')
  t.equal((await laptop.submit('/logout-others')).body, '2')
  t.same(await Promise.all([laptop, phone, tablet, ben].map((device) => device.read('/who'))), [
    'Ana',
    'nobody',
    'nobody',
    'Ben'
  ])
  const { app: plain } = await createKitApp()
  const ana = new Member(plain)
  await ana.login(1)
  t.match((await ana.submit('/logout-others')).json(), { statusCode: 500, code: 'ERR_SESSION_STORE_REQUIRED' })
  t.equal(await ana.read('/me'), 'Ana')
})
