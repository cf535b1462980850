import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import type { SessionOptions } from '../lib/index.ts'
import { getSession, session } from '../lib/index.ts'
import { addFinishHook } from '../lib/plugin.ts'
import { OTHER_SECRET, SECRET } from './helpers/app.ts'
import { setCookies, Visitor } from './helpers/jar.ts'

t.test('wrong settings are refused at start', async (t) => {
  const start = (options: object): Promise<unknown> =>
    Promise.resolve(fastify().register(session, options as SessionOptions))
  await t.rejects(start({}), { code: 'ERR_SESSION_SECRET_MISSING' })
  await t.rejects(start({ secret: 'short' }), { code: 'ERR_SESSION_SECRET_WEAK' })
  await t.rejects(start({ secret: SECRET, maxAge: 1 }), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
  await t.rejects(start({ secret: SECRET, idleTimeout: -1 }), { code: 'ERR_SESSION_OPTION_INVALID' })
  await t.rejects(start({ secret: SECRET, cookieName: '__Host-s', cookie: { path: '/x' } }), {
    code: 'ERR_SESSION_COOKIE_RULE'
  })
  await start({ secret: SECRET, prefix: '/what-autoload-passes' })
})

t.test('the options stay as the user wrote them', async (t) => {
  const options = { secret: [SECRET, OTHER_SECRET], cookie: { sameSite: 'strict' as const } }
  Object.freeze(options.secret)
  Object.freeze(options.cookie)
  const copy = structuredClone(options)
  const app = fastify()
  await app.register(session, Object.freeze(options))
  t.same(options, copy)
})

t.test('a route config that means nothing is refused when the route is added', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  for (const config of [true, 'off', { tuch: false }, { touch: 1 }, null]) {
    t.throws(() => app.get('/', { config: { session: config as never } }, async () => ''), {
      code: 'ERR_SESSION_OPTION_INVALID'
    })
  }
})

t.test('it makes no difference whether and when the application registers @fastify/cookie', async (t) => {
  for (const order of ['never', 'before', 'after', 'after, in one go']) {
    const app = fastify()
    if (order === 'before') await app.register(cookie)
    if (order === 'after, in one go') {
      app.register(session, { secret: SECRET })
      app.register(cookie)
    } else {
      await app.register(session, { secret: SECRET })
    }
    if (order === 'after') await app.register(cookie)
    app.get('/', async (request, reply) => {
      request.session.visits = (request.session.visits ?? 0) + 1
      if (order === 'never') reply.header('set-cookie', 'own=1').header('set-cookie', 'two=2')
      else reply.setCookie('own', '1').setCookie('two', '2')
      return { visits: request.session.visits, cookies: order === 'never' ? {} : request.cookies }
    })
    const visitor = new Visitor(app)
    await visitor.get('/')
    const response = await visitor.get('/')
    t.equal(response.json().visits, 2, order)
    t.equal(setCookies(response).length, 3, `${order}: all three cookies are sent`)
    t.same([...visitor.jar.cookies.keys()].sort(), ['own', 'session', 'two'], order)
    if (order !== 'never') t.match(response.json().cookies, { own: '1', two: '2' })
  }
})

t.test('two sessions in one scope are independent', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin', idleTimeout: 60 })
  app.get('/set', async (request) => {
    request.session.visits = 1
    getSession<{ level: number }>(request, 'admin').level = 9
    return ''
  })
  app.get('/out', async (request) => {
    await getSession(request, 'admin').destroy()
    return ''
  })
  app.get('/', async (request) => ({ session: request.session, admin: getSession(request, 'admin') }))
  const visitor = new Visitor(app)
  t.equal(setCookies(await visitor.get('/set')).length, 2)
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: { level: 9 } })
  await visitor.get('/out')
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: {} })
  const swapped = visitor.jar.header.replace('session=', 'admin=')
  t.same(
    (await app.inject({ url: '/', headers: { cookie: swapped } })).json().admin,
    {},
    'one never opens as the other'
  )
})

