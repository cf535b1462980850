import { once } from 'node:events'
import { connect } from 'node:http2'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { getSessions, MemoryStore, session } from '../../lib/index.ts'
import type { User } from '../../lib/login/index.ts'
import { login } from '../../lib/login/index.ts'
import { ExpressStore } from '../../lib/stores/express/index.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, MODES, OTHER_SECRET, SECRET } from '../helpers/app.ts'
import type { KitApp } from '../helpers/login-app.ts'
import {
  ANA,
  BEN,
  createKitApp,
  createStoredKitApp,
  loginEventsOf,
  Member,
  tellEventsOf
} from '../helpers/login-app.ts'
import type { RecordingStore, StoreMethod } from '../helpers/recording-store.ts'
import { close, listen, shakeHands } from '../helpers/sockets.ts'

const DAY = 86_400
// Not imported: one has no types, and the other declares `request.user` itself.
const require = createRequire(import.meta.url)
const { Authenticator } = require('@fastify/passport')
const expressSession = require('express-session')
const STORED: LooseOptions = { store: (clock) => new MemoryStore({ clock, pruneInterval: 0 }) }

/** A gate at which a request waits. */
function createGate(): { opened: Promise<void>; open: () => void } {
  let open!: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { opened, open }
}

/** Runs an attack before the store call with a given number. Returns the calls, except those of the attack. */
function interrupt(store: RecordingStore, number: number, run: () => Promise<unknown>): StoreMethod[] {
  const calls: StoreMethod[] = []
  let isRunning = false
  store.before = async (method) => {
    if (isRunning || calls.push(method) !== number) return
    isRunning = true
    await run()
    isRunning = false
  }
  return calls
}

/** The store calls that start a session for a remembered login. */
const BEGINNING: readonly StoreMethod[] = ['load', 'load', 'create', 'commit', 'load']

t.test('a login or logout during a load wins over the load', async (t) => {
  for (const { mode, options } of MODES) {
    let { opened, open } = createGate()
    const loadUser = async (id: string): Promise<User | null> => {
      await opened
      return id === '1' ? ANA : null
    }
    const { app } = await createKitApp(options, { loadUser })
    const during = async (request: FastifyRequest, run: () => Promise<void>): Promise<unknown> => {
      const loading = request.loadUser()
      const change = run()
      open()
      await Promise.all([loading, change])
      return { asked: (await loading)?.name ?? 'nobody', user: request.user?.name ?? 'nobody' }
    }
    app.post('/switch', async (request) => during(request, () => request.login(BEN)))
    app.post('/leave', async (request) => during(request, () => request.logout()))
    for (const [id, name] of [
      [1, 'a user'],
      [2, 'somebody who is gone']
    ] as const) {
      const member = new Member(app)
      await member.login(id)
      t.same(
        (await member.submit('/switch')).json(),
        { asked: 'Ben', user: 'Ben' },
        `${mode}: a login while ${name} loads`
      )
      t.equal((await member.get('/data')).json()._login.id, '2')
      ;({ opened, open } = createGate())
      await member.login(id)
      t.same((await member.submit('/leave')).json(), { asked: 'nobody', user: 'nobody' }, `${mode}: a logout`)
      t.equal(member.jar.header(), '')
      ;({ opened, open } = createGate())
    }
  }
})

t.test('loadUser may log out or log in', async (t) => {
  const { app } = await createKitApp(STORED, {
    remember: true,
    loadUser: async (id, request) => {
      if (id === '1') await request.logout()
      else await request.login(ANA)
      return ANA
    }
  })
  const [ana, ben] = [new Member(app), new Member(app)]
  await ana.login(1)
  await ben.login(2)
  t.equal(await ana.read('/who'), 'nobody')
  t.equal(ana.jar.header(), '')
  t.equal(await ben.read('/who'), 'Ana')
})

