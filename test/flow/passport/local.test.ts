import csrfProtection from '@fastify/csrf-protection'
import { Authenticator } from '@fastify/passport'
import t from 'tap'
import { createClient } from '../../../lib/testing/create-client.ts'
import { setCookieLines } from '../../../lib/testing/set-cookie.ts'
import { createApp, createStoredApp, MODES, OTHER_SECRET, SECRET, withOneStore } from '../../helpers/app.ts'
import { barrier } from '../../helpers/barrier.ts'
import { once } from '../../helpers/recording-store.ts'
import type { PassportOptions } from './passport-app.ts'
import { addPassport, logIn, logOut, SHOPPED } from './passport-app.ts'

/** What passport can be told about the data from before a login, and what becomes of them. */
const KEEPING = [
  { clearSessionOnLogin: true, keepSessionInfo: false, keeps: false },
  { clearSessionOnLogin: true, keepSessionInfo: true, keeps: true },
  { clearSessionOnLogin: false, keepSessionInfo: false, keeps: true },
  { clearSessionOnLogin: false, keepSessionInfo: true, keeps: true }
]

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`passport-local in ${mode} sessions`, async (t) => {
    const { app, warnings } = await addPassport(await createApp(options))
    const visitor = await createClient(app)
    t.equal((await visitor.get('/me')).statusCode, 401)
    t.equal(visitor.jar.header(), '', 'passport looks at every session, and a stranger gets no cookie')

    const login = await logIn(visitor, 'ada')
    t.equal(login.statusCode, 303)
    t.equal(setCookieLines(login).length, 1, 'the cookie is on the redirect itself')
    const me = await visitor.get('/me')
    t.equal(me.body, 'ada')
    t.same(setCookieLines(me), [], 'reading sends no cookie')
    t.same((await visitor.get('/session')).json().data, { passport: 'ada' }, 'what the serializer gave')

    const logout = await logOut(visitor)
    t.match(setCookieLines(logout), [/; Max-Age=0/])
    t.equal((await visitor.get('/me')).statusCode, 401)
    t.equal((await logOut(visitor)).statusCode, 303, 'a second logout breaks nothing')
    t.same(warnings(), [])
  })

  t.test(`where passport replies to a visitor with ${mode} sessions, the handler does not run`, async (t) => {
    const { app, passport } = await addPassport(await createApp(options))
    const local = passport.authenticate('local', { successRedirect: '/me' })
    app.post('/in', { preValidation: local }, async () => t.fail('the handler ran'))
    const visitor = await createClient(app)
    t.equal((await logIn(visitor, 'ada', { url: '/in' })).headers.location, '/me')
    t.equal((await visitor.get('/me')).body, 'ada')
  })

  t.test(`a login and a logout give ${mode} sessions a new id, and the old cookie stays a stranger's`, async (t) => {
    const { app } = await addPassport(await createApp(options))
    const visitor = await createClient(app)
    const idNow = async (): Promise<string> => (await visitor.get('/session')).json().id
    await visitor.get('/shop')
    const planted = visitor.jar.header()
    const before = await idNow()
    await logIn(visitor, 'ada')
    const during = await idNow()
    t.not(during, before)
    t.equal((await app.inject({ url: '/me', headers: { cookie: planted } })).statusCode, 401)

    await logIn(visitor, 'grace')
    t.not(await idNow(), during, 'so does a login as somebody else')
    t.equal((await visitor.get('/me')).body, 'grace')

    const copy = visitor.jar.header()
    await logOut(visitor)
    t.not(await idNow(), during)
    const replay = await app.inject({ url: '/me', headers: { cookie: copy } })
    t.equal(replay.statusCode, isSelfContained ? 200 : 401, 'a copy of the cookie ends with a session that is stored')
  })

  for (const { clearSessionOnLogin, keepSessionInfo, keeps } of KEEPING) {
    const title = `clearSessionOnLogin: ${clearSessionOnLogin} and keepSessionInfo: ${keepSessionInfo}`

    t.test(`${title} in ${mode} sessions`, async (t) => {
      const { app, clock } = await addPassport(await createApp(options), {
        authenticator: { clearSessionOnLogin },
        login: { keepSessionInfo }
      })
      const visitor = await createClient(app)
      await visitor.get('/shop')
      const anonymous = (await visitor.get('/session')).json()
      t.same(anonymous.data, SHOPPED)
      clock.advance(30)

      await logIn(visitor, 'ada')
      const loggedIn = (await visitor.get('/session')).json()
      t.same(loggedIn.data, { ...(keeps ? SHOPPED : {}), passport: 'ada' })
      t.not(loggedIn.id, anonymous.id)
      t.not(loggedIn.createdAt, anonymous.createdAt, 'it is a new session')
      t.same([anonymous.permanent, anonymous.ownerId], [true, undefined])
      t.same([loggedIn.permanent, loggedIn.ownerId], [false, undefined], 'data are all that can stay')

      await visitor.get('/shop')
      await logOut(visitor)
      const loggedOut = (await visitor.get('/session')).json()
      t.same(loggedOut.data, clearSessionOnLogin ? {} : SHOPPED)
      t.not(loggedOut.id, loggedIn.id)
      t.equal(visitor.jar.header() === '', clearSessionOnLogin)
    })

    t.test(`the CSRF secret of a stranger with ${title} in ${mode} sessions`, async (t) => {
      const { app } = await addPassport(await createApp(options), {
        authenticator: { clearSessionOnLogin },
        login: { keepSessionInfo }
      })
      await app.register(csrfProtection, { sessionPlugin: '@fastify/session' })
      app.get('/form', async (_request, reply) => reply.generateCsrf())
      app.post('/transfer', { onRequest: app.csrfProtection }, async () => 'done')
      const visitor = await createClient(app)
      const post = (token: string) =>
        visitor.inject({ method: 'POST', url: '/transfer', headers: { 'csrf-token': token } })
      const { body: known } = await visitor.get('/form')
      t.equal((await post(known)).statusCode, 200)
      await logIn(visitor, 'ada')
      t.equal((await post(known)).statusCode, keeps ? 200 : 403, keeps ? 'is kept with the rest' : 'goes with the rest')
      t.equal((await post((await visitor.get('/form')).body)).statusCode, 200)
    })
  }

  t.test(`clearSessionIgnoreFields names what stays, and all else goes, in ${mode} sessions`, async (t) => {
    const { app } = await addPassport(await createApp(options), {
      authenticator: { clearSessionIgnoreFields: ['nested', 'absent'] }
    })
    const visitor = await createClient(app)
    await visitor.get('/shop')
    await logIn(visitor, 'ada')
    t.same((await visitor.get('/session')).json().data, { nested: SHOPPED.nested, passport: 'ada' })
  })

  t.test(`a login leads to returnTo, if it may stay, in ${mode} sessions`, async (t) => {
    const login = { successReturnToOrRedirect: '/me' }
    const cases: [how: string, passport: PassportOptions, location: string][] = [
      ['by default', { login }, '/me'],
      ['with keepSessionInfo', { login: { ...login, keepSessionInfo: true } }, '/basket'],
      [
        'with clearSessionIgnoreFields',
        { login, authenticator: { clearSessionIgnoreFields: ['returnTo'] } },
        '/basket'
      ],
      ['without clearSessionOnLogin', { login, authenticator: { clearSessionOnLogin: false } }, '/basket']
    ]
    for (const [how, passport, location] of cases) {
      const visitor = await createClient((await addPassport(await createApp(options), passport)).app)
      await visitor.get('/shop')
      t.equal((await logIn(visitor, 'ada')).headers.location, location, how)
      t.notOk('returnTo' in (await visitor.get('/session')).json().data, `${how} it is used once`)
      t.equal((await visitor.get('/me')).body, 'ada')
    }
  })

  t.test(`messages of a login come with the next page in ${mode} sessions`, async (t) => {
    const { app } = await addPassport(await createApp(options), {
      authenticator: { clearSessionIgnoreFields: ['flash'] },
      login: {
        successRedirect: '/me',
        successFlash: 'Welcome!',
        failureRedirect: '/login',
        failureFlash: 'Try again.',
        failureMessage: true
      }
    })
    const visitor = await createClient(app)
    const failure = await logIn(visitor, 'ada', { password: 'a guess' })
    t.equal(failure.statusCode, 302)
    t.equal(failure.headers.location, '/login')
    t.equal((await visitor.get('/me')).statusCode, 401)
    t.same((await visitor.get('/session')).json().data.messages, ['Wrong name or password.'])
    t.same((await visitor.get('/messages')).json(), { error: ['Try again.'] })
    t.same((await visitor.get('/messages')).json(), {}, 'and once')
    await logIn(visitor, 'ada', { password: '' })
    t.same(
      (await visitor.get('/messages')).json(),
      { error: ['Try again.'] },
      'a form that is not filled in fails, too'
    )
    t.equal((await logIn(visitor, 'ada')).headers.location, '/me')
    t.same((await visitor.get('/messages')).json(), { success: ['Welcome!'] })
  })

  t.test(`a success message is cleared by the login that it is of, by default, in ${mode} sessions`, async (t) => {
    const { app } = await addPassport(await createApp(options), {
      login: { successRedirect: '/me', successFlash: 'Welcome!' }
    })
    const visitor = await createClient(app)
    await logIn(visitor, 'ada')
    t.same((await visitor.get('/messages')).json(), {})
    t.equal((await visitor.get('/me')).body, 'ada')
  })

  t.test(`a user who no longer exists is logged out of ${mode} sessions`, async (t) => {
    for (const clearSessionOnLogin of [true, false]) {
      const { app, users } = await addPassport(await createApp(options), { authenticator: { clearSessionOnLogin } })
      const visitor = await createClient(app)
      await logIn(visitor, 'ada')
      await visitor.get('/shop')
      const { id } = (await visitor.get('/session')).json()
      users.delete('ada')
      t.equal((await visitor.get('/me')).statusCode, 401)
      const after = (await visitor.get('/session')).json()
      t.same(after.data, clearSessionOnLogin ? {} : SHOPPED)
      t.not(after.id, id)
      users.set('ada', { name: 'ada', password: 'another' })
      t.equal((await visitor.get('/me')).statusCode, 401, 'and has to log in again after coming back')
    }
  })

  t.test(
    `a user who cannot be loaded is logged out of ${mode} sessions, unless the deserializer catches that`,
    async (t) => {
      for (const catches of [false, true]) {
        const { app, before } = await addPassport(await createApp(options))
        const failures = new WeakMap<object, unknown>()
        app.addHook('preValidation', async (request) => {
          if (failures.has(request)) throw failures.get(request)
        })
        const visitor = await createClient(app)
        await logIn(visitor, 'ada')
        const error = new Error('the database is down')
        before.load = (request) => (catches ? failures.set(request, error) : Promise.reject(error))
        const failure = await visitor.get('/me')
        t.equal(failure.statusCode, 500)
        t.equal(setCookieLines(failure).length, catches ? 0 : 1)
        before.load = () => undefined
        t.equal((await visitor.get('/me')).statusCode, catches ? 200 : 401)
      }
    }
  )

  t.test(`what a serializer gives has to fit into ${mode} sessions`, async (t) => {
    const { app } = await addPassport(await createApp(options))
    app.post('/careless', async (request) => request.logIn({ name: new Date() }))
    const visitor = await createClient(app)
    const failure = await visitor.post('/careless')
    t.equal(failure.json().code, 'ERR_SESSION_VALUE')
    t.equal((await visitor.get('/me')).statusCode, 401)
  })

  t.test(`logins at once stay apart in ${mode} sessions`, async (t) => {
    const { app, before } = await addPassport(await createApp(options))
    before.check = barrier(2)
    const [ada, grace] = [await createClient(app), await createClient(app)]
    await Promise.all([logIn(ada, 'ada'), logIn(grace, 'grace')])
    t.equal((await ada.get('/me')).body, 'ada')
    t.equal((await grace.get('/me')).body, 'grace')

    const visitor = await createClient(app)
    await visitor.get('/shop')
    const stranger = visitor.jar.header()
    before.check = barrier(2)
    const replies = await Promise.all([logIn(visitor, 'ada'), logIn(visitor, 'ada')])
    const cookies = replies.map((reply) => setCookieLines(reply)[0]?.split(';', 1)[0] ?? '')
    t.equal(new Set(cookies).size, 2, 'a button that was clicked twice gives two sessions')
    for (const cookie of cookies) t.equal((await app.inject({ url: '/me', headers: { cookie } })).body, 'ada')
    const leftBehind = await app.inject({ url: '/session', headers: { cookie: stranger } })
    t.same(leftBehind.json().data, isSelfContained ? SHOPPED : {})
  })

  t.test(`a cookie that was tampered with is a stranger's in ${mode} sessions`, async (t) => {
    const shared = withOneStore(options)
    const { app } = await addPassport(await createApp(shared))
    const visitor = await createClient(app)
    await logIn(visitor, 'ada')
    const header = visitor.jar.header()
    for (let at = 'session='.length; at < header.length; at++) {
      const cookie = `${header.slice(0, at)}${header[at] === 'A' ? 'B' : 'A'}${header.slice(at + 1)}`
      const reply = await app.inject({ url: '/me', headers: { cookie } })
      if (reply.statusCode !== 401) t.fail(`position ${at} can be changed`)
    }
    const elsewhere = await addPassport(await createApp({ ...shared, secret: OTHER_SECRET }))
    t.equal((await elsewhere.app.inject({ url: '/me', headers: { cookie: header } })).statusCode, 401)
    const rotated = await addPassport(await createApp({ ...shared, secret: [OTHER_SECRET, SECRET] }))
    t.equal((await rotated.app.inject({ url: '/me', headers: { cookie: header } })).body, 'ada')
  })

  t.test(`destroy() logs out of ${mode} sessions, and passport goes on after it`, async (t) => {
    const { app } = await addPassport(await createApp(options))
    app.post('/leave', async (request) => {
      await request.session.destroy()
      await request.logout()
      request.flash('info', 'bye')
      return request.isAuthenticated()
    })
    const visitor = await createClient(app)
    await logIn(visitor, 'ada')
    t.equal((await visitor.post('/leave')).body, 'false')
    t.equal(visitor.jar.header(), '')
  })

  t.test(`where ${mode} sessions are off, everybody is a stranger`, async (t) => {
    const { app, passport } = await addPassport(await createApp({ ...options, cookie: { path: '/members' } }))
    app.get('/health', { config: { session: false } }, async (request) => request.isAuthenticated())
    const preValidation = passport.authenticate('local', { session: false })
    app.post('/token', { preValidation }, async (request) => request.user?.name)
    const visitor = await createClient(app)
    await logIn(visitor, 'ada')
    const off = await visitor.get('/health')
    t.equal(off.statusCode, 200)
    t.equal(off.body, 'false')
    t.equal(off.headers.vary, undefined, 'nor does passport look')
    t.equal((await visitor.get('/members')).headers.vary, 'Cookie', 'as it does everywhere else, found or not')
    const stranger = await createClient(app)
    const once = await logIn(stranger, 'ada', { url: '/token' })
    t.equal(once.body, 'ada')
    t.same(setCookieLines(once), [], 'a login for one request is not kept')
  })

  t.test(`a callback of the application logs in by itself in ${mode} sessions`, async (t) => {
    const { app, passport } = await addPassport(await createApp(options))
    const preValidation = passport.authenticate('local', async (request, reply, _error, user) => {
      if (!user) return reply.code(422).send('no')
      await request.logIn(user, { keepSessionInfo: true })
    })
    app.post('/api/login', { preValidation }, async (request) => request.user?.name)
    const visitor = await createClient(app)
    await visitor.get('/shop')
    t.equal((await logIn(visitor, 'ada', { url: '/api/login', password: 'a guess' })).statusCode, 422)
    t.equal((await logIn(visitor, 'ada', { url: '/api/login' })).body, 'ada')
    t.same((await visitor.get('/session')).json().data, { ...SHOPPED, passport: 'ada' })
  })

  t.test(`two kinds of users share ${mode} sessions, if no login clears them`, async (t) => {
    for (const clearSessionOnLogin of [true, false]) {
      const { app } = await createApp(options)
      for (const key of ['users', 'admins']) {
        const passport = new Authenticator({ key, clearSessionOnLogin })
        passport.registerUserSerializer(async (name: string) => name)
        passport.registerUserDeserializer(async (name: string) => ({ name }))
        await app.register(async (scope) => {
          await scope.register(passport.initialize())
          await scope.register(passport.secureSession())
          scope.get(`/${key}/login`, async (request) => request.logIn(key))
          scope.get(`/${key}/logout`, async (request) => request.logout())
          scope.get(`/${key}/me`, async (request) => request.user?.name ?? 'nobody')
        })
      }
      const visitor = await createClient(app)
      const names = async () => [(await visitor.get('/users/me')).body, (await visitor.get('/admins/me')).body]
      await visitor.get('/users/login')
      await visitor.get('/admins/login')
      t.same(await names(), clearSessionOnLogin ? ['nobody', 'admins'] : ['users', 'admins'])
      await visitor.get('/users/login')
      await visitor.get('/admins/logout')
      t.same(await names(), clearSessionOnLogin ? ['nobody', 'nobody'] : ['users', 'nobody'])
    }
  })
}

