import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyServerOptions, HTTPMethods, LightMyRequestResponse } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { WebSocket } from 'ws'
import type { GuardOptions } from '../../lib/index.ts'
import {
  and,
  getSession,
  guardsFor,
  loginRequired,
  MemoryStore,
  requireSession,
  safeNext,
  session
} from '../../lib/index.ts'
import { Client } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, createStoredApp, MODES, SECRET } from '../helpers/app.ts'

const BROWSER = { 'sec-fetch-mode': 'navigate', accept: 'text/html' }
/** The same in every mode. */
const REDIRECT: GuardOptions = { redirectTo: '/login', next: 'session' }
const user = loginRequired({ key: 'userId', ...REDIRECT })

/** Creates a visitor of an application with a login. Each guarded route returns the user who reached it. */
class Browser extends Client {
  navigate(url: string, method: HTTPMethods = 'GET'): Promise<LightMyRequestResponse> {
    return this.inject({ method: method as 'GET', url, headers: BROWSER })
  }

  async data(): Promise<unknown> {
    return (await this.get('/data')).json()
  }
}

function addLogin(app: FastifyInstance): void {
  app.get('/data', async ({ session }) => session.data())
  app.get('/login', async () => 'a form')
  app.post('/login', async (request, reply) => {
    await request.session.renew()
    request.session.userId = 7
    return reply.redirect(safeNext(request, '/start'), 303)
  })
  app.post('/logout', async ({ session }) => {
    await session.destroy()
    return ''
  })
}

async function createShop(options: LooseOptions = {}, server: FastifyServerOptions = {}) {
  const shop = await createApp(options, server)
  addLogin(shop.app)
  return { ...shop, browser: new Browser(shop.app) }
}

t.test('a browser is sent to log in and comes back to the requested page', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser } = await createShop(options)
    app.get(
      '/orders',
      user.handle(async ({ session, query }) => ({ of: session.userId, query }))
    )

    const refused = await browser.navigate('/orders?page=2&q=a%20b')
    t.equal(refused.statusCode, 302, mode)
    t.equal(refused.headers.location, '/login')
    t.equal(refused.headers['cache-control'], 'no-store')
    t.match(refused.headers.vary, /Cookie/)
    t.same(await browser.data(), { next: '/orders?page=2&q=a%20b' }, 'that, and nothing else')

    t.equal((await browser.navigate('/login')).body, 'a form')
    const entered = await browser.navigate('/login', 'POST')
    t.equal(entered.statusCode, 303)
    const { location } = entered.headers
    t.equal(location, '/orders?page=2&q=a%20b')
    t.same((await browser.navigate(String(location))).json(), { of: 7, query: { page: '2', q: 'a b' } })
    t.same(await browser.data(), { userId: 7 }, 'it is asked for once')
    t.equal((await browser.navigate('/login', 'POST')).headers.location, '/start')

    await browser.navigate('/logout', 'POST')
    t.equal((await browser.navigate('/orders')).statusCode, 302, 'a logout closes the door')
  }
})

t.test('by default a browser comes back through the query with a store, else through its cookie', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser } = await createShop(options)
    const guard = loginRequired({ key: 'userId', redirectTo: '/login' })
    app.get('/orders', { preHandler: guard }, async () => 'orders')
    const refused = await browser.navigate('/orders?page=2')
    const isStored = options.store !== undefined
    const { location = '' } = refused.headers
    t.equal(location, isStored ? '/login?next=%2Forders%3Fpage%3D2' : '/login', mode)
    t.equal(setCookieLines(refused).length, isStored ? 0 : 1, mode)
    t.equal((await browser.navigate(location, 'POST')).headers.location, '/orders?page=2', mode)
  }
})

