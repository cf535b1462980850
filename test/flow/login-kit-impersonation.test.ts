import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { requireSession } from '../../lib/index.ts'
import type { LoginOptions, User } from '../../lib/login/index.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions, Mode } from '../helpers/app.ts'
import { MODES, REVOCABLE } from '../helpers/app.ts'
import type { KitApp } from '../helpers/login-app.ts'
import { ANA, createKitApp, createStoredKitApp, loginEventsOf, Member } from '../helpers/login-app.ts'
import { bearer, createTokens } from '../helpers/tokens.ts'

const BROWSER = { accept: 'text/html', 'sec-fetch-mode': 'navigate' }
const CROSS_SITE = { 'sec-fetch-site': 'cross-site' }
const ALL: readonly Mode[] = [...MODES, ...REVOCABLE]
const roles = (user: User): string[] => user.roles
const authHash = (user: User): string => user.password

/** Adds what an application has for administrators who act as others. */
function addRoutes<App extends KitApp>(made: App): App {
  const { app, users } = made
  app.post<{ Params: { id: string } }>(
    '/act-as/:id',
    app.loginRequired().handle(async (request) => {
      const { id } = request.params as { id: string }
      await request.impersonate(users.get(id) ?? { ...ANA, id })
      return [request.user.name, request.impersonator?.name]
    })
  )
  app.post('/stop', async (request) => {
    await request.stopImpersonating()
    return [request.user?.name, request.impersonator]
  })
  app.get('/whoami', async (request) => {
    await request.loadUser()
    return `${request.user?.name ?? 'nobody'} by ${request.impersonator?.name ?? 'nobody'}`
  })
  app.get('/admin', { preHandler: app.requireRole('admin') }, async () => 'admins only')
  app.get('/letters', { preHandler: app.notImpersonating() }, async () => 'private')
  app.get('/owner', async ({ session }) => session.ownerId)
  app.post('/rehashed', async (request) => request.rehashed((await request.loadUser()) as User))
  return made
}

async function create(options: LooseOptions = {}, kit: Partial<LoginOptions> = {}): Promise<KitApp> {
  return addRoutes(await createKitApp(options, { roles, authHash, ...kit }))
}

/** Returns an administrator who acts as Ben. */
async function actAsBen(made: KitApp, how: object = {}): Promise<Member> {
  const ana = new Member(made.app)
  await ana.login(1, how)
  const response = await ana.submit('/act-as/2')
  if (response.statusCode !== 200) throw new Error(response.body)
  return ana
}

/** Returns the events as `type user impersonator`. */
async function eventsOf(run: () => Promise<unknown>): Promise<string[]> {
  const events = await loginEventsOf(run)
  return events.map(({ type, userId, impersonatorId }) => [type, userId, impersonatorId].filter(Boolean).join(' '))
}

