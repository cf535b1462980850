import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { guardsFor } from '../../lib/guard/checks.ts'
import { provideTokenGate } from '../../lib/guard/token-gate.ts'
import { MemoryStore, session } from '../../lib/index.ts'
import { RequestSession } from '../../lib/request/session.ts'
import { sessionContext } from '../../lib/request/session-context.ts'
import type { Client } from '../../lib/testing/create-client.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { Guard, Guards } from '../../types/guard.ts'
import { createApp, createStoredApp, SECRET } from '../helpers/app.ts'

const BROWSER = { 'sec-fetch-mode': 'navigate' }
const { requireSession, loginRequired, safeNext } = guardsFor('session')

/** Creates an application with a guarded route, and a visitor whose session has the given data. */
async function createVisitor(guard: Guard, data: object = {}): Promise<Client> {
  const { app } = await createApp()
  app.get('/', { preHandler: guard }, async () => 'handled')
  app.get('/data', async ({ session }) => session.data())
  app.get('/start', async ({ session }) => {
    Object.assign(session, data)
    return ''
  })
  const visitor = await createClient(app)
  await visitor.get('/start')
  return visitor
}

async function ask(guard: Guard, data?: object, headers = {}): Promise<LightMyRequestResponse> {
  return (await createVisitor(guard, data)).inject({ method: 'GET', url: '/', headers })
}

t.test('all keys must be present', async (t) => {
  const guard = requireSession('userId', 'cart')
  t.equal((await ask(guard, { userId: 7, cart: {} })).body, 'handled')
  for (const data of [{}, { userId: 7 }, { cart: {} }, { userId: 7, card: {} }, { UserId: 7, cart: {} }]) {
    const response = await ask(guard, data)
    t.equal(response.statusCode, 401, JSON.stringify(data))
    t.equal(response.json().code, 'ERR_SESSION_LOGIN_REQUIRED')
  }
})

t.test('null and false count as absent; zero and the empty string do not', async (t) => {
  const guard = requireSession('anything')
  for (const anything of [0, '', [], {}, true, 'false', [null]]) {
    t.equal((await ask(guard, { anything })).statusCode, 200, JSON.stringify(anything))
  }
  for (const anything of [null, false]) t.equal((await ask(guard, { anything })).statusCode, 401, String(anything))
})

t.test('options come after the keys', async (t) => {
  const options = { redirectTo: '/login', status: 404, message: 'No.' }
  for (const guard of [requireSession('userId', 'cart', options), loginRequired({ key: 'userId', ...options })]) {
    t.match((await ask(guard)).json(), { statusCode: 404, message: 'No.' })
    const response = await ask(guard, {}, BROWSER)
    t.equal(response.headers.location, '/login')
    t.equal(setCookieLines(response).length, 1, 'and the page that was wanted is noted')
  }
})

t.test('a predicate sees the session and decides', async (t) => {
  const admin = requireSession((session): session is { userId: number; role: 'admin' } => session.role === 'admin')
  t.equal((await ask(admin, { role: 'admin' })).body, 'handled')
  for (const data of [{}, { role: 'guest' }]) {
    const response = await ask(admin, data)
    t.equal(response.statusCode, 403)
    t.equal(response.json().code, 'ERR_SESSION_FORBIDDEN')
  }
  const hidden = requireSession(({ visits = 0 }) => visits > 2, { status: 404, redirectTo: '/login' })
  t.equal((await ask(hidden, { visits: 3 })).statusCode, 200)
  t.equal((await ask(hidden, { visits: 2 })).statusCode, 404)
  t.equal((await ask(hidden, { visits: 2 }, BROWSER)).headers.location, '/login')
})