t.test('a revocation at any moment leaves no remembered session', async (t) => {
  const revocations: Readonly<Record<string, (kit: KitApp, ana: Member, handle: string) => Promise<unknown>>> = {
    revokeAll: ({ app }) => app.sessions.revokeAll('1'),
    revoke: ({ app }, _ana, handle) => app.sessions.revoke(handle),
    logout: async ({ app }, ana) =>
      app.inject({ method: 'POST', url: '/logout', headers: { cookie: `remember=${ana.cookie('remember')}` } })
  }
  for (const [name, revoke] of Object.entries(revocations)) {
    for (const [index, method] of BEGINNING.entries()) {
      const kit = await createStoredKitApp()
      const ana = new Member(kit.app)
      await ana.login(1, { remember: true })
      const handle = await ana.read('/id')
      ana.restart()
      const calls = interrupt(kit.store, index + 1, () => revoke(kit, ana, handle))
      t.equal(await ana.read('/who'), 'nobody', 'also the request itself')
      t.equal(calls[index], method)
      kit.store.before = () => undefined
      t.equal(await ana.read('/who'), 'nobody', `${name} before call ${index + 1}, ${method}`)
      t.same(await kit.app.sessions.list('1'), [])
    }
  }
})

t.test('a revocation at any moment of a remembered login keeps all of it or ends all of it', async (t) => {
  for (const [index, method] of (['create', 'create', 'commit'] as const).entries()) {
    for (const name of ['revokeAll', 'revoke'] as const) {
      const { app, store } = await createStoredKitApp()
      const ana = new Member(app)
      const calls = interrupt(store, index + 1, async () => {
        const [session] = await app.sessions.list('1')
        if (name === 'revokeAll') await app.sessions.revokeAll('1')
        else if (session !== undefined) await app.sessions.revoke(session.handle)
      })
      const { statusCode } = await ana.login(1, { remember: true })
      t.equal(calls[index], method)
      store.before = () => undefined
      // Before the first call there is nothing to revoke.
      t.equal(statusCode, index === 0 ? 200 : 409, `${name} before call ${index + 1}, ${method}`)
      t.equal(await ana.read('/who'), index === 0 ? 'Ana' : 'nobody')
      ana.restart()
      t.equal(await ana.read('/who'), index === 0 ? 'Ana' : 'nobody')
    }
  }
})

t.test('a failure of the store at any moment leaves the login remembered', async (t) => {
  for (const [index, method] of [undefined, ...BEGINNING].entries()) {
    const kit = await createStoredKitApp()
    const ana = new Member(kit.app)
    await ana.login(1, { remember: true })
    ana.restart()
    const calls = interrupt(kit.store, index, () => Promise.reject(new Error('down')))
    t.equal((await ana.get('/me')).statusCode, method === undefined ? 200 : 503, `call ${index}: ${method}`)
    if (method === undefined) t.same(calls, BEGINNING)
    kit.store.before = () => undefined
    kit.clock.advance(DAY)
    t.equal(await ana.read('/me'), 'Ana')
  }
})

t.test('requests that run during a change of the password revive no login', async (t) => {
  const { app, users } = await createStoredKitApp({ remember: true, authHash: ({ password }) => password })
  const { opened, open } = createGate()
  const started = createGate()
  app.get(
    '/slow',
    app.loginRequired().handle(async ({ user, session }) => {
      started.open()
      await opened
      session.visits = 1
      return user.name
    })
  )
  app.post('/password', async (request) => {
    users.set('1', { ...ANA, password: 'new' })
    await request.login(users.get('1') as User)
    return request.logoutOthers()
  })
  const [laptop, phone] = [new Member(app), new Member(app)]
  for (const device of [laptop, phone]) await device.login(1, { remember: true })
  const slow = phone.get('/slow')
  await started.opened
  t.equal((await laptop.submit('/password')).body, '1')
  open()
  t.equal((await slow).body, 'Ana', 'it had been let in before')
  t.equal(await phone.read('/who'), 'nobody')
  t.equal(await laptop.read('/who'), 'Ana')
  t.equal((await app.sessions.list('1')).length, 1)
})

