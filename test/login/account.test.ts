import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { Account } from '../../lib/login/account.ts'
import type { LoginOptions, User } from '../../lib/login/index.ts'
import { resolveLoginOptions } from '../../lib/login/options.ts'
import type { OwnerSessions } from '../../lib/owners/sessions.ts'
import { CookieJar } from '../../lib/testing/cookie-jar.ts'
import type { KitApp } from '../helpers/login-app.ts'
import { ANA, BEN, createKitApp, createStoredKitApp, Member, tellEventsOf } from '../helpers/login-app.ts'
import type { RecordingStore } from '../helpers/recording-store.ts'
import { once as onceBefore } from '../helpers/recording-store.ts'
import { listen } from '../helpers/sockets.ts'

type Act = (request: FastifyRequest) => unknown

/** Returns a function that runs code on a request of a member. It returns the result, or the code of the error. */
function remoteOf({ app }: KitApp): (member: Member, act: Act) => Promise<unknown> {
  let run: Act
  app.post('/act', async (request) => {
    try {
      return { result: (await run(request)) ?? null }
    } catch (error) {
      const { code, message } = error as { code?: string; message: string }
      return { error: code ?? message }
    }
  })
  return async (member, act) => {
    run = act
    const { result, error } = (await member.submit('/act')).json()
    return error ?? result
  }
}

async function create(kit: Partial<LoginOptions> = {}) {
  const made = await createKitApp({}, kit)
  return { ...made, act: remoteOf(made), ana: new Member(made.app) }
}

async function createStored(kit: Partial<LoginOptions> = {}) {
  const made = await createStoredKitApp({ remember: true, ...kit })
  return { ...made, act: remoteOf(made), ana: new Member(made.app) }
}

/** Returns a member with a remembered login, whose browser has been restarted. */
async function restarted({ app }: KitApp): Promise<Member> {
  const member = new Member(app)
  await member.login(1, { remember: true })
  member.restart()
  return member
}

function fail(store: RecordingStore): void {
  store.before = () => Promise.reject(new Error('down'))
}

t.test('without a login, no user is loaded and none is logged in', async (t) => {
  const { act, ana, loads } = await createStored()
  const nobody: Act = async (request) => [
    request.user,
    request.authenticatedAt,
    await request.loadUser(),
    request.user,
    request.authenticatedAt
  ]
  t.same(await act(ana, nobody), [null, null, null, null, null])
  await ana.read('/cart')
  t.same(await act(ana, nobody), [null, null, null, null, null])
  t.same(loads, [])
})

t.test('a user who may be logged in must be loaded first, from the session or from a remembered login', async (t) => {
  const kit = await createStored()
  const { act, clock } = kit
  const ana = new Member(kit.app)
  await ana.login(1)
  for (const read of [
    (request: FastifyRequest) => request.user,
    (request: FastifyRequest) => request.authenticatedAt
  ]) {
    t.equal(await act(ana, read), 'ERR_SESSION_NOT_LOADED')
    t.equal(await act(await restarted(kit), read), 'ERR_SESSION_NOT_LOADED')
  }
  const load: Act = async (request) => {
    const user = await request.loadUser()
    return [user?.name, user === request.user, request.authenticatedAt]
  }
  const readAfterTimeout: Act = (request) => {
    Object.assign(request.raw.socket, { timeout: 1 })
    return request.user
  }
  t.equal(await act(ana, readAfterTimeout), null, 'an onTimeout hook may look')
  t.same(await act(ana, load), ['Ana', true, new Date(clock.now()).toISOString()])
  t.same(await act(await restarted(kit), load), ['Ana', true, null])
})