t.test('a program gets the error and no cookie', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser } = await createShop(options)
    const admin = and(
      user,
      requireSession(({ role }) => role === 'admin')
    )
    app.get(
      '/admin',
      admin.handle(async () => 'handled')
    )
    const anonymous = await browser.get('/admin')
    t.equal(anonymous.statusCode, 401, mode)
    t.same(anonymous.json(), {
      statusCode: 401,
      code: 'ERR_SESSION_LOGIN_REQUIRED',
      error: 'Unauthorized',
      message: 'Log in first.'
    })
    t.same(setCookieLines(anonymous), [])
    await browser.navigate('/login', 'POST')
    const forbidden = await browser.get('/admin')
    t.equal(forbidden.statusCode, 403, mode)
    t.same(forbidden.json(), {
      statusCode: 403,
      code: 'ERR_SESSION_FORBIDDEN',
      error: 'Forbidden',
      message: 'Your session does not allow this.'
    })
    t.same(await browser.data(), { userId: 7 })
  }
})

/** Ways to put a guard in front of GET /secret. */
const PLACES: Record<string, (app: FastifyInstance, handler: () => Promise<string>) => unknown> = {
  'on a route': (app, handler) => app.get('/secret', { preHandler: user }, handler),
  'among other hooks of a route': (app, handler) =>
    app.get('/secret', { preHandler: [async () => {}, user, async () => {}] }, handler),
  'by handle': (app, handler) => app.get('/secret', user.handle(handler)),
  'by handle, behind options': (app, handler) => app.get('/secret', { logLevel: 'warn' }, user.handle(handler)),
  'by handle, with options': (app, handler) => app.get('/secret', user.handle({ logLevel: 'warn' }, handler)),
  'by handle, with app.route': (app, handler) =>
    app.route({ method: 'GET', url: '/secret', handler: user.handle(handler) }),
  'for a scope': (app, handler) =>
    app.register(async (scope) => {
      scope.addHook('preHandler', user)
      scope.get('/secret', handler)
    }),
  'for a scope around the scope': (app, handler) =>
    app.register(async (scope) => {
      scope.addHook('preHandler', user)
      scope.register(async (inner) => inner.get('/', handler), { prefix: '/secret' })
    }),
  twice: (app, handler) =>
    app.register(async (scope) => {
      scope.addHook('preHandler', user)
      scope.get('/secret', user.handle(handler))
    }),
  'before the body is validated': (app, handler) => app.get('/secret', { preValidation: user }, handler),
  'before the body is read': (app, handler) => app.get('/secret', { onRequest: user }, handler)
}

t.test('a guard works wherever a hook does', async (t) => {
  for (const { mode, options } of MODES) {
    for (const [place, put] of Object.entries(PLACES)) {
      const { app, browser } = await createShop(options)
      let handled = 0
      put(app, async () => {
        handled++
        return 'handled'
      })
      const label = `${place}, ${mode}`
      t.equal((await browser.get('/secret')).statusCode, 401, label)
      t.equal((await browser.inject({ method: 'HEAD', url: '/secret' })).statusCode, 401, label)
      t.equal((await browser.navigate('/secret')).headers.location, '/login', label)
      t.same(await browser.data(), { next: '/secret' }, label)
      t.equal(handled, 0, label)
      t.equal((await browser.navigate('/login', 'POST')).headers.location, '/secret', label)
      t.equal((await browser.navigate('/secret')).body, 'handled', label)
      t.equal((await browser.inject({ method: 'HEAD', url: '/secret' })).statusCode, 200, label)
      t.equal(handled, 2, label)
    }
  }
})

t.test('a guard of a scope does not affect sibling and outer scopes', async (t) => {
  const { app, browser } = await createShop()
  await app.register(
    async (scope) => {
      scope.addHook('preHandler', user)
      scope.get('/inside', async () => 'inside')
      scope.register(async (inner) => inner.get('/deeper', async () => 'deeper'))
    },
    { prefix: '/members' }
  )
  await app.register(async (scope) => scope.get('/members/beside', async () => 'beside'))
  app.get('/members', async () => 'around')
  for (const url of ['/members/inside', '/members/deeper']) t.equal((await browser.get(url)).statusCode, 401, url)
  for (const url of ['/members/beside', '/members', '/login']) t.equal((await browser.get(url)).statusCode, 200, url)
  t.equal((await browser.get('/members/nothing')).statusCode, 404)
})

