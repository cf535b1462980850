import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { ActingMac } from '../../lib/login/acting-mac.ts'
import { Authorization } from '../../lib/login/authorization.ts'
import { CurrentUser } from '../../lib/login/current-user.ts'
import { resolveLoginOptions } from '../../lib/login/options.ts'
import { Visitor } from '../../lib/login/visitor.ts'
import type { OwnerSessions } from '../../lib/owners/sessions.ts'
import type { Act } from '../helpers/acting-app.ts'
import { createActing, createStoredActing, fail, restarted } from '../helpers/acting-app.ts'
import { ANA, BEN, createKitApp, Member, tellEventsOf } from '../helpers/login-app.ts'

t.test('without a login, no user is loaded and none is logged in', async (t) => {
  const { act, ana, loads } = await createStoredActing()
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
  const kit = await createStoredActing()
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
  app.addHook('preValidation', look)
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
  const { act, ana } = await createActing({
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

t.test('while the store is down, a remembered user is null on a route with onStoreError: anonymous', async (t) => {
  const kit = await createStoredActing()
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
  const { app, ana } = await createActing({ loadUser: () => Promise.reject(new Error('mine')) })
  app.get('/open', { config: { session: { onStoreError: 'anonymous' } } }, async (request) => request.loadUser())
  await ana.login(1)
  t.match((await ana.get('/open')).json(), { statusCode: 500, message: 'mine' })
})

t.test('a login or logout during a load wins over the load', async (t) => {
  const { act, ana } = await createActing({ loadUser: () => new Promise((resolve) => setImmediate(resolve, ANA)) })
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

t.test('the user id of the session is known without a load', async (t) => {
  const { app, ana, loads } = await createActing()
  const settings = resolveLoginOptions({ loadUser: () => ANA }, Date.now)
  app.get('/told', async (request, reply) => {
    const kit = {
      settings,
      sessions: app.sessions as OwnerSessions,
      freshness: 1,
      remember: undefined,
      macs: new ActingMac([], ''),
      setAside: () => {},
      isHandling: () => true,
      warnOfHaste: () => {}
    }
    const visitor = new Visitor(kit, request, reply)
    const current = new CurrentUser(kit, request, reply, visitor, new Authorization(kit, request))
    return current.userId ?? 'nobody'
  })
  t.equal(await ana.read('/told'), 'nobody')
  await ana.login(1)
  t.equal(await ana.read('/told'), '1')
  t.same(loads, [])
})

t.test('a guard loads a user again who was loaded a while ago', async (t) => {
  const { app, clock, ana, users, loads } = await createStoredActing()
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

t.test('a fresh load asks for the user again', async (t) => {
  const { act, ana, users, loads } = await createActing()
  await ana.login(1)
  const roles: Act = async (request) => {
    const before = (await request.loadUser())?.roles
    users.set('1', { ...ANA, roles: [] })
    const same = (await request.loadUser({ fresh: false }))?.roles
    return [before, same, (await request.loadUser({ fresh: true }))?.roles, request.user?.roles]
  }
  t.same(await act(ana, roles), [['admin'], ['admin'], [], []])
  t.same(loads, ['1', '1'])
  const end: Act = async (request) => {
    await request.loadUser()
    users.delete('1')
    return [await request.loadUser({ fresh: true }), request.user, request.session.ownerId ?? 'no owner']
  }
  t.same(await tellEventsOf(async () => t.same(await act(ana, end), [null, null, 'no owner'])), ['ended 1'])
  t.equal(await act(ana, (request) => request.loadUser({ fresh: 1 } as never)), 'ERR_SESSION_OPTION_INVALID')
  t.equal(await act(ana, (request) => request.loadUser({ frsh: true } as never)), 'ERR_SESSION_OPTION_UNKNOWN')
})

t.test('a fresh load looks at the session again, and nobody is logged in who has lost it', async (t) => {
  const { app, act, ana, loads } = await createStoredActing({ remember: false })
  await ana.login(1)
  const revoked: Act = async (request) => {
    await request.loadUser()
    await app.sessions.revokeAll('1')
    return [request.user?.name, await request.loadUser({ fresh: true }), request.user, request.authenticatedAt]
  }
  t.same(await act(ana, revoked), ['Ana', null, null, null])
  t.same(loads, ['1'])
  for (const find of [
    (request: FastifyRequest) => request.session.reload(),
    (request: FastifyRequest) => request.session.update(() => undefined),
    (request: FastifyRequest) => {
      request.session.visits = 1
      return request.session.commit()
    },
    (request: FastifyRequest) => request.confirmLogin()
  ]) {
    await ana.login(1)
    const gone: Act = async (request) => {
      await request.loadUser()
      await app.sessions.revokeAll('1')
      await t.rejects(find(request) as Promise<unknown>, { code: 'ERR_SESSION_GONE' })
      const after = [request.user, await request.loadUser()]
      await request.login(BEN)
      return [...after, request.user?.name]
    }
    t.same(await act(ana, gone), [null, null, 'Ben'], String(find))
    t.equal(await ana.read('/who'), 'Ben')
  }
})

t.test('until a fresh load has ended, the user is who was loaded before, also if it fails', async (t) => {
  const waiting: ((user: typeof ANA | Error) => void)[] = []
  const loadUser = () =>
    new Promise<typeof ANA>((resolve, reject) => {
      waiting.push((user) => (user instanceof Error ? reject(user) : resolve(user)))
    })
  const { act, ana } = await createActing({ loadUser })
  await ana.login(1)
  const answer = async (user: typeof ANA | Error): Promise<void> => {
    while (waiting.length === 0) await new Promise(setImmediate)
    waiting.pop()?.(user)
  }
  t.same(
    await act(ana, async (request) => {
      const names: unknown[] = []
      const first = request.loadUser()
      const [fresh, other] = [request.loadUser({ fresh: true }), request.loadUser({ fresh: true })]
      await answer(ANA)
      names.push((await first)?.name)
      while (waiting.length === 0) await new Promise(setImmediate)
      names.push(request.user?.name)
      await answer({ ...ANA, name: 'Anna' })
      names.push((await fresh)?.name, (await other)?.name, request.user?.name)
      const failing = request.loadUser({ fresh: true })
      await answer(new Error('database down'))
      await t.rejects(failing, { message: 'database down' })
      const [failed, retried] = [request.loadUser({ fresh: true }).catch(() => null), request.loadUser({ fresh: true })]
      await answer(new Error('database down'))
      await failed
      return [...names, request.user?.name, await retried.catch(() => 'the same')]
    }),
    ['Ana', 'Ana', 'Anna', 'Anna', 'Anna', 'Anna', 'the same']
  )
})

t.test('a fresh load while the store is down is an error, or nobody', async (t) => {
  const { app, act, ana, store } = await createStoredActing()
  const load = async (request: FastifyRequest) => {
    await request.loadUser()
    fail(store)
    return [await request.loadUser({ fresh: true }), request.user]
  }
  app.get('/open', { config: { session: { onStoreError: 'anonymous' } } }, load)
  await ana.login(1, { remember: true })
  t.equal(await act(ana, load), 'ERR_SESSION_STORE_UNAVAILABLE')
  store.before = () => undefined
  t.same((await ana.get('/open')).json(), [null, null])
})

t.test('who acts as the user is known with the user', async (t) => {
  const { app, act, ana, users } = await createActing()
  app.get('/private', { preHandler: app.notImpersonating() }, async () => 'in')
  await ana.login(1)
  await act(ana, (request) => request.impersonate(BEN))
  await act(ana, async (request) => {
    await t.rejects(request.rehashed(BEN), { code: 'ERR_SESSION_IMPERSONATION' })
    t.match([request.user, request.impersonator, request.authenticatedAt], [{ name: 'Ben' }, { name: 'Ana' }, null])
  })
  t.equal((await ana.get('/private')).statusCode, 403)
  users.delete('2')
  t.equal((await ana.get('/private')).statusCode, 403, 'the request in which it ends')
  t.equal(await ana.read('/private'), 'in')
})

t.test('a new hash of a user who is not loaded is refused, and loads nobody', async (t) => {
  const { act, ana, loads } = await createActing()
  await ana.login(1)
  t.equal(await act(ana, (request) => request.rehashed(ANA)), 'ERR_SESSION_LOGIN_REQUIRED')
  t.same(loads, [])
})