t.test('the last of many logins and logouts on one request wins', async (t) => {
  for (const { mode, options } of MODES) {
    const remember = mode === 'stored'
    const { app } = await createKitApp(options, remember ? { remember } : {})
    app.post('/many', async (request) => {
      const steps = request.body as (number | null)[]
      for (const id of steps) {
        if (id === null) await request.logout()
        else await request.login(id === 1 ? ANA : BEN, { remember })
      }
      return request.user?.name ?? 'nobody'
    })
    app.post('/at-once', async (request) => {
      await Promise.all([request.login(ANA, { remember }), request.logout(), request.login(BEN, { remember })])
      return request.user?.name
    })
    for (const [steps, who] of [
      [[1, 2], 'Ben'],
      [[2, 2], 'Ben'],
      [[1, null], 'nobody'],
      [[1, null, 2], 'Ben'],
      [[null, null], 'nobody']
    ] as const) {
      for (const start of [undefined, 1, 2]) {
        const member = new Member(app)
        if (start !== undefined) await member.login(start, { remember })
        const response = await member.submit('/many', steps)
        t.equal(response.body, who, `${mode}: ${JSON.stringify(steps)} after ${start}`)
        t.equal(await member.read('/who'), who)
        if (who === 'nobody') t.equal(member.jar.header(), '')
        member.restart()
        t.equal(await member.read('/who'), remember ? who : 'nobody')
      }
    }
    const member = new Member(app)
    t.equal((await member.submit('/at-once')).body, 'Ben')
    t.equal(await member.read('/who'), 'Ben')
  }
})