t.test('a guard that also guards its login page says so instead of redirecting forever', async (t) => {
  const { app } = await createApp()
  app.addHook('preHandler', user)
  addLogin(app)
  const browser = new Browser(app)
  t.equal((await browser.navigate('/data')).headers.location, '/login')
  for (const url of ['/login', '/login?next=/data']) {
    const response = await browser.navigate(url)
    t.equal(response.statusCode, 500)
    t.equal(response.json().code, 'ERR_SESSION_REDIRECT_LOOP')
  }
  t.equal((await browser.navigate('/login', 'POST')).headers.location, '/login')
  t.equal((await browser.get('/login')).statusCode, 401, 'a program is not redirected')
})

const PREFLIGHT = { origin: 'https://app.example', 'access-control-request-method': 'POST' }

t.test('a guarded route for OPTIONS is guarded, by its own guard and by that of its scope', async (t) => {
  const { app, browser } = await createShop()
  app.options('/named', { preHandler: requireSession('cart') }, async () => t.fail('handled'))
  app.all('/all', { preHandler: user }, async () => t.fail('handled'))
  app.register(async (scope) => {
    scope.addHook('preHandler', user)
    scope.options('/inside', async () => t.fail('handled'))
  })
  for (const url of ['/named', '/all', '/inside']) {
    for (const headers of [{}, PREFLIGHT]) {
      const { statusCode } = await browser.inject({ method: 'OPTIONS', url, headers })
      t.equal(statusCode, 401, `${url} ${Object.keys(headers)}`)
    }
  }
})

t.test(
  'a plugin that answers preflight requests, as @fastify/cors does, answers them for guarded routes',
  async (t) => {
    const { app, browser } = await createShop()
    app.addHook('onRequest', async ({ method, headers }, reply) => {
      reply.header('access-control-allow-origin', 'https://app.example')
      if (method === 'OPTIONS' && headers['access-control-request-method'] !== undefined) return reply.code(204).send()
    })
    app.options('*', async (_request, reply) => reply.callNotFound())
    app.addHook('preHandler', user)
    app.post('/secret', async () => t.fail('handled'))
    const preflight = await browser.inject({ method: 'OPTIONS', url: '/secret', headers: PREFLIGHT })
    t.equal(preflight.statusCode, 204)
    t.equal(preflight.headers['access-control-allow-origin'], 'https://app.example')
    t.equal((await browser.inject({ method: 'POST', url: '/secret', headers: PREFLIGHT })).statusCode, 401)
  }
)

t.test('a refused form is redirected with 303, and is not stored as a page', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser } = await createShop(options)
    const methods = ['POST', 'PUT', 'PATCH', 'DELETE'] as const
    app.route({ method: [...methods], url: '/secret', preHandler: user, handler: async () => t.fail('handled') })
    for (const method of methods) {
      const response = await browser.navigate('/secret', method)
      t.equal(response.statusCode, 303, `${method}, ${mode}`)
      t.equal(response.headers.location, '/login')
      t.same(setCookieLines(response), [], `${method}, ${mode}`)
    }
    t.equal((await browser.navigate('/login', 'POST')).headers.location, '/start')
  }
})