t.test('a predicate that returns anything but true or false fails the request', async (t) => {
  for (const answer of [Promise.resolve(false), Promise.resolve(true), undefined, null, 0, 1, '', 'yes', {}]) {
    const response = await ask(
      requireSession(() => answer as boolean),
      { userId: 7 },
      BROWSER
    )
    t.equal(response.statusCode, 500, String(answer))
    t.match(response.json(), { code: 'ERR_SESSION_VALUE', message: `it returned a ${typeof answer}` })
  }
})

t.test('a predicate whose promise is rejected does not end the process', async (t) => {
  const rejecting = (): unknown => Promise.reject(new Error('nobody waits for this'))
  t.equal((await ask(requireSession(rejecting as () => boolean))).json().code, 'ERR_SESSION_VALUE')
})

t.test('a predicate that throws fails the request', async (t) => {
  const guard = requireSession(({ cart }) => (cart as Record<string, number>).item === 1)
  t.equal((await ask(guard)).statusCode, 500)
  t.equal((await ask(guard, { cart: { item: 1 } })).statusCode, 200)
})

t.test('loginRequired checks its key', async (t) => {
  const guard = loginRequired({ key: 'userId' })
  t.equal((await ask(guard, { userId: 7 })).body, 'handled')
  t.equal((await ask(guard, { visits: 1 })).statusCode, 401)
  t.same(await visitedData(guard), {}, 'and nothing is noted without a page to send to')
})

async function visitedData(guard: Guard): Promise<unknown> {
  const visitor = await createVisitor(guard)
  await visitor.inject({ method: 'GET', url: '/', headers: BROWSER })
  return (await visitor.get('/data')).json()
}

/** The guards without their types, as JavaScript calls them. */
const loose = { requireSession, loginRequired } as unknown as Record<keyof Guards, (...given: unknown[]) => unknown>

t.test('a key that is not a string is refused when the guard is created', (t) => {
  const invalid = { code: 'ERR_SESSION_OPTION_INVALID' }
  for (const given of [[], [{}], [{ status: 403 }], [['userId']], [undefined], [null], [7], [/userId/]]) {
    t.throws(() => loose.requireSession(...given), invalid, JSON.stringify(given))
  }
  for (const given of [
    ['userId', 7],
    ['userId', undefined],
    ['userId', ['cart']],
    ['userId', {}, 'cart'],
    [7, 'userId']
  ]) {
    t.throws(() => loose.requireSession(...given), invalid, JSON.stringify(given))
  }
  for (const given of [
    undefined,
    null,
    'userId',
    {},
    { redirectTo: '/login' },
    { key: undefined },
    { key: ['userId'] }
  ]) {
    t.throws(
      () => loose.loginRequired(given),
      { ...invalid, message: /loginRequired\(\{ key: 'userId' \}\)/ },
      JSON.stringify(given)
    )
  }
  for (const given of [
    [() => true, null],
    [() => true, 'userId'],
    [() => true, { status: 200 }]
  ]) {
    t.throws(() => loose.requireSession(...given), invalid)
  }
  const unknown = { code: 'ERR_SESSION_OPTION_UNKNOWN' }
  t.throws(() => loose.requireSession('userId', { key: 'userId' }), unknown)
  t.throws(() => loose.loginRequired({ key: 'userId', redirect: '/login' }), unknown)
  t.end()
})

t.test('a key that every session has is refused when the guard is created', (t) => {
  const names = [RequestSession.prototype, Object.prototype].flatMap((prototype) =>
    Object.getOwnPropertyNames(prototype)
  )
  for (const name of ['id', 'get', 'update', 'permanent', 'constructor', '__proto__', 'toString'])
    t.ok(names.includes(name))
  for (const name of names) {
    t.throws(() => loose.requireSession('userId', name), { code: 'ERR_SESSION_RESERVED_KEY', message: name })
    t.throws(() => loose.loginRequired({ key: name }), { code: 'ERR_SESSION_RESERVED_KEY', message: name })
  }
  t.end()
})