t.test('a user who may be logged in is null for hooks, error handlers and what comes after the reply', async (t) => {
  const { app, warnings } = await createKitApp()
  const seen: unknown[] = []
  const look = async (request: FastifyRequest): Promise<void> => {
    if (request.url !== '/login') seen.push(request.user, request.authenticatedAt)
  }
  app.addHook('preHandler', look)
  app.addHook('onResponse', look)
  app.setErrorHandler(async (_error, request, reply) => {
    await look(request)
    return reply.code(500).send('')
  })
  app.get('/fails', async () => {
    throw new Error('the cause')
  })
  const ana = new Member(app)
  await ana.login(1)
  const before = warnings().length
  for (const [url, status] of [
    ['/public', 200],
    ['/fails', 500]
  ] as const) {
    t.equal((await ana.get(url)).statusCode, status)
  }
  t.ok(seen.length >= 8 && seen.every((value) => value === null))
  t.match(warnings().slice(before), [{ reason: 'not-loaded', msg: /await request\.loadUser\(\) first/ }])
  t.equal(warnings().length, before + 1)
})

t.test('all calls share one load, and a failed load is repeated', async (t) => {
  let failures = 0
  let loads = 0
  const { act, ana } = await create({
    loadUser: async () => {
      loads++
      if (failures-- > 0) throw new Error('database down')
      return ANA
    }
  })
  await ana.login(1)
  const many: Act = (request) =>
    Promise.all(Array.from({ length: 5 }, () => request.loadUser().then((user) => user?.name)))
  t.same(
    await act(ana, many),
    Array.from({ length: 5 }, () => 'Ana')
  )
  t.equal(loads, 1)
  failures = 1
  t.equal(await act(ana, many), 'database down')
  t.equal(loads, 2)
  failures = 1
  t.equal(
    await act(ana, (request) =>
      request
        .loadUser()
        .catch(() => request.loadUser())
        .then((user) => user?.name)
    ),
    'Ana'
  )
  t.equal(loads, 4)
})

t.test('a login starts a session of the user that keeps the data of the visitor, except the CSRF secret', async (t) => {
  const { act, ana, clock } = await create({ csrfKey: 'secret' })
  await act(ana, ({ session }) => {
    Object.assign(session, { cart: { book: 1 }, secret: 'x', _csrf: 'y' })
    session.permanent = true
  })
  clock.advance(100)
  const state = await act(ana, async (request) => {
    const { id } = request.session
    await request.login(ANA)
    const { ownerId, permanent, createdAt } = request.session
    return [request.session.id !== id, ownerId, permanent, createdAt, request.user?.name]
  })
  t.same(state, [true, '1', true, new Date(clock.now()).toISOString(), 'Ana'])
  const data = (await ana.get('/data')).json()
  t.same(Object.keys(data).sort(), ['_csrf', '_login', 'cart'])
  t.match(data._login, { id: '1', at: clock.now() / 1000, client: /^[\w-]{43}$/ })
  t.same(Object.keys(data._login), ['id', 'at', 'client'])
  t.same(
    await act(ana, async (request) => {
      await request.login(BEN)
      return [request.session.ownerId, request.session.permanent, request.session.cart ?? 'no cart']
    }),
    ['2', false, 'no cart'],
    'nothing of another user'
  )
})

t.test('an impossible login is refused before it changes anything', async (t) => {
  const { act, ana } = await create()
  await ana.read('/cart')
  const header = ana.jar.header()
  for (const [options, code] of [
    [{ remeber: true }, 'ERR_SESSION_OPTION_UNKNOWN'],
    ['x', 'ERR_SESSION_OPTION_INVALID'],
    [{ remember: 1 }, 'ERR_SESSION_OPTION_INVALID'],
    [{ fresh: 'yes' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ remember: true }, 'ERR_SESSION_VALUE']
  ] as const) {
    t.equal(await act(ana, (request) => request.login(ANA, options as never)), code)
  }
  t.equal(await act(ana, (request) => request.login(undefined as never)), 'ERR_SESSION_VALUE')
  t.equal(ana.jar.header(), header)
  t.equal(
    await act(ana, async (request) => {
      await request.session.destroy()
      await request.login(ANA)
    }),
    'ERR_SESSION_DESTROYED'
  )
})

