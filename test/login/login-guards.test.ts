import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { User } from '../../lib/login/index.ts'
import { BEN, createKitApp, createStoredKitApp, Member, tellEventsOf } from '../helpers/login-app.ts'

const BROWSER = { accept: 'text/html' }
const roles = (user: User): string[] => user.roles

t.test('a request without a login is refused, and an event says so', async (t) => {
  const { app } = await createKitApp()
  const reasons: string[] = []
  const onRefused = (_request: FastifyRequest, _reply: unknown, reason: string): void => void reasons.push(reason)
  app.get(
    '/',
    app.loginRequired({ onRefused, status: 404, message: 'Nothing here.', redirectTo: '/in' }).handle(async () => '')
  )
  const visitor = new Member(app)
  t.same(
    await tellEventsOf(async () => {
      t.match((await visitor.get('/')).json(), { statusCode: 404, message: 'Nothing here.' })
    }),
    ['refused nobody not-logged-in']
  )
  t.same(reasons, ['not-logged-in'])
  const sent = await visitor.get('/', { headers: BROWSER })
  t.equal(sent.headers.location, '/in', 'an option of the guard goes before one of the kit')
})

t.test('without loginPath every client gets the error', async (t) => {
  const { app } = await createKitApp({}, { loginPath: undefined } as never)
  const response = await new Member(app).get('/me', { headers: BROWSER })
  t.match(response.json(), { statusCode: 401, code: 'ERR_SESSION_LOGIN_REQUIRED' })
})

t.test('a path of the guard that is undefined leaves the one of the kit', async (t) => {
  const { app } = await createKitApp()
  app.get(
    '/a',
    app.loginRequired({ redirectTo: undefined }).handle(async () => '')
  )
  const sent = await new Member(app).get('/a', { headers: BROWSER })
  t.equal(sent.headers.location, '/login')
})

t.test('a visitor must log in before confirming a login', async (t) => {
  const { app } = await createKitApp()
  const names = async ({ user }: { user: User }): Promise<string> => user.name
  app.get('/secret', app.freshLoginRequired({ within: 1, redirectTo: '/once-more' }).handle(names))
  const ana = new Member(app)
  const open = async (): Promise<unknown> =>
    (await ana.get('/secret', { headers: { accept: 'text/html' } })).headers.location
  t.equal(await open(), '/login')
  await ana.login(1, { fresh: false })
  t.equal(await open(), '/once-more')
})

t.test('a login is fresh from its first second to the last second of `within`', async (t) => {
  const { app, clock } = await createKitApp()
  const names = async ({ user }: { user: User }): Promise<string> => user.name
  app.get('/second', app.freshLoginRequired({ within: 1 }).handle(names))
  app.get('/ever', app.freshLoginRequired().handle(names))
  app.get('/hidden', app.freshLoginRequired({ within: 1, status: 404 }).handle(names))
  const ana = new Member(app)
  t.same(await tellEventsOf(() => ana.get('/second')), ['refused nobody not-logged-in'])
  t.equal((await ana.get('/hidden')).statusCode, 404, 'options are for strangers, too')
  await ana.login(1)
  t.equal(await ana.read('/second'), 'Ana')
  clock.advance(1)
  t.equal(await ana.read('/second'), 'Ana')
  clock.advance(1)
  t.same(
    await tellEventsOf(async () => {
      t.match((await ana.get('/second')).json(), { statusCode: 401, code: 'ERR_SESSION_NOT_FRESH' })
    }),
    ['refused 1 not-fresh']
  )
  t.equal(await ana.read('/ever'), 'Ana')
  await ana.login(1, { fresh: false })
  t.match((await ana.get('/ever')).json(), { code: 'ERR_SESSION_NOT_FRESH' })
})

