import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import type { SessionOptions } from '../lib/index.ts'
import { getSession, session } from '../lib/index.ts'
import { addFinishHook } from '../lib/plugin.ts'
import { getSessions } from '../lib/request/get-sessions.ts'
import { sessionContext } from '../lib/request/session-context.ts'
import { MemoryStore } from '../lib/stores/memory.ts'
import { createClient } from '../lib/testing/create-client.ts'
import { setCookieLines } from '../lib/testing/set-cookie.ts'
import type { Sessions } from '../types/index.ts'
import { createApp, createStoredApp, OTHER_SECRET, SECRET } from './helpers/app.ts'
import { RecordingStore } from './helpers/recording-store.ts'

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

t.test('each session has a context of its own', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  await app.register(session, { secret: OTHER_SECRET, decorator: 'admin', cookieName: 'admin' })
  const facts = { json: '{"visits":1}', createdAt: 1, lastSeenAt: 1, permanent: false, ownerId: undefined }
  t.match(await sessionContext(app, 'session')?.factory.issue(facts), /^session=/)
  t.match(await sessionContext(app, 'admin')?.factory.issue(facts), /^admin=/)
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
    const visitor = await createClient(app)
    await visitor.get('/')
    const response = await visitor.get('/')
    t.equal(response.json().visits, 2, order)
    t.equal(setCookieLines(response).length, 3, `${order}: all three cookies are sent`)
    const kept = visitor.jar.header().split('; ')
    t.same(kept.map((pair) => pair.split('=', 1)[0]).sort(), ['own', 'session', 'two'], order)
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
  const visitor = await createClient(app)
  t.equal(setCookieLines(await visitor.get('/set')).length, 2)
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: { level: 9 } })
  await visitor.get('/out')
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: {} })
  const swapped = visitor.jar.header().replace('session=', 'admin=')
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
  const visitor = await createClient(app)
  t.equal(setCookieLines(await visitor.get('/inside')).length, 1)
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
  const visitors = await Promise.all(apps.map(({ app }) => createClient(app)))
  for (const expected of ['1', '2', '3']) {
    for (const visitor of visitors) t.equal((await visitor.get('/')).body, expected)
  }
  const stolen = visitors[0]?.jar.header() ?? ''
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