t.test('a name that is taken is refused', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  await t.rejects(Promise.resolve(app.register(session, { secret: SECRET })), { code: 'ERR_SESSION_DUPLICATE' })
  const other = fastify()
  await other.register(session, { secret: SECRET })
  await t.rejects(Promise.resolve(other.register(session, { secret: SECRET, decorator: 'admin' })), {
    code: 'ERR_SESSION_DUPLICATE'
  })
})

t.test('the cookie of an inner scope is taken, whichever scope comes first', async (t) => {
  for (const order of ['outer first', 'inner first']) {
    const app = fastify()
    const inner = async (scope: FastifyInstance): Promise<void> => {
      await scope.register(session, { secret: SECRET, decorator: 'inner' })
    }
    if (order === 'inner first') app.register(inner)
    app.register(session, { secret: SECRET })
    if (order === 'outer first') app.register(inner)
    await t.rejects(Promise.resolve(app.ready()), { code: 'ERR_SESSION_DUPLICATE' }, order)
  }
})

t.test('sessions stay in the scope that registered them', async (t) => {
  const app = fastify()
  await app.register(async (scope) => {
    await scope.register(session, { secret: SECRET })
    scope.get('/inside', async (request) => {
      request.session.visits = 1
      return ''
    })
  })
  await app.register(async (scope) => {
    await scope.register(session, { secret: OTHER_SECRET })
    scope.get('/beside', async (request) => request.session.visits ?? 'nothing')
  })
  app.get('/outside', async (request) => {
    t.equal(request.session, undefined)
    t.throws(() => getSession(request), { code: 'ERR_SESSION_NOT_REGISTERED' })
    return ''
  })
  const visitor = new Visitor(app)
  t.equal(setCookies(await visitor.get('/inside')).length, 1)
  t.equal((await visitor.get('/beside')).body, 'nothing')
  t.equal((await visitor.get('/outside')).statusCode, 200)
})

t.test('two applications in one process do not affect each other', async (t) => {
  const apps = [SECRET, OTHER_SECRET].map((secret) => ({ app: fastify(), secret }))
  for (const { app, secret } of apps) {
    await app.register(session, { secret, cookieName: 'shared' })
    app.get('/', async ({ session }) => {
      session.visits = (session.visits ?? 0) + 1
      return session.visits
    })
  }
  const visitors = apps.map(({ app }) => new Visitor(app))
  for (const expected of ['1', '2', '3']) {
    for (const visitor of visitors) t.equal((await visitor.get('/')).body, expected)
  }
  const stolen = visitors[0]?.jar.header ?? ''
  t.equal((await apps[1]?.app.inject({ url: '/', headers: { cookie: stolen } }))?.body, '1')
})

t.test('only null can be assigned to request.session', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  app.get('/', async (request) => {
    for (const value of [{}, undefined, 1]) {
      t.throws(() => ((request as { session: unknown }).session = value), { code: 'ERR_SESSION_VALUE' })
    }
    Object.defineProperty(request.session, 'destroy', { value: 'in the way' })
    request.session = null
    return typeof request.session.get
  })
  t.equal((await app.inject('/')).body, 'function')
})

t.test('a finish that takes time is waited for, and its failure answers the request', async (t) => {
  const app = fastify()
  let fails = false
  addFinishHook(app, {
    finish: async (_request, reply) => {
      await Promise.resolve()
      if (fails) {
        fails = false
        throw new Error('store down')
      }
      reply.header('x-finished', 'yes')
    }
  })
  app.get('/', async () => 'ok')
  const refusing = fastify()
  refusing.get('/', async () => 'ok')
  let refusals = 0
  addFinishHook(refusing, {
    finish: () => {
      if (refusals++ === 0) throw new Error('too large')
      return undefined
    }
  })
  t.equal((await refusing.inject('/')).json().message, 'too large', 'so is what is thrown at once')
  t.equal((await app.inject('/')).headers['x-finished'], 'yes')
  fails = true
  const response = await app.inject('/')
  t.equal(response.statusCode, 500)
  t.equal(response.json().message, 'store down')
})