t.test('one of the roles is enough', async (t) => {
  const { app } = await createKitApp({}, { roles })
  app.get(
    '/',
    app.requireRole('editor', 'admin').handle(async ({ user }) => user.name)
  )
  app.get(
    '/root',
    app.requireRole('root', { redirectTo: '/sorry', message: 'No.' }).handle(async () => '')
  )
  const [ana, ben] = [new Member(app), new Member(app)]
  await ana.login(1)
  await ben.login(2)
  t.equal(await ana.read('/'), 'Ana')
  t.same(
    await tellEventsOf(async () => {
      t.match((await ben.get('/')).json(), { statusCode: 403, code: 'ERR_SESSION_FORBIDDEN' })
    }),
    ['refused 2 not-allowed']
  )
  t.match((await ana.get('/root')).json(), { statusCode: 403, message: 'No.' })
  const [stranger, allowed] = [new Member(app), ana].map((one) => one.get('/root', { headers: BROWSER }))
  t.equal((await allowed)?.headers.location, '/sorry')
  t.equal((await stranger)?.headers.location, '/login', 'who is a stranger is sent to log in')
  t.match((await new Member(app).get('/root')).json(), { statusCode: 401, message: 'No.' })
})

t.test('a guard without a meaning is refused when it is created', async (t) => {
  const { app } = await createKitApp({}, { roles })
  const invalid = { code: 'ERR_SESSION_OPTION_INVALID' }
  const requireRole = app.requireRole as unknown as (...given: unknown[]) => unknown
  for (const given of [
    [],
    [{}],
    [7],
    [['admin']],
    ['admin', 7],
    ['admin', undefined],
    ['admin', {}, {}],
    [{}, 'admin']
  ]) {
    t.throws(() => requireRole(...given), invalid, JSON.stringify(given))
  }
  for (const within of [0, -1, 1.5, '10m', Number.NaN]) {
    t.throws(() => app.freshLoginRequired({ within } as never), invalid)
  }
  t.throws(() => app.loginRequired({ within: 1 } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
  t.throws(() => app.loginRequired({ onRefused: 'x' } as never), invalid)
  const { app: plain } = await createKitApp()
  t.throws(() => plain.requireRole('admin'), { ...invalid, message: /needs the option roles/ })
})

t.test('a guard refuses everybody while the user cannot be known', async (t) => {
  const { app, store } = await createStoredKitApp()
  const handler = async ({ user }: { user: User }): Promise<string> => user.name
  app.get('/off', app.loginRequired().handle({ config: { session: false } }, handler))
  app.get('/open', app.loginRequired().handle({ config: { session: { onStoreError: 'anonymous' } } }, handler))
  const ben = new Member(app)
  await ben.login(BEN.id)
  t.match((await ben.get('/off')).json(), { statusCode: 500, code: 'ERR_SESSION_DISABLED' })
  t.equal(await ben.read('/open'), 'Ben')
  store.before = () => Promise.reject(new Error('down'))
  t.match((await ben.get('/open')).json(), { statusCode: 503, code: 'ERR_SESSION_STORE_UNAVAILABLE' })
})

t.test('an impersonator does not get where only users themselves may go', async (t) => {
  const { app, users } = await createKitApp()
  app.get('/act', async (request) => request.impersonate(users.get('2') as User))
  app.get('/letters', { preHandler: app.notImpersonating() }, async () => 'private')
  app.get('/hidden', { preHandler: app.notImpersonating({ status: 404, message: 'Not here.' }) }, async () => 'private')
  const ana = new Member(app)
  t.equal(await ana.read('/letters'), 'private', 'a stranger acts as nobody')
  await ana.login(1)
  t.equal(await ana.read('/letters'), 'private')
  await ana.get('/act')
  t.same(
    await tellEventsOf(async () => {
      t.match((await ana.get('/letters')).json(), {
        statusCode: 403,
        code: 'ERR_SESSION_FORBIDDEN',
        message: 'You act as a user. Only the user may do this.'
      })
    }),
    ['refused 2 not-allowed']
  )
  t.match((await ana.get('/hidden')).json(), { statusCode: 404, message: 'Not here.' })
  t.match(
    (await ana.get('/fresh', { headers: BROWSER })).json(),
    { statusCode: 403, message: /^You act/ },
    'it is never fresh'
  )
})