t.test('a login makes one record and leaves none behind', async (t) => {
  const { app, store } = await addPassport(await createStoredApp())
  const visitor = await createClient(app)
  await logIn(visitor, 'ada')
  t.same(store.takeMethods(), ['create'], 'of a visitor who had no session')
  await logIn(visitor, 'grace')
  t.same(
    store.takeMethods(),
    ['load', 'load', 'create', 'create', 'commit', 'destroy'],
    'the new one and the tombstone come first'
  )
  await visitor.get('/me')
  t.same(store.takeMethods(), ['load'])
  await logOut(visitor)
  t.same(store.takeMethods(), ['load', 'create', 'commit', 'destroy'])
  await visitor.get('/me')
  t.same(store.takeMethods(), [])
})

t.test('a session that has an owner after the login can be listed and ended', async (t) => {
  const { app, passport } = await addPassport(await createStoredApp())
  const preValidation = passport.authenticate('local')
  app.post('/members', { preValidation }, async ({ session, user }) => {
    session.setOwner(user?.name ?? '')
    return session.id
  })
  const [laptop, phone] = [await createClient(app), await createClient(app)]
  const handles = [await logIn(laptop, 'ada', { url: '/members' }), await logIn(phone, 'ada', { url: '/members' })]
  const listed = await app.sessions.list('ada')
  t.same(listed.map(({ handle }) => handle).sort(), handles.map(({ body }) => body).sort())
  t.equal((await laptop.get('/me')).body, 'ada')
  t.equal(await app.sessions.revokeAll('ada', { except: handles[0]?.body ?? '' }), 1)
  t.equal((await laptop.get('/me')).body, 'ada')
  t.equal((await phone.get('/me')).statusCode, 401)
})