t.test('the requested page can be passed in the query', async (t) => {
  const { app, browser } = await createShop()
  const guard = loginRequired({ key: 'userId', redirectTo: '/login?lang=de', next: 'query' })
  app.get(
    '/orders',
    guard.handle(async () => 'handled')
  )
  app.post(
    '/orders',
    guard.handle(async () => 'handled')
  )
  const refused = await browser.navigate('/orders?page=2&q=a%20b')
  const { location } = refused.headers
  t.equal(location, '/login?lang=de&next=%2Forders%3Fpage%3D2%26q%3Da%2520b')
  t.same(setCookieLines(refused), [], 'and a stranger gets no cookie')
  t.equal((await browser.navigate('/orders', 'POST')).headers.location, '/login?lang=de')
  // A form without an action is sent to the address of its page.
  t.equal((await browser.navigate(String(location), 'POST')).headers.location, '/orders?page=2&q=a%20b')
})

t.test('a forged page in the query leads to no other server, and the session wins over it', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser } = await createShop(options)
    app.get(
      '/orders',
      user.handle(async () => 'handled')
    )
    for (const query of [
      'next=//evil.example',
      'next=https://evil.example',
      'next=/a&next=/b',
      'next=%2F%09%2Fevil.example'
    ]) {
      t.equal((await browser.navigate(`/login?${query}`, 'POST')).headers.location, '/start', `${query}, ${mode}`)
      await browser.navigate('/logout', 'POST')
    }
    await browser.navigate('/orders')
    t.equal(
      (await browser.navigate('/login?next=/theirs', 'POST')).headers.location,
      '/theirs',
      `${mode}: the newer one`
    )
  }
})

t.test('next: false stores no page', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser } = await createShop(options)
    const guard = loginRequired({ key: 'userId', redirectTo: '/login', next: false })
    app.get(
      '/orders',
      guard.handle(async () => t.fail('handled'))
    )
    const refused = await browser.navigate('/orders')
    t.equal(refused.headers.location, '/login', mode)
    t.same(setCookieLines(refused), [], mode)
    t.equal((await browser.navigate('/login', 'POST')).headers.location, '/start', mode)
  }
})

t.test('a refused request changes nothing in a session but the requested page', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser } = await createShop(options)
    const data = { visits: 3, cart: { item: 1 }, nested: { deep: [{ value: 1 }] }, anything: null }
    app.get('/fill', async ({ session }) => {
      Object.assign(session, data)
      session.permanent = true
      return ''
    })
    const about = async () => (await browser.get('/about')).json()
    app.get('/about', async ({ session }) => {
      const { id, createdAt, permanent, ownerId, isNew } = session
      return { id, createdAt, permanent, ownerId: ownerId ?? null, isNew }
    })
    app.all('/secret', { preHandler: and(user, requireSession('cart')) }, async () => t.fail('handled'))
    await browser.get('/fill')
    const before = await about()
    for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const) {
      const refused = await browser.inject({ method, url: '/secret' })
      t.equal(refused.statusCode, 401)
      t.same(setCookieLines(refused), [], `${method} of a program, ${mode}`)
      if (method === 'GET') continue
      t.same(setCookieLines(await browser.navigate('/secret', method)), [], `${method} of a browser, ${mode}`)
    }
    t.same(await browser.data(), data, mode)
    await browser.navigate('/secret')
    t.same(await browser.data(), { ...data, next: '/secret' }, mode)
    t.same(await about(), before, mode)
  }
})

t.test('a browser with a nearly full session is redirected too', async (t) => {
  for (const { mode, options, isSelfContained } of MODES) {
    const { app, browser } = await createShop(options)
    app.get('/fill', async ({ session }) => {
      session.name = 'x'.repeat(2900)
      return ''
    })
    app.get(
      '/*',
      user.handle(async () => t.fail('handled'))
    )
    await browser.get('/fill')
    const url = `/${'a'.repeat(400)}`
    const refused = await browser.navigate(url)
    t.equal(refused.statusCode, 302, mode)
    t.equal(refused.headers.location, '/login', mode)
    t.same(await browser.data(), { name: 'x'.repeat(2900), ...(isSelfContained ? {} : { next: url }) }, mode)
  }
})