t.test('every kind of reply carries the cookies', async (t) => {
  const { app, clock } = await createKitApp(STORED, { remember: true })
  let sends = 0
  app.addHook('onSend', async (request) => {
    if (request.url === '/later' && sends++ === 0) throw new Error('another plugin failed')
  })
  const logIn = (request: FastifyRequest): Promise<void> => request.login(ANA, { remember: true })
  const replies: Readonly<Record<string, (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>>> = {
    '/redirect': async (request, reply) => {
      await logIn(request)
      return reply.redirect('/me', 303)
    },
    '/error': async (request) => {
      await logIn(request)
      throw new Error('after the login')
    },
    '/later': async (request) => {
      await logIn(request)
      return 'ok'
    },
    '/raw': async (request, reply) => {
      await logIn(request)
      await request.session.commit()
      reply.hijack()
      reply.raw.end('ok')
    },
    '/own': async (request, reply) => {
      reply.header('set-cookie', 'own=1')
      await logIn(request)
      return reply.header('set-cookie', 'two=2').send('ok')
    }
  }
  for (const [url, handler] of Object.entries(replies)) app.get(url, handler)
  for (const url of Object.keys(replies)) {
    const ana = new Member(app)
    const lines = setCookieLines(await ana.get(url))
    t.same(
      lines.map((line) => line.split('=')[0]).sort(),
      url === '/own' ? ['own', 'remember', 'session', 'two'] : ['remember', 'session'],
      url
    )
    t.equal(await ana.read('/who'), 'Ana')
    clock.advance(DAY)
    ana.restart()
    t.equal(await ana.read('/who'), 'Ana')
  }
})

t.test('an event stream behind a guard sends the new remember cookie', async (t) => {
  const { app, clock } = await createKitApp(STORED, { remember: true })
  app.get(
    '/events',
    app.loginRequired().handle(async ({ user }, reply) => {
      reply.hijack()
      reply.raw.writeHead(200, { 'content-type': 'text/event-stream' })
      reply.raw.end(`data: ${user.name}\n\n`)
    })
  )
  const ana = new Member(app)
  await ana.login(1, { remember: true })
  ana.restart()
  const response = await ana.get('/events')
  t.equal(response.body, 'data: Ana\n\n')
  t.same(ana.names(), ['remember', 'session'])
  clock.advance(DAY)
  ana.restart()
  t.equal(await ana.read('/who'), 'Ana', 'and is no thief')
})

t.test('a WebSocket behind a guard sends the new remember cookie', async (t) => {
  const { app, clock } = await createKitApp(STORED, { remember: true })
  t.teardown(() => app.close())
  await app.register(websocket)
  const names: (string | undefined)[] = []
  app.get('/chat', { websocket: true, preHandler: app.loginRequired() }, (_socket, { user }) => {
    names.push(user?.name)
  })
  const address = await listen(app)
  const ana = new Member(app)
  const agent = { 'user-agent': 'lightMyRequest' }
  t.equal((await shakeHands(`${address}/chat`, agent)).status, 401)
  await ana.login(1, { remember: true })
  ana.restart()
  const {
    status,
    setCookies: lines,
    socket
  } = await shakeHands(`${address}/chat`, { ...agent, cookie: ana.jar.header() })
  await close(socket)
  t.equal(status, 101)
  t.same(names, ['Ana'])
  t.same(lines.map((line) => line.split('=')[0]).sort(), ['remember', 'session'])
  for (const line of lines) ana.jar.set(line.split('=', 1)[0] ?? '', line.split(/[=;]/)[1] ?? '')
  t.equal(await ana.read('/who'), 'Ana')
  clock.advance(DAY)
  ana.restart()
  t.equal(await ana.read('/who'), 'Ana', 'and is no thief')
})

t.test('a login and session methods on one request', async (t) => {
  for (const { mode, options, isSelfContained } of MODES) {
    const { app } = await createKitApp(options)
    app.post('/update', async (request) => {
      await request.login(ANA)
      await request.session.update((data) => {
        data.visits = 7
      })
      return request.user?.name
    })
    app.post('/end', async (request) => {
      await request.session.destroy()
      await t.rejects(request.login(ANA), { code: 'ERR_SESSION_DESTROYED' })
      await request.logout()
      return 'ended'
    })
    for (const method of ['regenerate', 'clear', 'reload'] as const) {
      app.post(`/${method}`, async (request) => {
        await request.login(ANA)
        await request.session[method]()
        return ''
      })
    }
    app.post('/assign', async (request) => {
      request.session.setOwner('2')
      return ''
    })
    const ana = new Member(app)
    await ana.read('/cart')
    t.equal((await ana.submit('/update')).body, 'Ana')
    t.match((await ana.get('/data')).json(), { visits: 7, cart: { book: 1 } }, mode)
    t.equal(await ana.read('/who'), 'Ana')
    await ana.submit('/assign')
    t.equal(await ana.read('/who'), 'nobody', 'a session that belongs to somebody else logs nobody in')
    for (const url of ['/regenerate', '/clear']) {
      const member = new Member(app)
      await member.read('/cart')
      await member.submit(url)
      t.equal(await member.read('/who'), 'nobody', `${url} is the last word`)
    }
    const member = new Member(app)
    await member.read('/cart')
    await member.submit('/reload')
    t.equal(await member.read('/who'), 'nobody', 'reload forgets what the request changed')
    t.equal((await ana.submit('/end')).body, 'ended')
    t.equal(ana.jar.header(), '')
    t.ok(isSelfContained || (await app.sessions.list('1')).length === 0)
  }
})

t.test('data of the application under the names of the kit log nobody in', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, loads } = await createKitApp(options, { protection: false })
    app.post('/own', async (request) => {
      Object.assign(request.session, request.body)
      return ''
    })
    app.post('/owned', async (request) => {
      request.session.setOwner('2')
      Object.assign(request.session, request.body)
      return ''
    })
    for (const own of [
      { login: { id: '1' } },
      { _login: { id: '1' } },
      { _login: { id: '1', at: 9e9, client: null } },
      { _login: '1' },
      { _login: null },
      { _login: ['1'] },
      { _login: 1 },
      JSON.parse('{"_login":{"__proto__":{"id":"1"}}}')
    ]) {
      const member = new Member(app)
      for (const url of ['/own', '/owned']) {
        await member.submit(url, own)
        t.equal(await member.read('/who'), 'nobody', `${mode}: ${JSON.stringify(own)}`)
      }
    }
    t.same(loads, [])
    const ana = new Member(app)
    await ana.login(1)
    await ana.submit('/own', { login: { id: '2' } })
    t.equal(await ana.read('/who'), 'Ana', 'the name login is free')
  }
})