t.test('a store that fails at once answers the request, as one that fails later does', async (t) => {
  for (const fail of [
    () => {
      throw new Error('down')
    },
    async () => {
      throw new Error('down')
    }
  ]) {
    const store = new MemoryStore()
    const app = fastify()
    await app.register(session, { secret: SECRET, store })
    let handled = 0
    app.get('/', async (request) => {
      handled++
      Object.assign(request.session, { visits: 1 })
      return ''
    })
    const client = await createClient(app)
    t.equal((await client.get('/')).statusCode, 200)
    store.load = fail
    const { statusCode, body } = await client.get('/')
    t.equal(statusCode, 503)
    t.match(body, 'ERR_SESSION_STORE_UNAVAILABLE')
    t.equal(handled, 1)
  }
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

t.test('a reply counts as sent while a finish takes time, as it does where none does', async (t) => {
  for (const finish of [() => undefined, () => new Promise<void>(setImmediate)]) {
    const logs: { msg: string }[] = []
    const app = fastify({ logger: { level: 'warn', stream: { write: (line) => void logs.push(JSON.parse(line)) } } })
    addFinishHook(app, { finish })
    const redirect = async (_request: FastifyRequest, reply: FastifyReply): Promise<void> => {
      reply.redirect('/elsewhere')
    }
    app.get('/hook', { preValidation: redirect }, async () => t.fail('the handler ran'))
    app.get('/handler', async (_request, reply) => {
      t.notOk(reply.sent)
      reply.send('first')
      t.ok(reply.sent)
    })
    app.get('/twice', async (_request, reply) => {
      reply.send('first')
      return 'second'
    })
    app.get('/late-error', async (_request, reply) => {
      reply.send('first')
      throw new Error('too late')
    })
    t.equal((await app.inject('/hook')).headers.location, '/elsewhere')
    for (const path of ['/handler', '/twice', '/late-error']) {
      const { statusCode, body } = await app.inject(path)
      t.same([statusCode, body], [200, 'first'], path)
    }
    t.match(logs, [{ msg: /^Reply was already sent/ }, { msg: /^Promise errored, but/ }])
  }
})

t.test('what fails after a finish answers the request, whether it took time or not', async (t) => {
  for (const finish of [() => undefined, () => new Promise<void>(setImmediate)]) {
    const app = fastify()
    addFinishHook(app, { finish })
    app.get('/', async (_request, reply) =>
      reply
        .type('text/plain')
        .serializer(() => 7 as never)
        .send({})
    )
    t.equal((await app.inject('/')).json().code, 'FST_ERR_REP_INVALID_PAYLOAD_TYPE')
  }
})

t.test("an owner's sessions are listed and ended, on this device and on others", async (t) => {
  const { app, store, clock } = await createStoredApp({
    describe: (request) => ({ agent: request.headers['user-agent'] ?? 'unknown' })
  })
  app.get('/login', async ({ session }) => {
    session.setOwner('ana')
    return session.id
  })
  app.get('/devices', async ({ session }) => app.sessions.list('ana', { current: session.id }))
  app.get('/logout-others', async ({ session }) => app.sessions.revokeAll('ana', { except: session.id }))
  app.get('/', async ({ session }) => session.ownerId ?? 'nobody')
  const [phone, laptop, tablet] = [await createClient(app), await createClient(app), await createClient(app)]
  const handles: string[] = []
  for (const [visitor, agent] of [
    [phone, 'phone'],
    [laptop, 'laptop'],
    [tablet, 'tablet']
  ] as const) {
    const response = await visitor.get('/login', { headers: { 'user-agent': agent } })
    handles.push(response.body)
    clock.advance(10)
  }
  const devices = (await phone.get('/devices')).json()
  t.same(
    devices.map(({ handle, current, description }: never) => ({ handle, current, description })),
    [
      { handle: handles[2], current: false, description: { agent: 'tablet' } },
      { handle: handles[1], current: false, description: { agent: 'laptop' } },
      { handle: handles[0], current: true, description: { agent: 'phone' } }
    ]
  )
  t.equal(new Date(devices[2].createdAt).getTime(), clock.now() - 30_000)
  t.notMatch(JSON.stringify(devices), phone.jar.get('session'))
  await app.sessions.revoke(handles[1] as string)
  t.equal((await laptop.get('/')).body, 'nobody')
  t.equal((await phone.get('/logout-others')).body, '1')
  t.equal((await tablet.get('/')).body, 'nobody')
  t.equal((await phone.get('/')).body, 'ana')
  store.before = () => Promise.reject(new Error('down'))
  await t.rejects(app.sessions.list('ana'), { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503 })
})

t.test('a description that cannot be kept fails the request that would need it', async (t) => {
  const { app } = await createStoredApp({ describe: () => ({ at: new Date(0) }) })
  app.get('/', async ({ session }) => {
    session.visits = 1
    return ''
  })
  const response = await app.inject('/')
  t.match(response.json(), { code: 'ERR_SESSION_VALUE', message: /description\.at/ })
  t.same(setCookieLines(response), [])
})

t.test('what nobody can know without a store is refused', async (t) => {
  const { app } = await createApp()
  const refused = { code: 'ERR_SESSION_STORE_REQUIRED' }
  await t.rejects(app.sessions.list('ana'), refused)
  await t.rejects(app.sessions.revoke('handle'), refused)
  await t.rejects(app.sessions.revokeAll('ana'), refused)
})

t.test('two sessions with two stores are independent, and so are their lists', async (t) => {
  const [store, adminStore] = [1, 2].map(() => new RecordingStore(new MemoryStore({ pruneInterval: 0 }))) as [
    RecordingStore,
    RecordingStore
  ]
  const app = fastify()
  await app.register(session, { secret: SECRET, store })
  await app.register(session, { secret: SECRET, store: adminStore, decorator: 'admin', cookieName: 'admin' })
  app.get('/set', async (request) => {
    request.session.visits = 1
    const admin = getSession<{ level: number }>(request, 'admin')
    admin.level = 9
    admin.setOwner('ana')
    return ''
  })
  app.get('/', async (request) => ({ session: request.session, admin: getSession(request, 'admin') }))
  const visitor = await createClient(app)
  t.equal(setCookieLines(await visitor.get('/set')).length, 2)
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: { level: 9 } })
  const swapped = visitor.jar.header().replace('session=', 'x=').replace('admin=', 'session=')
  t.same((await app.inject({ url: '/', headers: { cookie: swapped } })).json().session, {})
  const admins = getSessions(app, 'admin')
  t.equal((await admins.list('ana')).length, 1)
  t.same(await app.sessions.list('ana'), [])
  t.equal(await admins.revokeAll('ana'), 1)
  t.same((await visitor.get('/')).json(), { session: { visits: 1 }, admin: {} })
  await app.close()
  t.same([store.closed, adminStore.closed], [1, 1])
})

t.test('the place of the list may be taken', async (t) => {
  const app = fastify()
  app.decorate('sessions', {} as Sessions)
  await t.rejects(Promise.resolve(app.register(session, { secret: SECRET })), {
    code: 'ERR_SESSION_DUPLICATE',
    message: /^app\.sessions exists already/
  })
})

t.test(
  'a store is closed once with the application, after the last request, and may have nothing to close',
  async (t) => {
    const { app, store } = await createStoredApp()
    app.get('/', async ({ session }) => {
      session.visits = 1
      return ''
    })
    await app.inject('/')
    t.equal(store.closed, 0)
    await app.close()
    await app.close()
    t.equal(store.closed, 1)
    const plain = fastify()
    const methods = ['create', 'load', 'commit', 'touch', 'destroy', 'list', 'destroyAll']
    const bare = Object.fromEntries(methods.map((name) => [name, async () => undefined]))
    await plain.register(session, { secret: SECRET, store: bare as never })
    await t.resolves(plain.close())
  }
)

t.test(
  'a session that is set to null while its store is down fails with the reply, and nothing is left unhandled',
  async (t) => {
    const { app, store } = await createStoredApp()
    app.get('/', async ({ session }) => {
      session.visits = 1
      return ''
    })
    app.get('/out', async (request) => {
      request.session = null
      return ''
    })
    const visitor = await createClient(app)
    await visitor.get('/')
    store.before = () => Promise.reject(new Error('down'))
    t.equal((await visitor.get('/out')).statusCode, 503)
    store.before = (method) => (method === 'load' ? undefined : Promise.reject(new Error('down')))
    t.equal((await visitor.get('/out')).statusCode, 503)
  }
)