t.test('a session is accepted in its last second, and refused after it', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser, clock } = await createShop({ ...options, idleTimeout: 600, refreshAfter: 0 })
    app.get(
      '/secret',
      user.handle(async () => 'handled')
    )
    await browser.navigate('/login', 'POST')
    clock.advance(600)
    t.equal((await browser.navigate('/secret')).body, 'handled', mode)
    clock.advance(601)
    t.equal((await browser.navigate('/secret')).headers.location, '/login', mode)
    t.equal((await browser.get('/secret')).statusCode, 401, mode)
  }
})

t.test('a revoked session and a forged one are refused', async (t) => {
  const { app, browser } = await createShop({ store: new MemoryStore() })
  app.get(
    '/secret',
    user.handle(async ({ session }) => session.id)
  )
  await browser.navigate('/login', 'POST')
  await app.sessions.revoke((await browser.get('/secret')).body)
  t.equal((await browser.get('/secret')).statusCode, 401)
  browser.jar.set('session', 'forged')
  t.equal((await browser.get('/secret')).statusCode, 401)
})

t.test('while the store is down a guard answers 503, with and without onStoreError: anonymous', async (t) => {
  const { app, store } = await createStoredApp()
  addLogin(app)
  const config = { session: { onStoreError: 'anonymous' } } as const
  app.get('/public', { config }, async () => 'public')
  app.get(
    '/anonymous',
    user.handle({ config }, async () => 'handled')
  )
  app.get(
    '/secret',
    user.handle(async () => 'handled')
  )
  const browser = new Browser(app)
  await browser.navigate('/login', 'POST')
  store.before = () => Promise.reject(new Error('down'))
  t.equal((await browser.navigate('/public')).statusCode, 200)
  for (const url of ['/anonymous', '/secret']) {
    const response = await browser.navigate(url)
    t.equal(response.statusCode, 503, url)
    t.equal(response.json().code, 'ERR_SESSION_STORE_UNAVAILABLE')
    t.equal(response.headers.location, undefined)
  }
  const stranger = await new Browser(app).navigate('/secret')
  t.equal(stranger.statusCode, 503, 'whose page cannot be kept')
  store.before = () => undefined
  t.equal((await browser.navigate('/anonymous')).body, 'handled', 'nobody was logged out')
})

t.test('the application may answer a refusal itself', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser } = await createShop(options)
    const refusals: string[] = []
    const guard = requireSession('cart', {
      ...REDIRECT,
      onRefused(request, reply, reason) {
        refusals.push(`${request.method} ${reason}`)
        request.session.flash = { error: ['Your cart is empty.'] }
        // Not returned: the reply counts as sent, even if it is not on its way yet.
        if (request.headers.accept === 'text/plain') reply.code(402).send('Your cart is empty.')
      }
    })
    app.get(
      '/checkout',
      guard.handle(async () => t.fail('handled'))
    )
    const own = await browser.inject({ method: 'GET', url: '/checkout', headers: { accept: 'text/plain' } })
    t.equal(own.statusCode, 402, mode)
    t.equal(own.body, 'Your cart is empty.')
    t.same(await browser.data(), { flash: { error: ['Your cart is empty.'] } }, 'and no page')
    t.equal((await browser.get('/checkout')).statusCode, 401, mode)
    t.equal((await browser.navigate('/checkout')).headers.location, '/login', mode)
    t.same(await browser.data(), { flash: { error: ['Your cart is empty.'] }, next: '/checkout' })
    t.same(refusals, ['GET not-logged-in', 'GET not-logged-in', 'GET not-logged-in'])
  }
})

t.test('the answer of onRefused is sent once, however long the store takes', async (t) => {
  const { app, store, warnings } = await createStoredApp()
  store.before = () => new Promise((resolve) => setImmediate(resolve))
  const guard = loginRequired({
    key: 'userId',
    redirectTo: '/login',
    onRefused({ session }, reply) {
      session.visits = 1
      reply.redirect('/elsewhere')
    }
  })
  app.get(
    '/',
    guard.handle(async () => t.fail('handled'))
  )
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const { status, headers } = await ask(portOf(app), '/')
  t.equal(status, 302)
  t.equal(headers.location, '/elsewhere')
  t.same(warnings(), [])
})