t.test('a request from another site neither logs in nor out, unless the call allows it', async (t) => {
  const { act, ana } = await create()
  const acts: Act[] = [(on) => on.login(ANA), (on) => on.logout(), (on) => on.confirmLogin()]
  const fromElsewhere =
    (run: Act): Act =>
    (on) => {
      on.raw.headers['sec-fetch-site'] = 'cross-site'
      return run(on)
    }
  for (const run of acts) t.equal(await act(ana, fromElsewhere(run)), 'ERR_SESSION_CROSS_SITE')
  t.equal(
    await act(
      ana,
      fromElsewhere((on) => on.login(ANA, { allowCrossSite: true }))
    ),
    null
  )
  t.equal(await ana.read('/me'), ANA.name)
})

t.test('keep is an array of keys', async (t) => {
  const { act, ana } = await create()
  for (const keep of ['cart', [1], { cart: true }]) {
    t.equal(await act(ana, (on) => on.login(ANA, { keep } as never)), 'ERR_SESSION_OPTION_INVALID')
  }
  t.equal(await act(ana, (on) => on.login(ANA, { keep: ['cart'] })), null)
})

t.test('login and logout are refused if the session is not saved', async (t) => {
  const { app, store, ana } = await createStored()
  const run = async (request: FastifyRequest): Promise<unknown> => {
    const codeOf = (change: Promise<void>): Promise<string> =>
      change.then(
        () => '',
        ({ code }) => code
      )
    return [request.user, await request.loadUser(), await codeOf(request.login(ANA)), await codeOf(request.logout())]
  }
  app.get('/off', { config: { session: false } }, run)
  app.get('/open', { config: { session: { onStoreError: 'anonymous' } } }, run)
  await ana.login(1, { remember: true })
  t.same((await ana.get('/off')).json(), [null, null, 'ERR_SESSION_DISABLED', 'ERR_SESSION_DISABLED'])
  fail(store)
  const unavailable = 'ERR_SESSION_STORE_UNAVAILABLE'
  t.same((await ana.get('/open')).json(), [null, null, unavailable, unavailable])
})

t.test('while the store is down, a remembered user is null on a route with onStoreError: anonymous', async (t) => {
  const kit = await createStored()
  const { app, store, logs, act } = kit
  app.get('/open', { config: { session: { onStoreError: 'anonymous' } } }, async (request) => [
    await request.loadUser(),
    request.user
  ])
  const ana = await restarted(kit)
  fail(store)
  t.same((await ana.get('/open')).json(), [null, null])
  t.equal(logs.filter(({ level, msg }) => level === 50 && /as if nobody were logged in/.test(msg)).length, 1)
  t.equal(await act(ana, (request) => request.loadUser()), 'ERR_SESSION_STORE_UNAVAILABLE')
  t.not(ana.cookie('remember'), '')
})

t.test('an error of the application is not taken for an outage', async (t) => {
  const { app, ana } = await create({ loadUser: () => Promise.reject(new Error('mine')) })
  app.get('/open', { config: { session: { onStoreError: 'anonymous' } } }, async (request) => request.loadUser())
  await ana.login(1)
  t.match((await ana.get('/open')).json(), { statusCode: 500, message: 'mine' })
})

t.test('confirmLogin makes a login fresh and changes the id', async (t) => {
  const { app, act, ana, clock } = await create()
  await ana.login(1, { fresh: false })
  await ana.read('/cart')
  clock.advance(10)
  const confirmed = await act(ana, async (request) => {
    const { id } = request.session
    await request.confirmLogin()
    return [id !== request.session.id, request.authenticatedAt, request.session.cart]
  })
  t.same(confirmed, [true, new Date(clock.now()).toISOString(), { book: 1 }])
  t.equal(await act(new Member(app), (request) => request.confirmLogin()), 'ERR_SESSION_LOGIN_REQUIRED')
  t.equal(
    await act(ana, async (request) => {
      await request.loadUser()
      await request.session.destroy()
      await request.confirmLogin()
    }),
    'ERR_SESSION_LOGIN_REQUIRED'
  )
})

t.test('a logout removes user, data and owner', async (t) => {
  const { act, ana, app } = await create({ clearSiteData: true })
  await ana.read('/cart')
  await ana.login(1)
  t.same(
    await tellEventsOf(async () => {
      t.same(
        await act(ana, async (request) => {
          await request.logout()
          return [request.user, request.authenticatedAt, { ...request.session }, request.session.ownerId ?? null]
        }),
        [null, null, {}, null]
      )
    }),
    ['logout 1']
  )
  t.equal(ana.jar.header(), '')
  const { headers } = await new Member(app).submit('/logout')
  t.equal(headers['clear-site-data'], '"cache", "storage"')
})