t.test('a route without sessions has no user, and its guards refuse everybody', async (t) => {
  const { app, store } = await createStoredKitApp()
  const config = { session: false } as const
  app.get('/off', { config }, async (request) => (await request.loadUser()) ?? request.user ?? 'nobody')
  app.get(
    '/off-guarded',
    app.loginRequired().handle({ config }, async () => '')
  )
  app.post('/off-login', { config }, async (request) => request.login(ANA))
  app.post('/off-logout', { config }, async (request) => request.logout())
  const ana = new Member(app)
  await ana.login(1, { remember: true })
  store.takeCalls()
  for (const restarts of [false, true]) {
    if (restarts) ana.restart()
    const before = ana.jar.header()
    t.equal(await ana.read('/off'), 'nobody')
    const disabled = { statusCode: 500, code: 'ERR_SESSION_DISABLED' }
    t.match((await ana.get('/off-guarded')).json(), disabled)
    for (const url of ['/off-login', '/off-logout']) t.match((await ana.submit(url)).json(), disabled)
    t.same(store.takeCalls(), [])
    t.equal(ana.jar.header(), before)
  }
})

t.test('onRefused may log a user in', async (t) => {
  const { app } = await createKitApp()
  const onRefused = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (request.headers.authorization !== 'Bearer good') return
    await request.login(ANA, { fresh: false })
    reply.redirect(request.url)
  }
  app.get(
    '/token',
    app.loginRequired({ onRefused }).handle(async ({ user }) => user.name)
  )
  const program = new Member(app)
  t.equal((await program.get('/token')).statusCode, 401)
  const sent = await program.get('/token', { headers: { authorization: 'Bearer good' } })
  t.equal(sent.statusCode, 302)
  t.equal(await program.read('/token'), 'Ana')
})

t.test('a user has as many sessions as allowed, remembered or not', async (t) => {
  const { app, clock } = await createKitApp(
    { ...STORED, maxPerOwner: 1, maxPerOwnerPolicy: 'refuse' },
    { remember: true }
  )
  app.post('/caught', async (request, reply) => {
    await t.rejects(request.login(ANA, { remember: true }), { code: 'ERR_SESSION_LIMIT' })
    return reply.code(409).send('too many')
  })
  const [laptop, phone] = [new Member(app), new Member(app)]
  await laptop.login(1, { remember: true })
  t.match((await phone.login(1, { remember: true })).json(), { statusCode: 409, code: 'ERR_SESSION_LIMIT' })
  t.equal(phone.jar.header(), '', 'who is refused is not remembered')
  t.equal((await phone.submit('/caught')).statusCode, 409)
  t.equal(phone.jar.header(), '')
  laptop.restart()
  t.match((await laptop.get('/me')).json(), { statusCode: 409, code: 'ERR_SESSION_LIMIT' }, 'the session of before')
  clock.advance(DAY + 1)
  t.equal(await laptop.read('/me'), 'Ana', 'the token was not used up')
})

t.test('repeated logins cannot fill the store', async (t) => {
  const { app, store } = await createStoredKitApp()
  const first = new Member(app)
  await first.login(1, { remember: true })
  for (let count = 1; count <= 100; count++) {
    if (count === 100) t.equal(await first.read('/who'), 'Ana')
    const other = new Member(app)
    await other.login(1, { remember: true })
  }
  first.restart()
  t.equal(await first.read('/who'), 'nobody')
  store.takeCalls()
})