t.test('a request that was under way at the logout brings nobody back', async (t) => {
  const { app } = await addPassport(await createStoredApp())
  const [arrive, leave] = [barrier(2), barrier(2)]
  app.get('/slow', async ({ session }) => {
    session.visits = 1
    await arrive()
    await leave()
    return ''
  })
  const visitor = await createClient(app)
  await logIn(visitor, 'ada')
  const cookie = visitor.jar.header()
  const slow = app.inject({ url: '/slow', headers: { cookie } })
  await arrive()
  await logOut(visitor)
  await leave()
  t.same(setCookieLines(await slow), [])
  t.equal((await app.inject({ url: '/me', headers: { cookie } })).statusCode, 401)
})

t.test('a login that the store did not take is none', async (t) => {
  const { app, store } = await addPassport(await createStoredApp(), { login: { successRedirect: '/me' } })
  store.before = once('create', () => Promise.reject(new Error('the store is down')))
  const visitor = await createClient(app)
  const reply = await logIn(visitor, 'ada')
  t.equal(reply.statusCode, 503)
  t.same(setCookieLines(reply), [])
  t.equal((await visitor.get('/me')).statusCode, 401)
  t.equal((await logIn(visitor, 'ada')).statusCode, 302)
  t.equal((await visitor.get('/me')).body, 'ada')
})

t.test('passport takes request.session, and refuses to start without', async (t) => {
  const { app } = await createApp({ decorator: 'member' })
  const passport = new Authenticator()
  await t.rejects(async () => app.register(passport.initialize()), { code: 'FST_ERR_PLUGIN_NOT_PRESENT_IN_INSTANCE' })
})