t.test('logoutOthers ends the other sessions of the user and their remembered logins', async (t) => {
  const kit = await createStored()
  const { app, act, ana } = kit
  await ana.login(1, { remember: true })
  const other = await restarted(kit)
  t.equal(await act(ana, (request) => request.logoutOthers()), 1)
  t.equal(await other.read('/who'), 'nobody')
  ana.restart()
  t.equal(await ana.read('/who'), 'Ana')
  t.equal(await act(new Member(app), (request) => request.logoutOthers()), 'ERR_SESSION_LOGIN_REQUIRED')
  t.equal(
    await act(ana, async (request) => {
      await request.login(BEN)
      return request.logoutOthers()
    }),
    0,
    'a session that is new on this request stays'
  )
  t.equal(await ana.read('/who'), 'Ben')
})

t.test('another client makes a login stale or ends it, as the option protection says', async (t) => {
  for (const protection of ['basic', 'strong', false] as const) {
    const { act, ana, clock } = await create({ protection })
    const from = (agent: string) =>
      ana.get('/at', { headers: { 'user-agent': agent } }).then((response) => response.json().at)
    await ana.submit('/login', { id: 1 }, { 'user-agent': 'one' })
    const at = new Date(clock.now()).toISOString()
    t.equal(await from('one'), at)
    const told = await tellEventsOf(async () => t.equal(await from('two'), protection === false ? at : null))
    t.same(told, protection === false ? [] : ['protected 1'])
    t.same(await tellEventsOf(() => from('two')), [])
    t.equal(await from('one'), protection === false ? at : null)
    t.equal(await act(ana, async (request) => (await request.loadUser())?.name), protection === 'strong' ? null : 'Ana')
    if (protection === false) t.notOk('client' in (await ana.get('/data')).json()._login)
  }
})

t.test('a login ends if its user is gone or has a new password', async (t) => {
  const change: Readonly<Record<string, (users: Map<string, User>) => void>> = {
    gone: (users) => void users.delete('1'),
    'another password': (users) => void users.set('1', { ...ANA, password: 'new' })
  }
  for (const [name, apply] of Object.entries(change)) {
    const kit = await createStored({ authHash: ({ password }) => password })
    const [open, closed] = [kit.ana, await restarted(kit)]
    await open.login(1)
    await closed.read('/cart')
    apply(kit.users)
    for (const member of [open, closed]) {
      t.same(await tellEventsOf(async () => t.equal(await member.read('/who'), 'nobody')), ['ended 1'], name)
    }
    t.equal(open.jar.header(), '')
    t.same(closed.names(), ['session'], 'a visitor who was remembered stays a visitor')
    await kit.app.close()
  }
})

t.test('a remembered login starts one session, and its token is replaced last', async (t) => {
  const kit = await createStored()
  const ana = await restarted(kit)
  const before = ana.cookie('remember')
  kit.store.takeCalls()
  t.same(await tellEventsOf(async () => t.equal(await ana.read('/who'), 'Ana')), ['remembered 1'])
  t.same(kit.store.takeMethods(), ['load', 'load', 'create', 'commit', 'load'])
  t.not(ana.cookie('remember'), before)
  t.equal((await ana.get('/data')).json()._login.at, undefined)
})

t.test('parallel requests begin one session, and one of them says so', async (t) => {
  const kit = await createStored()
  const ana = await restarted(kit)
  const cookie = ana.jar.header()
  const ask = () => kit.app.inject({ url: '/who', headers: { cookie } })
  const told = await tellEventsOf(async () => {
    const replies = await Promise.all(Array.from({ length: 6 }, ask))
    for (const reply of replies) t.equal(reply.body, 'Ana')
    t.equal(new Set(replies.map((reply) => String(reply.headers['set-cookie']))).size, 1, 'with the same two cookies')
  })
  t.same(told, ['remembered 1'])
  t.equal((await kit.app.sessions.list('1')).length, 2, 'and the one from before the restart')
})