t.test('a store that cannot list sessions refuses to remember', async (t) => {
  const inner = new expressSession.MemoryStore()
  Object.assign(inner, { all: undefined })
  const { app } = await createKitApp(
    { store: (clock) => new ExpressStore({ store: inner, clock }) },
    { remember: true }
  )
  const ana = new Member(app)
  t.match((await ana.login(1, { remember: true })).json(), { statusCode: 500, code: 'ERR_SESSION_STORE_REQUIRED' })
  const ben = new Member(app)
  t.equal((await ben.login(2)).statusCode, 200)
  t.equal(await ben.read('/who'), 'Ben')
  t.equal((await ben.submit('/logout')).statusCode, 200)
})

t.test('a remembered login survives a new secret, and is signed with it', async (t) => {
  const store = new MemoryStore({ pruneInterval: 0, clock: () => 1_763_640_000_000 })
  const old = await createKitApp({ store, secret: OTHER_SECRET }, { remember: true })
  const rotated = await createKitApp({ store, secret: [SECRET, OTHER_SECRET] }, { remember: true })
  const current = await createKitApp({ store, secret: SECRET }, { remember: true })
  const ana = new Member(old.app)
  await ana.login(1, { remember: true })
  const who = async ({ app }: KitApp): Promise<string> => {
    const response = await app.inject({ url: '/who', headers: { cookie: `remember=${ana.cookie('remember')}` } })
    ana.jar.take(response)
    return response.body
  }
  t.equal(await who(current), 'nobody', 'another secret knows nothing of it')
  t.equal(await who(rotated), 'Ana')
  t.equal(await who(current), 'Ana')
})

/** Registers a session and a login kit in a new scope. */
async function addScope(
  app: FastifyInstance,
  name: string,
  user: User,
  options: LooseOptions,
  kit = {}
): Promise<void> {
  await app.register(async (scope) => {
    await scope.register(session, { secret: SECRET, ...options } as never)
    await scope.register(login, { loadUser: () => user, ...kit })
    scope.get(`/${name}/me`, async (request) => (await request.loadUser())?.name ?? 'nobody')
    scope.post(`/${name}/login`, async (request) => {
      await request.login(user, { remember: true })
      return request.user?.name
    })
  })
}

t.test('kits in sibling scopes are independent', async (t) => {
  const app = fastify()
  const store = (): MemoryStore => new MemoryStore({ pruneInterval: 0 })
  await addScope(app, 'shop', ANA, { store: store(), cookieName: 'shop' }, { remember: true })
  await addScope(app, 'admin', BEN, { store: store(), cookieName: 'admin' }, { remember: true })
  const customer = new Member(app)
  await customer.submit('/shop/login')
  t.equal((await customer.get('/shop/me')).body, 'Ana')
  const [token, id] = [customer.jar.get('remember'), customer.jar.get('shop')]
  for (const cookie of [`remember=${token}`, `admin=${id}`, `shop=${token}`, `admin=${id}; remember=${token}`]) {
    const { body } = await app.inject({ url: '/admin/me', headers: { cookie } })
    t.equal(body, 'nobody', 'users of one, whatever their ids, are nobody in the other')
  }
  t.equal((await app.inject({ url: '/shop/me', headers: { cookie: `remember=${token}` } })).body, 'Ana')
})

t.test('two kits on one session are refused at start: each would accept the users of the other', async (t) => {
  const { app } = await createApp()
  const scope = (): Promise<unknown> =>
    Promise.resolve(app.register(async (inner) => void (await inner.register(login, { loadUser: () => ANA }))))
  await scope()
  await t.rejects(scope(), { code: 'ERR_SESSION_DUPLICATE', message: /accept the users of the other/ })
  const { app: nested } = await createKitApp()
  const inner = nested.register(async (scope) => void (await scope.register(login, { loadUser: () => ANA })))
  await t.rejects(Promise.resolve(inner), { code: 'ERR_SESSION_DUPLICATE' })
})