t.test('the error handler of the application gets the error', async (t) => {
  const { app, browser } = await createShop()
  app.setErrorHandler(async (error: { code?: string }, _request, reply) => reply.code(418).send(error.code))
  app.get(
    '/secret',
    user.handle(async () => t.fail('handled'))
  )
  t.equal((await browser.get('/secret')).body, 'ERR_SESSION_LOGIN_REQUIRED')
})

t.test('and runs all guards in order, and stops at the first that refuses', async (t) => {
  const { app, browser } = await createShop()
  const asked: string[] = []
  const asking = (name: string, answer: boolean, options: GuardOptions = {}) =>
    requireSession(() => {
      asked.push(name)
      return answer
    }, options)
  app.get(
    '/none',
    and(asking('a', true), asking('b', true)).handle(async () => 'handled')
  )
  app.get(
    '/second',
    and(asking('a', true), asking('b', false, { status: 404 }), asking('c', true)).handle(async () => '')
  )
  app.get(
    '/both',
    and(user, requireSession('cart', { status: 402 })).handle(async () => 'handled')
  )
  t.equal((await browser.get('/none')).body, 'handled')
  t.same(asked.splice(0), ['a', 'b'])
  t.equal((await browser.get('/second')).statusCode, 404)
  t.same(asked, ['a', 'b'])
  t.equal((await browser.get('/both')).statusCode, 401)
  await browser.navigate('/login', 'POST')
  t.equal((await browser.get('/both')).statusCode, 402)
})

t.test('a session of another name has its own guards', async (t) => {
  for (const { mode, options } of MODES) {
    const { app, browser } = await createShop(options)
    await app.register(session, { secret: SECRET, decorator: 'adminSession', cookieName: 'admin' })
    const admins = guardsFor<{ level: number }, 'adminSession'>('adminSession')
    const admin = admins.loginRequired({ key: 'level', redirectTo: '/admin/login' })
    app.get(
      '/admin',
      admin.handle(async ({ adminSession }) => adminSession.level.toFixed(1))
    )
    app.get(
      '/both',
      and(user, admin).handle(async ({ session, adminSession }) => session.userId + adminSession.level)
    )
    app.post('/admin/login', async (request, reply) => {
      getSession<{ level: number }>(request, 'adminSession').level = 9
      return reply.redirect(admins.safeNext(request), 303)
    })
    await browser.navigate('/login', 'POST')
    t.equal((await browser.navigate('/admin')).headers.location, '/admin/login', mode)
    t.equal((await browser.navigate('/both')).headers.location, '/admin/login', mode)
    t.same(await browser.data(), { userId: 7 }, 'the page is kept in the session that is missing')
    t.equal((await browser.navigate('/admin/login', 'POST')).headers.location, '/both', mode)
    t.equal((await browser.navigate('/admin')).body, '9.0', mode)
    t.equal((await browser.navigate('/both')).body, '16', mode)
    await browser.navigate('/logout', 'POST')
    t.equal((await browser.navigate('/both')).headers.location, '/login', mode)
    t.equal((await browser.navigate('/admin')).body, '9.0', mode)
  }
})

t.test('one guard can serve two applications of one process', async (t) => {
  const [first, second] = [await createShop(), await createShop({ store: (clock) => new MemoryStore({ clock }) })]
  for (const { app } of [first, second])
    app.get(
      '/secret',
      user.handle(async () => 'handled')
    )
  await first.browser.navigate('/login', 'POST')
  const [mine, theirs] = await Promise.all([first, second].map(({ browser }) => browser.navigate('/secret')))
  t.equal(mine?.body, 'handled')
  t.equal(theirs?.headers.location, '/login')
})

