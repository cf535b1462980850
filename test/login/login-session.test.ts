import type { FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { MemoryStore, session } from '../../lib/index.ts'
import { LoginSession } from '../../lib/login/login-session.ts'
import type { LoginState } from '../../lib/login/login-state.ts'
import { resolveLoginOptions } from '../../lib/login/options.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import type { LoginOptions } from '../../types/login.ts'
import { createApp, SECRET } from '../helpers/app.ts'
import { ANA } from '../helpers/login-app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

function sessionOf(request: FastifyRequest, options: Partial<LoginOptions> = {}): LoginSession {
  const settings = resolveLoginOptions({ loadUser: () => ANA, ...options }, () => 0)
  return new LoginSession(settings, request)
}

/** Runs code on one request. An error fails the test. */
async function onRequest(run: (request: FastifyRequest) => Promise<void>): Promise<void> {
  const { app } = await createApp()
  let error: unknown
  app.get('/', async (request) => {
    await run(request).catch((thrown) => {
      error = thrown
    })
    return ''
  })
  await app.inject('/')
  if (error !== undefined) throw error
}

t.test('a login starts a new session of the user, and the end removes everything', async (t) => {
  await onRequest(async (request) => {
    const login = sessionOf(request)
    t.equal(login.login, undefined)
    const { id } = login
    t.equal(id, request.session.id)
    await login.start({ id: '1', at: 7, hash: undefined })
    t.not(login.id, id)
    t.equal(request.session.ownerId, '1')
    t.match(login.login, { id: '1', at: 7, client: /^[\w-]{43}$/ })
    login.write({ id: '1', series: 'key' })
    t.strictSame(Object.keys(login.login ?? {}), ['id', 'series', 'client'])
    await login.end('destroyed')
    t.equal(login.login, undefined)
    t.equal(request.session.ownerId, undefined)
  })
})

t.test('a login keeps the data of the same user and of an anonymous visitor, except the CSRF secret', async (t) => {
  await onRequest(async (request) => {
    const login = sessionOf(request, { csrfKey: 'token' })
    const { session } = request
    Object.assign(session, { cart: { book: 1 }, token: 'x', _csrf: 'y', _sent: { page: '/', since: 1, times: 1 } })
    session.permanent = true
    session.idleTimeout = 300
    await login.start({ id: '1' })
    t.same(Object.keys(session).sort(), ['_csrf', '_login', 'cart'])
    t.match(session, { permanent: true, idleTimeout: 300 })
    await login.start({ id: '1' })
    t.same(session.cart, { book: 1 })
    await login.start({ id: '2' })
    t.same(Object.keys(session), ['_login'], 'another user gets nothing')
    t.match(session, { permanent: false, idleTimeout: 86_400 })
  })
})

t.test('an anonymous session keeps what keep names, and the page for safeNext', async (t) => {
  await onRequest(async (request) => {
    Object.assign(request.session, { visits: 1, cart: { tea: 1 }, next: '/orders', _csrf: 'known' })
    await sessionOf(request).start({ id: '1', at: 7, hash: undefined }, ['cart', '_csrf'])
    t.strictSame(Object.keys(request.session).sort(), ['_login', 'cart', 'next'])
    await sessionOf(request).start({ id: '1', at: 8, hash: undefined }, [])
    t.strictSame(request.session.cart, { tea: 1 }, 'the same user keeps everything')
  })
})

t.test('a client is compared unless the option protection is false', async (t) => {
  await onRequest(async (request) => {
    const [basic, off] = [sessionOf(request), sessionOf(request, { protection: false })]
    await basic.start({ id: '1' })
    const state = basic.login as LoginState
    t.equal(basic.isFromOtherClient(state), false)
    t.equal(basic.isFromOtherClient({ ...state, client: 'another' }), true)
    t.equal(basic.isFromOtherClient({}), true, 'a login from before the option was set')
    t.equal(off.isFromOtherClient({ ...state, client: 'another' }), false)
    off.write({ id: '1' })
    t.strictSame(off.login, { id: '1' })
  })
})

t.test('a remembered login is bound to its client with protection strong only', async (t) => {
  await onRequest(async (request) => {
    t.match(sessionOf(request, { protection: 'strong' }).boundClient, /^[\w-]{43}$/)
    for (const protection of ['basic', false] as const) {
      t.equal(sessionOf(request, { protection }).boundClient, undefined)
    }
  })
})

t.test('a login is over when its series is too old', async (t) => {
  await onRequest(async (request) => {
    let seconds = 1000
    const kit = { clock: () => seconds * 1000, remember: { absoluteMaxAge: 100 } }
    const [remembering, plain] = [sessionOf(request, kit), sessionOf(request)]
    const isOver = (since?: number): boolean =>
      remembering.isOver({ id: '1', ...(since === undefined ? {} : { since }) })
    t.equal(isOver(900), false)
    seconds++
    t.equal(isOver(900), true)
    t.equal(isOver(), false, 'a login that is not remembered')
    t.equal(plain.isOver({ id: '1', since: 0 }), false, 'a kit that remembers nobody')
  })
})

t.test('a session that is begun keeps what a login keeps, and the request goes on in it', async (t) => {
  const { app } = await createApp({ store: (clock) => new MemoryStore({ clock, pruneInterval: 0 }) })
  const id = 'A'.repeat(43)
  app.get<{ Params: { owner: string } }>('/:owner', async (request) => {
    const login = sessionOf(request, { csrfKey: 'token' })
    const { session } = request
    Object.assign(session, { cart: { book: 1 }, token: 'x' })
    session.permanent = true
    session.idleTimeout = 300
    if (request.params.owner !== 'nobody') session.setOwner(request.params.owner)
    await login.begin(id, { id: '1', series: 'key', hash: undefined })
    t.equal(login.login, undefined, 'not yet')
    await login.adopt(id, '1')
    await app.sessions.revokeAll('1')
    const { permanent, idleTimeout, ownerId } = session
    return { keys: Object.keys(session).sort(), permanent, idleTimeout, ownerId, login: login.login }
  })
  const login = { id: '1', series: 'key', client: /^[\w-]{43}$/ }
  for (const owner of ['nobody', '1']) {
    const expected = { keys: ['_login', 'cart'], permanent: true, idleTimeout: 300, ownerId: '1', login }
    t.match((await app.inject(`/${owner}`)).json(), expected)
  }
  const reply = (await app.inject('/2')).json()
  t.match(
    reply,
    { keys: ['_login'], permanent: false, idleTimeout: 86_400, ownerId: '1', login },
    'nothing of another user'
  )
})

t.test('commit saves the session now', async (t) => {
  const { app } = await createApp({ store: (clock) => new MemoryStore({ clock, pruneInterval: 0 }) })
  app.get('/', async (request) => {
    const login = sessionOf(request)
    await login.start({ id: '1' })
    t.same(await app.sessions.list('1'), [])
    await login.commit()
    return String((await app.sessions.list('1')).length)
  })
  t.equal((await app.inject('/')).body, '1')
})

t.test('a session that is not saved, or destroyed, is refused with the name of the method', async (t) => {
  const store = new RecordingStore(new MemoryStore({ pruneInterval: 0 }))
  const app = fastify()
  await app.register(session, { secret: SECRET, store })
  const checks = async (request: FastifyRequest): Promise<unknown> => {
    const login = sessionOf(request)
    const codeOf = (check: () => void): string => {
      try {
        check()
        return 'fine'
      } catch (error) {
        const { code, message } = error as Error & { code: string }
        return message.startsWith('login()') || code.endsWith('UNAVAILABLE') ? code : message
      }
    }
    if (request.url === '/destroyed') await request.session.destroy()
    return [
      login.isSaved,
      codeOf(() => login.assertSaved('login()')),
      codeOf(() => login.assertNotDestroyed('login()'))
    ]
  }
  app.get('/', checks)
  app.get('/destroyed', checks)
  app.get('/off', { config: { session: false } }, checks)
  app.get('/open', { config: { session: { onStoreError: 'anonymous' } } }, checks)
  app.get('/begin', async (request) => {
    request.session.visits = 1
    return ''
  })
  t.same((await app.inject('/')).json(), [true, 'fine', 'fine'])
  t.same((await app.inject('/destroyed')).json(), [true, 'fine', 'ERR_SESSION_DESTROYED'])
  t.same((await app.inject('/off')).json(), [false, 'ERR_SESSION_DISABLED', 'fine'])
  const cookie = String((await app.inject('/begin')).headers['set-cookie']).split(';', 1)[0]
  store.before = () => Promise.reject(new Error('down'))
  const reply = await app.inject({ url: '/open', headers: { cookie } })
  t.same(reply.json(), [false, 'ERR_SESSION_STORE_UNAVAILABLE', 'fine'])
})

t.test('what another request has ended is over when it is verified', async (t) => {
  const { app, clock } = await createApp()
  let isOver: unknown
  app.get('/', async (request) => {
    if (request.headers.cookie === undefined) {
      request.session.visits = 1
      return ''
    }
    t.equal(request.session.visits, 1)
    clock.advance(86_401)
    await sessionOf(request).verify()
    isOver = request.session.visits === undefined
    return ''
  })
  const cookie = String((await app.inject('/')).headers['set-cookie']).split(';', 1)[0] ?? ''
  await app.inject({ url: '/', headers: { cookie } })
  t.equal(isOver, true)
})

t.test('a session that another request has ended logs nobody in, until another login', async (t) => {
  const { app } = await createApp({ store: (clock) => new MemoryStore({ clock }) })
  app.get('/begin', async (request) => {
    await sessionOf(request).start({ id: '1' })
    return ''
  })
  app.get('/', async (request) => {
    const login = sessionOf(request)
    const ids = [login.login?.id]
    await app.sessions.revokeAll('1')
    await t.rejects(request.session.reload(), { code: 'ERR_SESSION_GONE' })
    ids.push(login.login?.id ?? 'nobody')
    await login.start({ id: '2' })
    return [...ids, login.login?.id]
  })
  const visitor = await createClient(app)
  await visitor.get('/begin')
  t.same((await visitor.get('/')).json(), ['1', 'nobody', '2'])
})