t.test('a kit on a session with a name of its own', async (t) => {
  const { app } = await createApp()
  await app.register(session, {
    secret: SECRET,
    decorator: 'adminSession',
    cookieName: 'admin',
    store: new MemoryStore({ pruneInterval: 0 })
  })
  await app.register(login, {
    loadUser: () => ANA,
    decorator: 'adminSession',
    remember: { cookieName: 'admin-remember' }
  })
  app.get('/login', async (request) => request.login(ANA, { remember: true }))
  app.get(
    '/me',
    app.loginRequired().handle(async ({ user, session }) => ({ name: user.name, session }))
  )
  const ana = new Member(app)
  await ana.get('/login')
  t.same(ana.names(), ['admin', 'admin-remember'])
  t.same((await ana.get('/me')).json(), { name: 'Ana', session: {} })
  ana.forget('admin')
  t.equal((await ana.get('/me')).statusCode, 200)
  t.equal(await getSessions(app, 'adminSession').revokeAll('1'), 2)
  t.equal((await ana.get('/me')).statusCode, 401)
})

t.test('two applications in one process', async (t) => {
  const apps = [await createKitApp(STORED, { remember: true }), await createKitApp(STORED, { remember: true })]
  const [one, two] = apps.map(({ app }) => new Member(app)) as [Member, Member]
  await one.login(1, { remember: true })
  await two.login(2, { remember: true })
  t.same([await one.read('/me'), await two.read('/me')], ['Ana', 'Ben'])
  const { body } = (await apps[1]?.app.inject({ url: '/who', headers: { cookie: one.jar.header() } })) ?? {}
  t.equal(body, 'nobody', 'their stores are two')
})

t.test('@fastify/passport and the kit are not used together', async (t) => {
  const { app: before } = await createApp()
  await before.register(new Authenticator().initialize())
  await t.rejects(Promise.resolve(before.register(login, { loadUser: () => ANA })), {
    code: 'ERR_SESSION_DUPLICATE',
    message: /@fastify\/passport needs a session that no kit has/
  })
  const { app: after } = await createKitApp()
  await t.rejects(Promise.resolve(after.register(new Authenticator().initialize())), {
    code: 'FST_ERR_DEC_ALREADY_PRESENT'
  })
})

t.test('the kit refuses to start without what it needs', async (t) => {
  const start = (app: FastifyInstance, options: object = {}): Promise<unknown> =>
    Promise.resolve(app.register(login, { loadUser: () => ANA, ...options }))
  await t.rejects(start(fastify()), { code: 'ERR_SESSION_NOT_REGISTERED', message: /Register fastify-typed-session/ })
  const create = async (options: LooseOptions = {}): Promise<FastifyInstance> => (await createApp(options)).app
  await t.rejects(start(await create(), { decorator: 'admin' }), { code: 'ERR_SESSION_NOT_REGISTERED' })
  await t.rejects(start(await create(), { remember: true }), {
    code: 'ERR_SESSION_STORE_REQUIRED',
    message: /must know each token.*option store/
  })
  await t.rejects(start(await create(STORED), { remember: { cookieName: 'session' } }), {
    code: 'ERR_SESSION_DUPLICATE'
  })
  await t.resolves(start(await create(), { prefix: '/what-autoload-passes' }))
})

t.test('before the onRequest hook of the kit nobody is logged in, and nobody can log in', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  app.addHook('onRequest', async (request) => {
    if (request.url !== '/early') return
    t.equal(request.user, null)
    t.throws(() => request.login(ANA), { code: 'ERR_SESSION_NOT_LOADED' })
  })
  await app.register(login, { loadUser: () => ANA })
  app.get('/early', async (request) => request.user ?? 'nobody')
  t.equal((await app.inject('/early')).body, 'nobody')
})