for (const { mode, options } of ALL) {
  t.test(`${mode}: an administrator acts as a user, and is the administrator again`, async (t) => {
    const made = await create(options)
    const ana = new Member(made.app)
    await ana.login(1)
    const ids = [await ana.read('/id')]
    t.same(
      await eventsOf(async () => {
        const response = await ana.submit('/act-as/2')
        t.same(response.json(), ['Ben', 'Ana'])
        t.equal(setCookieLines(response).length, 1)
      }),
      ['impersonation 2 1']
    )
    ids.push(await ana.read('/id'))
    t.equal(await ana.read('/whoami'), 'Ben by Ana')
    t.equal(await ana.read('/me'), 'Ben')
    t.equal((await ana.get('/admin')).statusCode, 403, 'with the roles of the user')
    t.equal(await ana.read('/owner'), '1', 'the session is still that of the administrator')
    t.same(await eventsOf(async () => t.same((await ana.submit('/stop')).json(), ['Ana', null])), [
      'impersonation-ended 2 1'
    ])
    ids.push(await ana.read('/id'))
    t.equal(new Set(ids).size, 3, 'a new id at the start and at the end')
    t.equal(await ana.read('/whoami'), 'Ana by nobody')
    t.equal(await ana.read('/admin'), 'admins only')
    t.same(await eventsOf(async () => t.same((await ana.submit('/stop')).json(), ['Ana', null])), [], 'once more')
  })

  t.test(`${mode}: the data of the two do not mix`, async (t) => {
    const made = await create(options)
    const ana = new Member(made.app)
    await ana.login(1)
    await ana.get('/cart')
    await ana.submit('/act-as/2')
    t.same(Object.keys((await ana.get('/data')).json()).sort(), ['_acting', '_login'])
    t.same((await ana.get('/cart')).json(), { book: 1 })
    t.same((await ana.get('/cart')).json(), { book: 2 })
    await ana.submit('/stop')
    const { cart, _acting } = (await ana.get('/data')).json()
    t.same([cart, _acting], [{ book: 1 }, undefined])
  })

  t.test(`${mode}: it is never nested, and never fresh`, async (t) => {
    const made = await create(options)
    made.users.set('3', { ...ANA, id: 3, name: 'Eve' })
    const ana = await actAsBen(made)
    const before = ana.cookie('session')
    for (const url of ['/act-as/3', '/act-as/1', '/login', '/confirm', '/logout-others', '/rehashed']) {
      const response = await ana.submit(url, { id: 2 })
      t.match(response.json(), { statusCode: 409, code: 'ERR_SESSION_IMPERSONATION' }, url)
      t.same(setCookieLines(response), [], url)
    }
    t.equal(ana.cookie('session'), before)
    for (const headers of [{}, BROWSER]) {
      const fresh = await ana.get('/fresh', { headers })
      t.match(fresh.json(), { statusCode: 403, code: 'ERR_SESSION_FORBIDDEN' })
    }
    t.same((await ana.get('/at')).json(), { at: null })
    t.equal((await ana.get('/letters')).statusCode, 403)
    await ana.submit('/stop')
    t.equal(await ana.read('/fresh'), 'Ana', 'the login of the administrator is as fresh as before')
    t.equal(await ana.read('/letters'), 'private')
    t.equal(await new Member(made.app).read('/letters'), 'private', 'strangers act as nobody')
  })

  t.test(`${mode}: a request that may write data of the session makes nobody another user`, async (t) => {
    const { app, clock } = addRoutes(await createKitApp(options, { roles }))
    app.post('/settings', async ({ session, body }) => void Object.assign(session, body))
    const ben = new Member(app)
    await ben.login(2)
    const seenAt = Math.floor(clock.now() / 1000)
    await ben.submit('/settings', { _acting: { id: '1', by: '2', seenAt, mac: 'A'.repeat(43), kept: {} } })
    t.equal(await ben.read('/whoami'), 'Ben by nobody')
    t.equal((await ben.get('/admin')).statusCode, 403)
  })

  t.test(`${mode}: it ends when it is left alone, and that request is nobody's`, async (t) => {
    const made = await create(options, { impersonationIdleTimeout: 600 })
    const { clock } = made
    const ana = await actAsBen(made)
    for (let count = 0; count < 4; count++) {
      clock.advance(540)
      t.equal(await ana.read('/me'), 'Ben')
    }
    clock.advance(601)
    t.same(await eventsOf(async () => t.equal((await ana.get('/me', { headers: BROWSER })).statusCode, 302)), [
      'impersonation-ended 2 1',
      'refused 1'
    ])
    t.equal(await ana.read('/whoami'), 'Ana by nobody')
    const old = await actAsBen(made)
    clock.advance(601)
    t.equal(await old.read('/whoami'), 'nobody by nobody')
    t.equal((await old.submit('/login', { id: 2 })).statusCode, 200, 'a login is possible then')
    const late = await actAsBen(made)
    clock.advance(601)
    t.equal((await late.submit('/login', { id: 2 })).statusCode, 200, 'also if it finds that out')
    t.equal(await late.read('/whoami'), 'Ben by nobody')
  })

  t.test(`${mode}: it ends with its user, and the administrator goes on`, async (t) => {
    for (const change of [
      (users: Map<string, User>) => users.delete('2'),
      (users: Map<string, User>) => users.set('2', { ...ANA, id: 2, password: 'new' })
    ]) {
      const made = await create(options)
      const ana = await actAsBen(made)
      change(made.users)
      t.same(await eventsOf(async () => t.equal((await ana.get('/me')).statusCode, 401)), [
        'impersonation-ended 2 1',
        'refused 1'
      ])
      t.equal(await ana.read('/whoami'), 'Ana by nobody')
    }
  })

  t.test(`${mode}: it ends with the login of the administrator`, async (t) => {
    for (const change of [
      (users: Map<string, User>) => users.delete('1'),
      (users: Map<string, User>) => users.set('1', { ...ANA, password: 'new' })
    ]) {
      const made = await create(options)
      const ana = await actAsBen(made)
      change(made.users)
      t.same(await eventsOf(async () => t.equal(await ana.read('/whoami'), 'nobody by nobody')), [
        'impersonation-ended 2 1',
        'ended 1'
      ])
      t.equal(ana.jar.header(), '')
    }
    const made = await create(options)
    const ana = await actAsBen(made)
    t.same(await eventsOf(() => ana.submit('/logout')), ['impersonation-ended 2 1', 'logout 1'])
    t.equal(await ana.read('/whoami'), 'nobody by nobody')
  })

  t.test(`${mode}: other sites begin and end none`, async (t) => {
    const made = await create(options)
    const ana = new Member(made.app)
    await ana.login(1)
    t.match((await ana.submit('/act-as/2', {}, CROSS_SITE)).json(), { code: 'ERR_SESSION_CROSS_SITE' })
    await ana.submit('/act-as/2')
    t.match((await ana.submit('/stop', {}, CROSS_SITE)).json(), { code: 'ERR_SESSION_CROSS_SITE' })
    t.equal(await ana.read('/whoami'), 'Ben by Ana')
  })
}

