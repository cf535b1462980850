import cookie from '@fastify/cookie'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import type { SessionOptions } from '../lib/index.ts'
import { session, sessionOf } from '../lib/index.ts'
import type { SessionContext } from '../lib/request/session-context.ts'
import { sessionContext } from '../lib/request/session-context.ts'
import { MemoryRevocations } from '../lib/revocations/memory.ts'
import { MemoryStore } from '../lib/stores/memory.ts'
import { createClient } from '../lib/testing/create-client.ts'
import { sessionCookie } from '../lib/testing/session-cookie.ts'
import { setCookieLines } from '../lib/testing/set-cookie.ts'
import type { SessionReader } from '../types/adopt.ts'
import type { SessionEndedEvent, SessionStore, Sessions } from '../types/index.ts'
import { createApp, createStoredApp, MODES, OTHER_SECRET, SECRET } from './helpers/app.ts'
import { RecordingStore } from './helpers/recording-store.ts'
import { setVisits } from './helpers/visited-app.ts'

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

t.test('a raw request has a session', async (t) => {
  const { app } = await createApp()
  const cookie = await sessionCookie(app, { visits: 1 })
  t.same((await app.sessions.ofRaw({ headers: { cookie } }))?.data, { visits: 1 })
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

t.test('listeners hear which sessions end, until the application closes', async (t) => {
  for (const options of [{}, { store: new MemoryStore() }, { revocations: new MemoryRevocations() }]) {
    const app = fastify()
    await app.register(session, { secret: SECRET, ...options })
    const events: SessionEndedEvent[] = []
    app.sessions.onEnded((event) => events.push(event))
    const signals: AbortSignal[] = []
    app.get('/', async ({ session }) => {
      signals.push(session.signal)
      return session.destroy()
    })
    await app.inject({ url: '/', headers: { cookie: await sessionCookie(app, { visits: 1 }) } })
    t.match(events, [{ reason: 'destroyed', cookieName: 'session' }])
    t.match(signals, [{ aborted: true }])
    await app.close()
  }
})

t.test('the session of a request that Fastify has not seen can be read', async (t) => {
  const { app } = await createApp()
  const cookie = await sessionCookie(app, { visits: 1 })
  t.same((await app.sessions.ofRaw({ headers: { cookie } }))?.data, { visits: 1 })
  t.equal(await app.sessions.ofRaw({ headers: {} }), undefined)
})

t.test('a session can be set aside for a request', async (t) => {
  const { app } = await createApp()
  const { setAside } = sessionContext(app, 'session') as SessionContext
  app.get('/', async (request) => {
    setAside(request)
    return request.session.data()
  })
  const cookie = await sessionCookie(app, { visits: 1 })
  t.same((await app.inject({ url: '/', headers: { cookie } })).json(), {})
})

t.test('the parts of the package find the state of a request', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  const states: unknown[] = []
  app.get('/', async (request) => {
    const { stateOf } = sessionContext(app, 'session') as SessionContext
    states.push(stateOf(request))
    request.session.visits = 1
    states.push(stateOf(request)?.openReason)
    return ''
  })
  await app.inject({ url: '/' })
  t.same(states, [null, 'no-cookie'])
})

t.test('each session has a factory behind what the application has of it', async (t) => {
  const app = fastify()
  await app.register(session, { secret: SECRET })
  await app.register(session, { secret: OTHER_SECRET, decorator: 'admin', cookieName: 'admin' })
  t.match(await sessionCookie(app, { visits: 1 }), /^session=/)
  t.match(await sessionCookie(app, { visits: 1 }, { decorator: 'admin' }), /^admin=/)
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

t.test('a log, or what handles an error, may look at the session of every request', async (t) => {
  const app = fastify()
  app.addHook('onRequest', async ({ url }) => {
    if (url === '/closed') throw Object.assign(new Error('closed'), { statusCode: 503 })
  })
  app.setErrorHandler((error: Error, request, reply) =>
    reply.code(503).send([error.message, Object.keys(request.session).length, sessionOf(request) === undefined])
  )
  await app.register(session, { secret: SECRET, store: new RecordingStore(new MemoryStore()) })
  const response = await app.inject({ url: '/closed', headers: { cookie: 'session=x' } })
  t.equal(response.statusCode, 503)
  t.same(response.json(), ['closed', 0, true])
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
    const store: SessionStore = Object.assign(new MemoryStore(), { loadsAtOnce: undefined })
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
  const { app, store } = await createStoredApp()
  app.get('/', setVisits)
  const { app: refusing } = await createApp()
  refusing.get('/', async ({ session }) => {
    session.anything = 'x'.repeat(5000)
    return 'ok'
  })
  t.equal((await refusing.inject('/')).json().code, 'ERR_SESSION_TOO_LARGE', 'so is what is thrown at once')
  store.before = () => new Promise(setImmediate)
  t.equal(setCookieLines(await app.inject('/')).length, 1)
  store.before = () => Promise.reject(new Error('down'))
  const response = await app.inject('/')
  t.equal(response.statusCode, 503)
  t.equal(response.json().code, 'ERR_SESSION_STORE_UNAVAILABLE')
})

for (const { mode, options } of MODES) {
  t.test(`a reply counts as sent while a session is saved, whether that takes time or not (${mode})`, async (t) => {
    const { app, logs } = await createApp(options)
    app.addHook('onRequest', async ({ session }) => {
      session.visits = 1
    })
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
      const response = await app.inject(path)
      t.same([response.statusCode, response.body], [200, 'first'], path)
      t.equal(setCookieLines(response).length, 1, path)
    }
    const problems = logs.filter(({ level }) => level >= 40)
    t.match(problems, [{ msg: /^Reply was already sent/ }, { msg: /^Promise errored, but/ }])
    t.equal(problems.length, 2)
  })

  t.test(
    `what fails after a session was saved answers the request, whether that took time or not (${mode})`,
    async (t) => {
      const { app } = await createApp(options)
      app.get('/', async ({ session }, reply) => {
        session.visits = 1
        return reply
          .type('text/plain')
          .serializer(() => 7 as never)
          .send({})
      })
      t.equal((await app.inject('/')).json().code, 'FST_ERR_REP_INVALID_PAYLOAD_TYPE')
    }
  )
}

t.test('a description that cannot be kept fails the request that would need it', async (t) => {
  const { app } = await createStoredApp({ describe: () => ({ at: new Date(0) }) })
  app.get('/', async ({ session }) => {
    session.visits = 1
    return ''
  })
  const response = await app.inject('/')
  t.match(response.json(), { code: 'ERR_SESSION_VALUE', message: /^JSON cannot hold/ })
  t.same(setCookieLines(response), [])
})

t.test('what nobody can know without a store is refused', async (t) => {
  const { app } = await createApp()
  const refused = { code: 'ERR_SESSION_STORE_REQUIRED' }
  await t.rejects(app.sessions.list('ana'), refused)
  await t.rejects(app.sessions.revoke('handle'), refused)
  await t.rejects(app.sessions.revokeAll('ana'), refused)
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

t.test('a list of what has ended early is followed until the application closes', async (t) => {
  const list = new MemoryRevocations()
  let listening = 0
  const app = fastify()
  await app.register(session, {
    secret: SECRET,
    revocations: {
      add: (entry) => list.add(entry),
      since: (position) => list.since(position),
      listen(onEntry) {
        listening++
        const stop = list.listen(onEntry)
        return () => {
          listening--
          stop()
        }
      }
    }
  })
  app.get('/', async (request) => {
    const { id } = request.session
    await app.sessions.revoke(id)
    return id
  })
  const { body: id } = await app.inject('/')
  t.match(list.since().entries, [{ kind: 'session', id }])
  t.equal(listening, 1)
  await app.close()
  t.equal(listening, 0)
})

t.test('readers of other sessions are started, and asked', async (t) => {
  let started = 0
  const app = fastify()
  const reader: SessionReader = {
    cookieName: 'old',
    remove: true,
    start: () => void started++,
    read: () => ({ key: 'a', isUnique: true, data: { userId: 7 } })
  }
  await app.register(session, { secret: SECRET, adopt: [reader] })
  app.get('/', async ({ session }) => session.userId)
  t.equal(started, 1)
  t.equal((await app.inject({ url: '/', headers: { cookie: 'old=1' } })).body, '7')
})