t.test('events hold everything except secrets', async (t) => {
  const { app, clock, logs } = await createKitApp(STORED, {
    remember: true,
    authHash: ({ password }) => `pass ${password}`,
    roles: ({ roles }) => roles
  })
  app.get(
    '/root',
    app.requireRole('root').handle(async () => '')
  )
  const ana = new Member(app)
  const tokens: string[] = []
  const events = await loginEventsOf(async () => {
    const step = async (run: () => Promise<unknown>): Promise<void> => {
      await run()
      tokens.push(...[ana.cookie('session'), ana.cookie('remember')].flatMap((cookie) => cookie.split('.').slice(1)))
    }
    await step(() => ana.get('/me'))
    await step(() => ana.login(1, { remember: true }))
    await step(() => ana.get('/root'))
    const copy = ana.cookie('remember')
    ana.restart()
    await step(() => ana.get('/me'))
    await step(() => ana.get('/fresh'))
    await step(() => ana.submit('/confirm'))
    await step(() => ana.get('/me', { headers: { 'user-agent': 'other' } }))
    clock.advance(61)
    await step(() => app.inject({ url: '/who', headers: { cookie: `remember=${copy}` } }))
    await step(() => ana.submit('/logout'))
  })
  t.same(
    events.map(({ type, userId, reason }) => [type, userId, reason]),
    [
      ['refused', undefined, 'not-logged-in'],
      ['login', '1', undefined],
      ['refused', '1', 'not-allowed'],
      ['remembered', '1', undefined],
      ['refused', '1', 'not-fresh'],
      ['login', '1', undefined],
      ['protected', '1', undefined],
      ['theft', '1', undefined],
      ['logout', undefined, undefined]
    ]
  )
  t.ok(
    events.every(
      (event) => Object.keys(event).sort().join() === 'impersonatorId,reason,request,type,userDecorator,userId'
    )
  )
  t.ok(events.every(({ request }) => typeof request.id === 'string'))
  const told = JSON.stringify([events.map(({ request: _, ...event }) => event), logs])
  for (const secret of [...tokens, 'pass a', ANA.name]) t.notOk(secret !== '' && told.includes(secret))
  t.ok(tokens.length > 10)
})

t.test('over HTTP/2', async (t) => {
  const app = fastify({ http2: true }) as unknown as FastifyInstance
  await app.register(session, { secret: SECRET, store: new MemoryStore({ pruneInterval: 0 }) })
  await app.register(login, { loadUser: () => ANA, loginPath: '/login', remember: true })
  app.get('/login', async (request) => {
    await request.login(ANA, { remember: true })
    return 'in'
  })
  app.get(
    '/me',
    app.loginRequired().handle(async ({ user }) => user.name)
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  const client = connect(`http://127.0.0.1:${(app.server.address() as AddressInfo).port}`)
  const get = async (path: string, headers: Record<string, string> = {}) => {
    const stream = client.request({ ':path': path, ...headers })
    const [response] = await once(stream, 'response')
    let body = ''
    for await (const chunk of stream) body += chunk
    return { status: response[':status'], location: response.location, lines: response['set-cookie'] ?? [], body }
  }
  const refused = await get('/me', { accept: 'text/html' })
  t.same([refused.status, refused.location], [302, '/login?next=%2Fme'])
  const { lines } = await get('/login')
  const remember = lines.find((line: string) => line.startsWith('remember=')) ?? ''
  t.equal(lines.length, 2)
  t.equal((await get('/me', { cookie: remember.split(';')[0] })).body, 'Ana')
  client.close()
  await app.close()
})

t.test('the events of a login that another login interrupts come in order', async (t) => {
  const { app } = await createKitApp()
  app.post('/both', async (request) => {
    await Promise.all([request.login(ANA), request.logout()])
    return ''
  })
  t.same(await tellEventsOf(() => new Member(app).submit('/both')), ['login 1', 'logout 1'])
})