t.test('nobody acts as themselves, as somebody unknown, without a login or with a token', async (t) => {
  const { authenticate } = createTokens()
  const made = await create({}, { authenticate })
  const { app } = made
  app.post('/as-ben', async (request) => request.impersonate(made.users.get('2') as User))
  const ana = new Member(app)
  await ana.login(1)
  const cookie = ana.cookie('session')
  t.match((await ana.submit('/act-as/1')).json(), { statusCode: 409, code: 'ERR_SESSION_IMPERSONATION' })
  t.match((await ana.submit('/act-as/9')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
  t.match((await new Member(app).submit('/as-ben')).json(), { statusCode: 401, code: 'ERR_SESSION_LOGIN_REQUIRED' })
  for (const url of ['/as-ben', '/stop']) {
    t.match((await ana.submit(url, {}, bearer('ana'))).json(), { statusCode: 400, code: 'ERR_SESSION_TOKEN' })
  }
  t.equal(ana.cookie('session'), cookie)
  t.equal(await ana.read('/whoami'), 'Ana by nobody')
})

t.test('sessions of the user and their limit are not concerned', async (t) => {
  const made = addRoutes(await createStoredKitApp({ roles, remember: true }, { maxPerOwner: 1 }))
  const { app } = made
  const ben = new Member(app)
  await ben.login(2)
  const ana = await actAsBen(made)
  t.equal(await ben.read('/me'), 'Ben')
  t.equal((await app.sessions.list('2')).length, 1)
  t.equal((await app.sessions.list('1')).length, 1)
  await app.sessions.revokeAll('1')
  t.equal(await ana.read('/whoami'), 'nobody by nobody')
  t.equal(await ben.read('/me'), 'Ben')
})

t.test('what remembers the administrator stays', async (t) => {
  const made = addRoutes(await createStoredKitApp({ roles, remember: true }))
  const ana = await actAsBen(made, { remember: true })
  const token = ana.cookie('remember')
  await ana.get('/me')
  t.equal(ana.cookie('remember'), token)
  ana.restart()
  t.equal(await ana.read('/whoami'), 'Ana by nobody', 'a new session begins with the login of the administrator')
})

t.test('an old id is worth nothing', async (t) => {
  const made = addRoutes(await createStoredKitApp({ roles }))
  const ana = new Member(made.app)
  await ana.login(1)
  const asAna = `session=${ana.cookie('session')}`
  await ana.submit('/act-as/2')
  const asBen = `session=${ana.cookie('session')}`
  t.equal((await made.app.inject({ url: '/whoami', headers: { cookie: asAna } })).body, 'nobody by nobody')
  await ana.submit('/stop')
  t.equal((await made.app.inject({ url: '/whoami', headers: { cookie: asBen } })).body, 'nobody by nobody')
})

t.test('of an impersonation and a logout at the same time none brings the session back', async (t) => {
  const made = addRoutes(await createStoredKitApp({ roles }))
  const ana = new Member(made.app)
  await ana.login(1)
  const cookie = `session=${ana.cookie('session')}`
  const send = (url: string) => made.app.inject({ method: 'POST', url, payload: {}, headers: { cookie } })
  const [acted, left] = await Promise.all([send('/act-as/2'), send('/logout')])
  t.equal(left.statusCode, 200)
  const [line = ''] = setCookieLines(acted)
  const [pair = ''] = line.split(';')
  t.equal((await made.app.inject({ url: '/whoami', headers: { cookie: pair } })).body, 'nobody by nobody')
  t.equal((await made.app.sessions.list('1')).length, 0)
})

t.test('a polling route does not keep an impersonation alive', async (t) => {
  const made = await create({}, { impersonationIdleTimeout: 600 })
  const { app, clock } = made
  app.get(
    '/poll',
    { config: { session: { touch: false } }, preHandler: app.loginRequired() },
    async ({ user }) => user?.name
  )
  const ana = await actAsBen(made)
  clock.advance(590)
  t.equal(await ana.read('/poll'), 'Ben')
  clock.advance(20)
  t.equal((await ana.get('/poll')).statusCode, 401)
})

t.test('the request in which it ends stays that of nobody', async (t) => {
  const made = await create({}, { impersonationIdleTimeout: 600 })
  const { app, clock } = made
  const preHandler = async (request: FastifyRequest): Promise<void> => {
    t.equal(await request.loadUser(), null)
    // A body may come long after the head: the guard looks again.
    clock.advance(5)
    t.equal(await request.loadUser({ fresh: true }), null)
  }
  app.get('/twice', { preHandler: [preHandler, app.loginRequired()] }, async () => 'in')
  const ana = await actAsBen(made)
  clock.advance(601)
  t.equal((await ana.get('/twice')).statusCode, 401)
  t.equal(await ana.read('/whoami'), 'Ana by nobody')
})

t.test("what is never an impersonator's business is not that of the request in which it ends either", async (t) => {
  const made = await create({}, { impersonationIdleTimeout: 600 })
  const { app, clock } = made
  app.get('/cart-of-mine', { preHandler: [app.notImpersonating(), requireSession('cart')] }, async () => 'in')
  const ana = new Member(app)
  await ana.login(1)
  await ana.get('/cart')
  await ana.submit('/act-as/2')
  clock.advance(601)
  const response = await ana.get('/cart-of-mine')
  t.match(response.json(), { code: 'ERR_SESSION_FORBIDDEN' }, 'it was meant for the cart of Ben')
  t.equal(await ana.read('/cart-of-mine'), 'in')
})

t.test('data for which a deploy has changed the schema do not keep an impersonation from ending', async (t) => {
  const schema = z.object({ visits: z.number().optional(), cart: z.record(z.string(), z.number()).optional() })
  const made = await create({ schema } as LooseOptions)
  const ana = new Member(made.app)
  await ana.login(1)
  await ana.get('/cart')
  await ana.submit('/act-as/2')
  const newer = await create({
    schema: z.object({ visits: z.number().optional(), cart: z.string().optional() }),
    schemaVersion: 2
  } as LooseOptions)
  const later = new Member(newer.app)
  later.jar.set('session', ana.cookie('session'))
  const stopped = await later.submit('/stop')
  t.same(stopped.json(), ['Ana', null])
  t.same((await later.get('/data')).json().cart, undefined)
})

t.test('guards of the session look at the data of neither', async (t) => {
  const made = await create()
  made.app.get('/bought', { preHandler: requireSession('cart') }, async () => 'in')
  const ana = new Member(made.app)
  await ana.login(1)
  await ana.get('/cart')
  t.equal(await ana.read('/bought'), 'in')
  await ana.submit('/act-as/2')
  t.equal((await ana.get('/bought')).statusCode, 401)
})