t.test('a late request whose session has ended begins no second one', async (t) => {
  const kit = await createStored()
  const ana = await restarted(kit)
  const cookie = ana.jar.header()
  await ana.get('/who')
  await kit.store.inner.destroy(await ana.read('/id'))
  const late = await kit.app.inject({ url: '/who', headers: { cookie } })
  t.equal(late.body, 'Ana', 'it is answered')
  t.match(late.headers['set-cookie'], /^remember=/, 'and the browser gets the next token alone')
  t.equal((await kit.app.sessions.list('1')).length, 1)
  t.equal(await ana.read('/who'), 'Ana', 'with which it begins a session')
})

t.test('a revocation between the token and its session logs nobody in', async (t) => {
  const kit = await createStored()
  const ana = await restarted(kit)
  let calls = 0
  kit.store.before = (method) => {
    const isLast = method === 'load' && ++calls === 3
    return isLast ? kit.app.sessions.revokeAll('1') : undefined
  }
  t.equal(await ana.read('/who'), 'nobody')
  t.equal(ana.jar.header(), '')
})

t.test('with protection strong, another client is not remembered, and the series ends', async (t) => {
  for (const protection of ['basic', 'strong'] as const) {
    const kit = await createStored({ protection })
    const { app, ana } = kit
    await ana.submit('/login', { id: 1, remember: true }, { 'user-agent': 'one' })
    const cookie = `remember=${ana.cookie('remember')}`
    const from = async (agent: string) =>
      (await app.inject({ url: '/who', headers: { cookie, 'user-agent': agent } })).body
    const isStrong = protection === 'strong'
    const told = await tellEventsOf(async () => t.equal(await from('two'), isStrong ? 'nobody' : 'Ana'))
    t.same(told, [isStrong ? 'protected 1' : 'remembered 1'])
    t.equal(await from('one'), isStrong ? 'nobody' : 'Ana')
    const { body } = await ana.get('/who', { headers: { 'user-agent': 'one' } })
    t.equal(body, isStrong ? 'nobody' : 'Ana', 'nor goes its session on')
  }
})

t.test('a login ends when it was remembered for absoluteMaxAge', async (t) => {
  const DAY = 86_400
  const kit = await createStored({ remember: { absoluteMaxAge: DAY / 2 } })
  const { ana, clock } = kit
  await ana.login(1, { remember: true })
  const other = await restarted(kit)
  t.equal(await other.read('/who'), 'Ana')
  clock.advance(DAY / 2)
  for (const member of [ana, other]) t.equal(await member.read('/who'), 'Ana', 'up to T')
  clock.advance(1)
  for (const member of [ana, other]) {
    t.same(await tellEventsOf(async () => t.equal(await member.read('/who'), 'nobody')), ['ended 1'], 'not at T+1')
    t.equal(member.jar.header(), '')
  }
})

t.test('a series that ends during the load starts no session', async (t) => {
  const kit = await createStored()
  const { store, app } = kit
  const ana = await restarted(kit)
  store.before = onceBefore('create', () => app.sessions.revokeAll('1'))
  t.same(await tellEventsOf(async () => t.equal(await ana.read('/who'), 'nobody')), [])
  t.equal(ana.jar.header(), '')
  t.same(await app.sessions.list('1'), [])
})

t.test('a theft is published, and both browsers are logged out', async (t) => {
  const kit = await createStored()
  const ana = await restarted(kit)
  const cookie = `remember=${ana.cookie('remember')}`
  await ana.get('/who')
  kit.clock.advance(61)
  t.same(await tellEventsOf(() => kit.app.inject({ url: '/who', headers: { cookie } })), ['theft 1'])
  t.equal(await ana.read('/who'), 'nobody')
})

t.test('a login or logout during a load wins over the load', async (t) => {
  const { act, ana } = await create({ loadUser: () => new Promise((resolve) => setImmediate(resolve, ANA)) })
  await ana.login(1)
  t.same(
    await act(ana, async (request) => {
      const loading = request.loadUser()
      await request.login(BEN)
      return [(await loading)?.name, request.user?.name]
    }),
    ['Ben', 'Ben']
  )
  t.same(
    await act(ana, async (request) => {
      const loading = request.loadUser()
      await request.logout()
      return [await loading, request.user]
    }),
    [null, null]
  )
})