t.test('members of Object.prototype are not a login', async (t) => {
  const guard = loginRequired({ key: 'userId' })
  Object.defineProperty(Object.prototype, 'userId', { value: 7, configurable: true })
  t.teardown(() => delete (Object.prototype as { userId?: number }).userId)
  t.equal((await ask(guard)).statusCode, 401)
})

t.test('a session that ended earlier in the request is refused', async (t) => {
  const { app } = await createApp()
  app.get('/start', async ({ session }) => {
    session.userId = 7
    return ''
  })
  const end = async (request: { session: unknown }): Promise<void> => {
    request.session = null
  }
  app.get('/', { preHandler: [end, loginRequired({ key: 'userId' })] }, async () => t.fail('handled'))
  const visitor = await createClient(app)
  await visitor.get('/start')
  t.equal((await visitor.get('/')).statusCode, 401)
})

t.test('while the store is down a guard answers 503, even with onStoreError: anonymous', async (t) => {
  const { app, store } = await createStoredApp()
  const config = { session: { onStoreError: 'anonymous' } } as const
  app.get('/start', async ({ session }) => {
    session.userId = 7
    return ''
  })
  app.get(
    '/key',
    loginRequired({ key: 'userId', redirectTo: '/login' }).handle({ config }, async () => 'handled')
  )
  app.get(
    '/predicate',
    requireSession(() => true).handle({ config }, async () => 'handled')
  )
  const visitor = await createClient(app)
  await visitor.get('/start')
  store.before = () => Promise.reject(new Error('down'))
  for (const url of ['/key', '/predicate']) {
    const response = await visitor.inject({ method: 'GET', url, headers: BROWSER })
    t.equal(response.statusCode, 503, url)
    t.equal(response.json().code, 'ERR_SESSION_STORE_UNAVAILABLE')
    t.equal(response.headers['retry-after'], '5')
  }
  store.before = () => undefined
  for (const url of ['/key', '/predicate']) t.equal((await visitor.get(url)).body, 'handled', 'a moment later')
})

t.test(
  'a guard that runs before the session is loaded fails the request: nobody knows whose session it is',
  async (t) => {
    const app = fastify()
    const guard = guardsFor<object, 'session'>('session').loginRequired({ key: 'userId' } as never)
    app.addHook('onRequest', guard)
    // A store that loads at once answers the guard.
    const store = Object.assign(new MemoryStore({ pruneInterval: 0 }), { loadsAtOnce: undefined as never })
    await app.register(session, { secret: SECRET, store })
    app.get('/', async () => t.fail('handled'))
    for (const headers of [{}, { cookie: 'session=x' }]) {
      t.match((await app.inject({ url: '/', headers })).json(), { statusCode: 500, code: 'ERR_SESSION_NOT_LOADED' })
    }
  }
)

t.test('a guard on a route without sessions fails the request with the reason', async (t) => {
  const { app } = await createApp()
  const config = { session: false } as const
  app.get(
    '/key',
    loginRequired({ key: 'userId' }).handle({ config }, async () => t.fail('handled'))
  )
  app.get(
    '/predicate',
    requireSession(() => true).handle({ config }, async () => t.fail('handled'))
  )
  for (const url of ['/key', '/predicate']) {
    const response = await app.inject({ url, headers: BROWSER })
    t.equal(response.statusCode, 500)
    t.equal(response.json().code, 'ERR_SESSION_DISABLED')
  }
})

t.test('a guard without a registered session fails every request', async (t) => {
  const app = fastify()
  app.get('/', { preHandler: loginRequired({ key: 'userId' }) }, async () => t.fail('handled'))
  const response = await app.inject('/')
  t.equal(response.statusCode, 500)
  t.equal(response.json().code, 'ERR_SESSION_NOT_REGISTERED')
})

interface AdminData {
  level: number
}