t.test('a WebSocket is refused before the handshake', async (t) => {
  const { app, browser } = await createShop()
  await app.register(websocket)
  app.get('/live', { websocket: true, preHandler: user }, (socket) => socket.send('hello'))
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(() => app.close())
  const address = `ws://127.0.0.1:${portOf(app)}/live`
  const refused = new WebSocket(address)
  refused.on('error', () => {})
  const [, { statusCode }] = await once(refused, 'unexpected-response')
  t.equal(statusCode, 401)
  refused.terminate()
  await browser.navigate('/login', 'POST')
  const open = new WebSocket(address, { headers: { cookie: browser.jar.header() } })
  t.equal(String((await once(open, 'message'))[0]), 'hello')
  open.terminate()
})

t.test('over HTTP/2', async (t) => {
  const app = fastify({ http2: true })
  await app.register(session, { secret: SECRET })
  app.get(
    '/orders',
    user.handle(async ({ session }) => session.userId.toFixed(1))
  )
  app.post(
    '/orders',
    user.handle(async ({ session }) => session.userId.toFixed(1))
  )
  app.options('/orders', { preHandler: user }, async () => 'options')
  app.register(async (scope) => {
    scope.addHook('preHandler', user)
    scope.get('/scope', async () => 'scope')
  })
  app.post('/login', async (request, reply) => {
    request.session.userId = 7
    return reply.redirect(safeNext(request), 303)
  })
  const client = connect(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.teardown(async () => {
    client.close()
    await app.close()
  })
  let cookie = ''
  const send = async (method: string, path: string, headers = {}) => {
    const stream = client.request({ ':method': method, ':path': path, ...(cookie ? { cookie } : {}), ...headers })
    const [received] = await once(stream, 'response')
    let body = ''
    for await (const chunk of stream.setEncoding('utf8')) body += chunk
    cookie = received['set-cookie']?.[0]?.split(';', 1)[0] ?? cookie
    return { status: received[':status'], location: received.location, body }
  }
  for (const path of ['/orders', '/scope']) {
    const refused = await send('GET', path)
    t.equal(refused.status, 401)
    t.equal(JSON.parse(refused.body).code, 'ERR_SESSION_LOGIN_REQUIRED')
    t.match(await send('HEAD', path), { status: 401, body: '' })
  }
  t.match(await send('OPTIONS', '/orders'), { status: 401 })
  t.match(await send('POST', '/orders', BROWSER), { status: 303, location: '/login' })
  t.equal(cookie, '')
  t.match(await send('GET', '/orders?page=2', BROWSER), { status: 302, location: '/login' })
  t.match(await send('POST', '/login', BROWSER), { status: 303, location: '/orders?page=2' })
  t.match(await send('GET', '/orders?page=2', BROWSER), { status: 200, body: '7.0' })
  t.match(await send('GET', '/scope'), { status: 200, body: 'scope' })
})

function portOf(app: FastifyInstance): number {
  return (app.server.address() as AddressInfo).port
}

/** Sends a request with its target exactly as written. */
async function ask(port: number, path: string, headers = {}, method = 'GET') {
  const sent = request({ host: '127.0.0.1', port, path, method, headers }).end()
  const [response] = await once(sent, 'response')
  let body = ''
  for await (const chunk of response.setEncoding('utf8')) body += chunk
  return { status: response.statusCode as number, headers: response.headers, body }
}

/** Router options that accept more spellings of a path. */
const ROUTERS: readonly Readonly<Record<string, boolean>>[] = [
  {},
  { caseSensitive: false },
  { ignoreTrailingSlash: true },
  { ignoreDuplicateSlashes: true },
  { useSemicolonDelimiter: true },
  { caseSensitive: false, ignoreTrailingSlash: true, ignoreDuplicateSlashes: true, useSemicolonDelimiter: true }
]

/** Spellings of a path. Some routers accept some of them. */
function spellingsOf(path: string): string[] {
  const [, first = '', ...others] = path.split('/')
  const rest = others.map((part) => `/${part}`).join('')
  const encode = (text: string): string => text.replace(/[a-z]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
  return [
    path,
    path.toUpperCase(),
    `/${first.toUpperCase()}${rest}`,
    `/${encode(first)}${rest}`,
    `/${encode(first).toUpperCase()}${rest}`,
    `/${first[0]}${encode(first.slice(1))}${rest}`,
    `/%2573ecret${rest}`,
    ...[
      '/',
      '//',
      '/.',
      '/./',
      '/..',
      '/x/..',
      '/%2e',
      '/%2e%2e',
      '%2f',
      '%2F',
      '%5c',
      '%00',
      '%20',
      '%09',
      '.',
      '~',
      '*'
    ].map((tail) => path + tail),
    ...['?', '??', '?a=b', '?/login', ';', ';a=b', ';/login', '%3b', '%3fa', '%23a', '&a', ';a?b', '?a;b'].map(
      (tail) => path + tail
    ),
    ...['/', '//', '/.', '/..', '/./.', '/%2e', '/%2e%2e', '/login/..', '/login/%2e%2e', '/%2f', '/%5c', '/;'].map(
      (head) => head + path
    ),
    `//${first}/${rest}`,
    `/${first}//${others.join('//')}`,
    `/${first}${rest.replaceAll('/', '%2f')}`,
    `/${first}${rest.replaceAll('/', '%2F')}`,
    `/${first}${rest.replaceAll('/', '/./')}`,
    `/${first}${rest.replaceAll('/', ';a/')}`,
    `http://localhost${path}`,
    `http://evil.example${path}`,
    `//localhost${path}`
  ]
}

t.test('no spelling of an address gets to a handler without its guard', async (t) => {
  const paths = ['/secret', '/secret/7', '/secret/7/parts', '/secret/files/a/b', '/secret/a-b.json', '/SeCret']
  for (const routerOptions of ROUTERS) {
    const label = JSON.stringify(routerOptions)
    const { app } = await createShop({}, { logger: false, routerOptions })
    const handled: string[] = []
    const handler = async ({ url }: { url: string }): Promise<string> => {
      handled.push(url)
      return 'handled'
    }
    app.get('/secret', user.handle(handler))
    app.get('/secret/:id', { preHandler: user }, handler)
    app.get('/secret/:id/parts', { preHandler: [user] }, handler)
    app.get('/secret/:name-:part.json', user.handle(handler))
    app.register(async (scope) => {
      scope.addHook('preHandler', user)
      scope.get('/secret/files/*', handler)
    })
    app.get('/*', async () => 'public')
    await app.listen({ host: '127.0.0.1', port: 0 })
    t.teardown(() => app.close())
    const port = portOf(app)
    const login = await ask(port, '/login', {}, 'POST')
    const cookie = login.headers['set-cookie']?.[0]?.split(';', 1)[0]

    const [reached, past, differs]: [string[], string[], string[]] = [[], [], []]
    for (const spelling of new Set(paths.flatMap(spellingsOf))) {
      for (const method of ['GET', 'HEAD']) {
        const line = `${method} ${spelling}`
        const stranger = await ask(port, spelling, {}, method)
        if (handled.splice(0).length > 0) past.push(line)
        await ask(port, spelling, { cookie }, method)
        const isReached = handled.splice(0).length > 0
        if (isReached) reached.push(line)
        if (isReached !== (stranger.status === 401)) differs.push(line)
      }
    }
    t.same(past, [], `${label}: a stranger gets to no handler`)
    t.same(differs, [], `${label}: and is refused where somebody who is logged in gets to one, and nowhere else`)
    t.ok(reached.length > 200, `${label}: ${reached.length} requests do`)
  }
})
