import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { User } from '../../lib/login/index.ts'
import { CookieJar } from '../../lib/testing/cookie-jar.ts'
import type { Act } from '../helpers/acting-app.ts'
import { createActing, createStoredActing, fail, restarted } from '../helpers/acting-app.ts'
import { ANA, BEN, Member, tellEventsOf } from '../helpers/login-app.ts'
import { listen } from '../helpers/sockets.ts'
import { bearer, createTokens } from '../helpers/tokens.ts'

t.test('a login starts a session of the user that keeps the data of the visitor, except the CSRF secret', async (t) => {
  const { act, ana, clock } = await createActing({ csrfKey: 'secret' })
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
  const { act, ana } = await createActing()
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
  const { act, ana } = await createActing()
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
  const { act, ana } = await createActing()
  for (const keep of ['cart', [1], { cart: true }]) {
    t.equal(await act(ana, (on) => on.login(ANA, { keep } as never)), 'ERR_SESSION_OPTION_INVALID')
  }
  t.equal(await act(ana, (on) => on.login(ANA, { keep: ['cart'] })), null)
})

t.test('login and logout are refused if the session is not saved', async (t) => {
  const { app, store, ana } = await createStoredActing()
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

t.test('confirmLogin and a logout at once leave nobody logged in', async (t) => {
  for (const { act, ana } of [await createActing(), await createStoredActing()]) {
    await ana.login(1)
    const result = await act(ana, async (request) => {
      await request.loadUser()
      const confirmation = request.confirmLogin().catch((error) => error.code)
      await request.logout()
      return confirmation
    })
    t.equal(result, 'ERR_SESSION_LOGIN_REQUIRED')
    t.equal(await ana.read('/who'), 'nobody')
  }
})

t.test('confirmLogin makes a login fresh and changes the id', async (t) => {
  const { app, act, ana, clock } = await createActing()
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
  const { act, ana, app } = await createActing({ clearSiteData: true })
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
  const kit = await createStoredActing()
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

t.test('a login that fails does not disturb the next one', async (t) => {
  const { act, store, ana } = await createStoredActing()
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

t.test('a client without a User-Agent can log in', async (t) => {
  const { app } = await createActing({ protection: 'strong' })
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
  const { app, ana } = await createStoredActing()
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

t.test(
  'a session that cannot be destroyed, because the store is down, fails the request and nothing else',
  async (t) => {
    const { app, ana, store } = await createStoredActing()
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

t.test('a new hash of the same password ends no login', async (t) => {
  const { app, act, ana, users } = await createStoredActing({ authHash: ({ password }) => password })
  const [phone, old] = [new Member(app), new Member(app)]
  users.set('1', { ...ANA, password: 'older' })
  await old.login(1)
  users.set('1', { ...ANA })
  await phone.login(1, { remember: true })
  const rehashed = await act(ana, async (request) => {
    const user = users.get('1') as typeof ANA
    await request.login(user, { remember: true })
    user.password = 'the same, hashed anew'
    await request.rehashed(user)
    await request.rehashed(user)
    return request.user?.password
  })
  t.equal(rehashed, 'the same, hashed anew')
  for (const member of [ana, phone]) {
    t.equal(await member.read('/me'), 'Ana')
    member.restart()
    t.equal(await member.read('/me'), 'Ana', 'and the browser is remembered')
  }
  t.equal(await old.read('/who'), 'nobody', 'an older password opens nothing again')
})

t.test('a new hash is accepted of the user who is logged in, and of nobody else', async (t) => {
  const { app, act, ana } = await createActing({ authHash: ({ password }) => password })
  const refused = 'ERR_SESSION_LOGIN_REQUIRED'
  t.equal(await act(ana, (request) => request.rehashed(ANA)), refused)
  await ana.login(1)
  t.equal(await act(ana, (request) => request.rehashed(ANA)), refused, 'who is not loaded may have another password')
  const loaded =
    (run: Act): Act =>
    async (request) => {
      await request.loadUser()
      return run(request)
    }
  t.equal(
    await act(
      ana,
      loaded((request) => request.rehashed(BEN))
    ),
    refused
  )
  t.equal(
    await act(
      ana,
      loaded((request) => request.rehashed({ ...ANA, id: {} } as never))
    ),
    'ERR_SESSION_VALUE'
  )
  t.equal(
    await act(
      new Member(app),
      loaded((request) => request.rehashed(ANA))
    ),
    refused
  )
  t.equal(
    await act(ana, async (request) => {
      const loading = request.loadUser()
      await loading
      await Promise.all([request.logout(), request.rehashed({ ...ANA, password: 'new' })])
    }),
    null,
    'a logout at the same time wins'
  )
  t.equal(await ana.read('/who'), 'nobody')
})

t.test('without a store the login of the request goes on, and without authHash every login', async (t) => {
  for (const authHash of [undefined, ({ password }: typeof ANA) => password]) {
    const { act, ana, users, app } = await createActing({ authHash })
    const phone = new Member(app)
    await phone.login(1)
    await ana.login(1)
    await act(ana, async (request) => {
      await request.loadUser()
      const user = { ...ANA, password: 'the same, hashed anew' }
      users.set('1', user)
      await request.rehashed(user)
    })
    t.equal(await ana.read('/who'), 'Ana')
    t.equal(await phone.read('/who'), authHash === undefined ? 'Ana' : 'nobody')
  }
})

t.test('in a request with a token nothing of a login begins or ends', async (t) => {
  const { authenticate } = createTokens()
  const { app, ana } = await createStoredActing({ authenticate })
  const refused = { code: 'ERR_SESSION_TOKEN', statusCode: 400 }
  app.post('/with-token', async (request) => {
    t.throws(() => request.user, { code: 'ERR_SESSION_NOT_LOADED' })
    await t.rejects(request.login(BEN), refused)
    await t.rejects(request.logout(), refused)
    await t.rejects(request.confirmLogin(), refused)
    await t.rejects(request.logoutOthers(), refused)
    await t.rejects(request.rehashed(BEN), refused)
    await request.session.destroy()
    await request.loadUser()
    return [request.user?.name, request.authenticatedAt]
  })
  await ana.login(1, { remember: true })
  t.same((await ana.submit('/with-token', {}, bearer('ben'))).json(), ['Ben', null])
  const told = await tellEventsOf(() => ana.get('/fresh', { headers: bearer('ben') }))
  t.same(told, ['refused 2 not-fresh'])
  t.equal(await ana.read('/who'), 'Ana')
  ana.restart()
  t.equal(await ana.read('/who'), 'Ana')
})

t.test('a user acts as another one, and then in person again', async (t) => {
  const { act, ana } = await createActing({ authHash: ({ password }) => password })
  const refused = { code: 'ERR_SESSION_IMPERSONATION', statusCode: 409 }
  const tell = (request: FastifyRequest): unknown[] => [
    request.user?.name,
    request.impersonator?.name,
    request.authenticatedAt === null
  ]
  t.equal(await act(ana, (request) => request.impersonator), null)
  t.equal(await act(ana, (request) => request.impersonate(BEN)), 'ERR_SESSION_LOGIN_REQUIRED')
  await ana.login(1)
  t.same(
    await act(ana, async (request) => {
      await t.rejects(request.impersonate(ANA), refused)
      await t.rejects(request.impersonate({ ...BEN, id: 9 }), { code: 'ERR_SESSION_VALUE' })
      await request.stopImpersonating()
      await request.impersonate(BEN)
      return tell(request)
    }),
    ['Ben', 'Ana', true]
  )
  t.same(await tellEventsOf(() => ana.get('/fresh')), ['refused 2 not-allowed'])
  await act(ana, async (request) => {
    t.throws(() => request.impersonator, { code: 'ERR_SESSION_NOT_LOADED' })
    await t.rejects(request.impersonate(ANA), refused)
    await t.rejects(request.login(BEN), refused)
    await t.rejects(request.confirmLogin(), refused)
    await t.rejects(request.logoutOthers(), refused)
    await t.rejects(request.rehashed(BEN), refused)
  })
  t.same(
    await act(ana, async (request) => {
      await request.stopImpersonating()
      return tell(request)
    }),
    ['Ana', undefined, false].map((value) => value ?? null)
  )
})

t.test('of two impersonations at once in one request, one begins', async (t) => {
  const { act, ana } = await createActing()
  await ana.login(1)
  await act(ana, async (request) => {
    const [first, second] = await Promise.allSettled([request.impersonate(BEN), request.impersonate(BEN)])
    t.same([first?.status, second?.status], ['fulfilled', 'rejected'])
  })
})

t.test('whoever logs in meanwhile does not act as the user whom another one has chosen', async (t) => {
  const cleo = { ...BEN, id: 3, name: 'Cleo' }
  let find = (): void => {}
  const loadUser = (id: string) =>
    id === '3' ? new Promise<User>((resolve) => (find = () => resolve(cleo))) : id === '2' ? BEN : ANA
  const { act, ana } = await createActing({ loadUser })
  await ana.login(1)
  await act(ana, async (request) => {
    await request.loadUser()
    const impersonation = request.impersonate(cleo).catch(({ code }) => code)
    await request.login(BEN)
    find()
    t.equal(await impersonation, 'ERR_SESSION_LOGIN_REQUIRED')
    t.equal(request.impersonator, null)
  })
  t.equal(await ana.read('/who'), 'Ben')
})