t.test('a login that fails does not disturb the next one', async (t) => {
  const { act, store, ana } = await createStored()
  await act(ana, async (request) => {
    fail(store)
    await t.rejects(request.login(ANA, { remember: true }), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
    store.before = () => undefined
    const failed = { code: 'ERR_SESSION_STORE_UNAVAILABLE' }
    await t.rejects(request.login(BEN, { remember: true }), failed, 'the outcome of this request is decided')
  })
  await act(ana, (request) => request.login(BEN, { remember: true }))
  ana.restart()
  t.equal(await ana.read('/who'), 'Ben')
})

t.test('the user id of the session is known without a load', async (t) => {
  const { app, ana, loads } = await create()
  const settings = resolveLoginOptions({ loadUser: () => ANA }, Date.now)
  app.get('/told', async (request, reply) => {
    const account = new Account(
      {
        settings,
        sessions: app.sessions as OwnerSessions,
        freshness: 1,
        remember: undefined,
        isHandling: () => true,
        warnOfHaste: () => {}
      },
      request,
      reply
    )
    return account.userId ?? 'nobody'
  })
  t.equal(await ana.read('/told'), 'nobody')
  await ana.login(1)
  t.equal(await ana.read('/told'), '1')
  t.same(loads, [])
})

t.test('a client without a User-Agent can log in', async (t) => {
  const { app } = await create({ protection: 'strong' })
  t.teardown(() => app.close())
  const address = await listen(app)
  const jar = new CookieJar()
  const send = async (method: string, path: string, payload?: object): Promise<string> => {
    const sent = request(address + path, {
      method,
      headers: { cookie: jar.header(), 'content-type': 'application/json' }
    })
    sent.end(payload && JSON.stringify(payload))
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    jar.take(response)
    return text(response)
  }
  await send('POST', '/login', { id: 1 })
  t.equal(await send('GET', '/me'), 'Ana')
})

t.test('a destroyed session logs its user out, and its browser is not remembered', async (t) => {
  const { app, ana } = await createStored()
  const after: unknown[] = []
  app.post('/destroy', async (request) => {
    await request.loadUser()
    await request.session.destroy()
    after.push(request.user, await request.loadUser())
    return ''
  })
  await ana.login(1, { remember: true })
  await ana.submit('/destroy')
  t.same(after, [null, null])
  t.equal(ana.jar.header(), '')
  t.equal(await ana.read('/who'), 'nobody')
})

t.test('a guard loads a user again who was loaded a while ago', async (t) => {
  const { app, clock, ana, users, loads } = await createStored()
  const preValidation = async (request: FastifyRequest): Promise<void> => {
    await request.loadUser()
    clock.advance(Number((request.query as { seconds: string }).seconds))
    users.delete('1')
  }
  app.get('/late', { preValidation, preHandler: app.loginRequired() }, async () => 'done')
  await ana.login(1)
  t.equal((await ana.get('/late?seconds=0')).statusCode, 200)
  t.same(loads, ['1'])
  users.set('1', { ...ANA })
  t.equal((await ana.get('/late?seconds=1')).statusCode, 401)
  t.same(loads, ['1', '1', '1'])
})

t.test(
  'a session that cannot be destroyed, because the store is down, fails the request and nothing else',
  async (t) => {
    const { app, ana, store } = await createStored()
    const unhandled: unknown[] = []
    const note = (reason: unknown): void => void unhandled.push(reason)
    process.on('unhandledRejection', note)
    t.teardown(() => process.off('unhandledRejection', note))
    app.post('/destroy', async ({ session }) => {
      store.before = () => {
        throw new Error('down')
      }
      await session.destroy()
      return ''
    })
    await ana.login(1, { remember: true })
    t.match((await ana.submit('/destroy')).json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503 })
    await new Promise(setImmediate)
    t.same(unhandled, [])
  }
)