async function createTwoSessions(): Promise<FastifyInstance> {
  const { app } = await createApp()
  await app.register(session, { secret: SECRET, decorator: 'adminSession', cookieName: 'admin' })
  const admin = guardsFor<AdminData, 'adminSession'>('adminSession')
  app.get('/start', async (request) => {
    const { session, adminSession } = request as typeof request & { adminSession: AdminData }
    session.userId = 7
    adminSession.level = 9
    return ''
  })
  app.get(
    '/user',
    loginRequired({ key: 'userId', redirectTo: '/login' }).handle(async () => 'handled')
  )
  app.get(
    '/admin',
    admin.loginRequired({ key: 'level', redirectTo: '/login' }).handle(async ({ adminSession }) => adminSession.level)
  )
  const options = { redirectTo: '/login' }
  const first = admin.requireSession('level', options)
  const second = admin.requireSession(({ level = 0 }) => level > 8, options)
  app.get('/key', { preHandler: first }, async () => 'handled')
  app.get('/predicate', { preHandler: second }, async () => 'handled')
  app.get('/login', async (request) => ({ user: safeNext(request), admin: admin.safeNext(request, '/admins') }))
  return app
}

t.test('guards of another session check that session, and store the requested page in it', async (t) => {
  const visitor = await createClient(await createTwoSessions())
  const navigate = (url: string) => visitor.inject({ method: 'GET', url, headers: BROWSER })
  for (const url of ['/admin', '/key', '/predicate']) {
    t.equal((await navigate(url)).headers.location, '/login')
    t.match(visitor.jar.header(), /^admin=[^;]+$/)
    t.same((await visitor.get('/login')).json(), { user: '/', admin: url })
  }
  await navigate('/user?a=b')
  t.same((await visitor.get('/login')).json(), { user: '/user?a=b', admin: '/admins' })
  await visitor.get('/start')
  t.equal((await navigate('/admin')).body, '9')
  for (const url of ['/key', '/predicate']) t.equal((await navigate(url)).body, 'handled')
  visitor.jar.set('admin', '')
  t.equal((await navigate('/user')).body, 'handled')
  t.equal((await navigate('/admin')).statusCode, 302, 'a user is no admin')
})

t.test('guards of a session that is not registered name it in the error', async (t) => {
  const { app } = await createApp()
  const { requireSession } = guardsFor<AdminData, 'adminSession'>('adminSession')
  app.get(
    '/',
    requireSession('level').handle(async () => t.fail('handled'))
  )
  t.match((await app.inject('/')).json(), { code: 'ERR_SESSION_NOT_REGISTERED', message: /'adminSession'/ })
})

t.test('a schema lets sessions through that it accepts, and answers 403 otherwise', async (t) => {
  const admin = requireSession(z.object({ userId: z.number(), role: z.literal('admin') }))
  t.equal((await ask(admin, { userId: 7, role: 'admin', visits: 1 })).body, 'handled')
  for (const data of [{ userId: 7, role: 'editor' }, { role: 'admin' }, {}]) {
    t.match((await ask(admin, data)).json(), { statusCode: 403, code: 'ERR_SESSION_FORBIDDEN' })
  }
  const user = requireSession(z.object({ userId: z.number() }), { status: 401, message: 'Who are you?' })
  t.match((await ask(user)).json(), { statusCode: 401, message: 'Who are you?' })
  t.throws(() => requireSession({ '~standard': 1 } as never), { code: 'ERR_SESSION_OPTION_INVALID' })
})

t.test('a guard asks whether a token decides before it looks at the session', async (t) => {
  const { app } = await createApp()
  const context = sessionContext(app, 'session')
  const decides = async (request: object): Promise<boolean> => {
    context?.setAside(request as never)
    return true
  }
  provideTokenGate(app, 'session', { decides, hasDecided: () => true, challengeOf: () => 'Bearer' })
  app.get('/start', async ({ session }) => {
    session.userId = 7
    return ''
  })
  app.get('/', { preHandler: requireSession('userId') }, async () => 'in')
  const visitor = await createClient(app)
  await visitor.get('/start')
  t.equal((await visitor.get('/')).statusCode, 401)
})
