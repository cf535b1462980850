import type { FastifyInstance, FastifyServerOptions, InjectOptions, LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { createRedirect, normalizeUrl } from '../../lib/guard/redirect.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { GuardOptions, RefusalReason } from '../../types/guard.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, MODES } from '../helpers/app.ts'

interface How {
  reason?: RefusalReason
  session?: LooseOptions
  server?: FastifyServerOptions
}

/** Creates an application that redirects all requests, except those to `/data`, `/visit` and `/open`. */
async function create(
  options: GuardOptions,
  { reason = 'not-logged-in', session = {}, server = {} }: How = {}
): Promise<FastifyInstance> {
  const { app } = await createApp(session, server)
  const redirect = createRedirect('session', options)
  app.get('/data', async ({ session }) => session.data())
  app.get('/visit', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/open', async () => '')
  app.all('/*', async (request, reply) => {
    redirect?.(request, reply, reason)
    return reply
  })
  return app
}

async function ask(options: GuardOptions, request: InjectOptions = {}, how: How = {}): Promise<LightMyRequestResponse> {
  const app = await create(options, how)
  return app.inject({ method: 'GET', url: '/me', ...request })
}

t.test('there is no redirect without an address', async (t) => {
  for (const redirectTo of [undefined, 'login', '//elsewhere.example']) {
    t.equal(createRedirect('session', { redirectTo }), undefined)
  }
})

t.test('an address is serialized for a header', async (t) => {
  for (const [redirectTo, location] of [
    ['/', '/'],
    ['/login?a=b#c', '/login?a=b#c'],
    ['/a/../login', '/login'],
    ['/входи', '/%D0%B2%D1%85%D0%BE%D0%B4%D0%B8'],
    ['https://accounts.example/login?for=shop', 'https://accounts.example/login?for=shop'],
    ['http://accounts.example', 'http://accounts.example/'],
    ['https://bücher.example/ä', 'https://xn--bcher-kva.example/%C3%A4']
  ] as const) {
    t.equal(normalizeUrl(redirectTo), location)
    t.equal((await ask({ redirectTo })).headers.location, location, redirectTo)
  }
  for (const wrong of ['login', '//a.example', 'https://', 'ftp://a.example', '', 7, null, undefined]) {
    t.equal(normalizeUrl(wrong), undefined, String(wrong))
  }
})

t.test('a function chooses the page for each request', async (t) => {
  const redirectTo = ({ url, host }: { url: string; host: string }): string =>
    url.startsWith('/de/') ? '/de/anmelden#ä' : `/login?host=${host}`
  t.equal((await ask({ redirectTo }, { url: '/de/ich' })).headers.location, '/de/anmelden#%C3%A4')
  const asked = { url: '/me', headers: { host: 'shop.test' } }
  t.equal((await ask({ redirectTo }, asked)).headers.location, '/login?host=shop.test')
  const atQuery = await ask({ redirectTo, next: 'query' }, { url: '/de/ich' })
  t.equal(atQuery.headers.location, '/de/anmelden?next=%2Fde%2Fich#%C3%A4')
  t.equal((await ask({ redirectTo }, { url: '/de/anmelden' })).json().code, 'ERR_SESSION_REDIRECT_LOOP')
  t.equal((await ask({ redirectTo }, { url: '/login' })).json().code, 'ERR_SESSION_REDIRECT_LOOP')
  const below = { session: { basePath: '/shop' } }
  t.equal((await ask({ redirectTo }, { url: '/de/ich' }, below)).headers.location, '/shop/de/anmelden#%C3%A4')
})

t.test('a function that returns anything but a path of this server fails the request', async (t) => {
  const refused = { statusCode: 500, code: 'ERR_SESSION_VALUE', message: /must return a path of this server/ }
  for (const chosen of [
    '//evil.example',
    '/\\evil.example',
    '\\\\evil.example',
    '\\evil',
    'https://evil.example/login',
    'http://localhost/login',
    'javascript:alert(1)',
    'login',
    '',
    '/.//evil.example',
    '/\t/evil.example',
    '/login\r\nset-cookie: session=stolen',
    '/login\u0000',
    `/${'a'.repeat(1024)}`,
    undefined,
    null,
    7,
    { toString: () => '/login' },
    Promise.resolve('/login'),
    Promise.reject(new Error('this must not end the process'))
  ]) {
    const response = await ask({ redirectTo: () => chosen as string })
    t.match(response.json(), refused, String(chosen))
    t.equal(response.headers.location, undefined)
    t.same(setCookieLines(response), [])
    t.notMatch(response.body, /evil|stolen/, 'what it has made of the request is not told')
  }
  const failing = (): never => {
    throw new Error('no tenant')
  }
  t.match((await ask({ redirectTo: failing })).json(), { statusCode: 500, message: 'no tenant' })
})

t.test('a form is redirected with 303', async (t) => {
  for (const [method, status] of [
    ['GET', 302],
    ['HEAD', 302],
    ['POST', 303],
    ['DELETE', 303]
  ] as const) {
    t.equal((await ask({ redirectTo: '/login' }, { method })).statusCode, status, method)
  }
})

t.test('a redirect to the page itself is an error, except after a form', async (t) => {
  const loop = { statusCode: 500, code: 'ERR_SESSION_REDIRECT_LOOP', error: 'Internal Server Error', message: /scope/ }
  for (const [redirectTo, url] of [
    ['/login?lang=de#form', '/login'],
    ['/login?lang=de#form', '/login?next=/me'],
    ['/login?lang=de#form', '/login?'],
    ['/login#form', '/login'],
    ['/ü', '/%C3%BC']
  ] as const) {
    const response = await ask({ redirectTo }, { url })
    t.match(response.json(), loop, url)
    t.same(setCookieLines(response), [])
    t.equal((await ask({ redirectTo }, { url, method: 'HEAD' })).statusCode, 500)
    t.equal((await ask({ redirectTo }, { url, method: 'POST' })).statusCode, 303, 'the page may be open')
  }
  for (const url of ['/login/', '/', '/me?/login']) {
    t.equal((await ask({ redirectTo: '/login?lang=de#form' }, { url })).headers.location, '/login?lang=de#form', url)
  }
})

t.test('an address on this host is recognized, also behind a proxy', async (t) => {
  const redirectTo = 'http://shop.test/login'
  const go = async (url: string, headers: Record<string, string>, trustProxy = false): Promise<unknown> => {
    const { statusCode, headers: answered } = await ask({ redirectTo }, { url, headers }, { server: { trustProxy } })
    return answered.location ?? statusCode
  }
  t.equal(await go('/login?a=b', { host: 'shop.test' }), 500)
  t.equal(await go('/login', { host: 'Shop.Test' }), 500)
  t.equal(await go('/login', { host: 'other.test' }), redirectTo)
  t.equal(await go('/me', { host: 'shop.test' }), redirectTo)
  const forwarded = { host: 'app:3000', 'x-forwarded-host': 'shop.test' }
  t.equal(await go('/login', forwarded, true), 500)
  t.equal(await go('/login', forwarded), redirectTo)
})

t.test('a page that a proxy has moved is recognized when the browser comes back to it', async (t) => {
  const redirectTo = '/app/login'
  const first = await ask({ redirectTo, next: 'query' }, { url: '/login?next=/orders' })
  t.equal(first.statusCode, 302, 'it may be any page')
  const url = String(first.headers.location).slice('/app'.length)
  t.equal((await ask({ redirectTo, next: 'query' }, { url })).statusCode, 500)
  t.equal((await ask({ redirectTo }, { url: '/orders?next=/orders' })).statusCode, 302, 'not so any other page')
})

t.test('the requested page is stored in the session, in the query or nowhere', async (t) => {
  for (const [next, location, isKept] of [
    [undefined, '/login', true],
    ['session', '/login', true],
    ['query', '/login?next=%2Fme%3Fa%3Db', false],
    [false, '/login', false]
  ] as const) {
    const response = await ask({ redirectTo: '/login', next }, { url: '/me?a=b' })
    t.equal(response.headers.location, location)
    t.equal(setCookieLines(response).length, isKept ? 1 : 0, String(next))
  }
})

t.test(
  'with SameSite=Strict a request from another site starts no session, because the browser kept its own back',
  async (t) => {
    const options = { redirectTo: '/login' }
    const headers = { 'sec-fetch-site': 'cross-site' }
    const app = await create(options, { session: { cookie: { sameSite: 'strict' } } })
    const response = await app.inject({ url: '/me?a=b', headers })
    t.equal(response.headers.location, '/login?next=%2Fme%3Fa%3Db')
    t.same(setCookieLines(response), [])
    for (const site of ['same-site', 'same-origin', 'none']) {
      const own = await app.inject({ url: '/me', headers: { 'sec-fetch-site': site } })
      t.equal(own.headers.location, '/login', site)
    }
    t.equal((await ask(options, { headers })).headers.location, '/login', 'with Lax it would have come along')
    const cookie = await sessionCookie(app, { visits: 1 })
    const known = await app.inject({ url: '/me', headers: { ...headers, cookie } })
    t.equal(known.headers.location, '/login', 'a session that came along has room for it')
    t.equal(setCookieLines(known).length, 1)
  }
)

t.test('the last requested page wins', async (t) => {
  const app = await create({ redirectTo: '/login' })
  const inQuery = createRedirect('session', { redirectTo: '/login', next: 'query' })
  app.get('/b', async (request, reply) => {
    inQuery?.(request, reply, 'not-logged-in')
    return reply
  })
  const visitor = await createClient(app)
  await visitor.get('/a')
  t.same((await visitor.get('/data')).json(), { next: '/a' })
  t.equal((await visitor.get('/b')).headers.location, '/login?next=%2Fb')
  t.same((await visitor.get('/data')).json(), {})
})

/** Requests of a browser that are no visits. */
const NO_VISITS = [{ 'sec-purpose': 'prefetch' }, { 'sec-fetch-dest': 'iframe' }]

t.test('a page that nobody visits neither replaces nor removes the stored one', async (t) => {
  for (const { mode, options } of MODES) {
    for (const headers of NO_VISITS) {
      for (const next of ['session', 'query', false] as const) {
        const app = await create({ redirectTo: '/login', next: 'session' }, { session: options })
        const redirect = createRedirect('session', { redirectTo: '/login', next })
        app.get('/other', async (request, reply) => {
          redirect?.(request, reply, 'not-fresh')
          return reply
        })
        const visitor = await createClient(app)
        const expected = next === false ? '/login' : '/login?next=%2Fother'
        const before = await visitor.get('/other', { headers })
        t.equal(before.headers.location, expected, mode)
        t.same(setCookieLines(before), [], 'it begins no session')
        await visitor.get('/me')
        t.equal((await visitor.get('/other', { headers })).headers.location, expected, mode)
        t.same((await visitor.get('/data')).json(), { next: '/me' })
      }
    }
  }
})

t.test('a visitor who is sent back again and again gets an error, in every mode', async (t) => {
  for (const { mode, options } of MODES) {
    for (const reason of ['not-fresh', 'not-allowed', 'not-logged-in'] as const) {
      const app = await create({ redirectTo: '/open' }, { reason, session: options })
      const visitor = await createClient(app)
      await visitor.get('/visit')
      const statuses: number[] = []
      for (let round = 1; round <= 6; round++) statuses.push((await visitor.get('/me')).statusCode)
      const isCounted = reason !== 'not-logged-in'
      t.same(statuses, isCounted ? [302, 302, 302, 302, 500, 500] : [302, 302, 302, 302, 302, 302], `${mode} ${reason}`)
      for (const headers of NO_VISITS) t.equal((await visitor.get('/me', { headers })).statusCode, 302)
      t.equal((await visitor.post('/me')).statusCode, 303)
    }
  }
})

t.test('paths get the part that a proxy takes off', async (t) => {
  const session = { basePath: '/shop' }
  const at = async (redirectTo: string, url = '/me', next: GuardOptions['next'] = 'query'): Promise<unknown> => {
    const { headers, statusCode } = await ask(
      { redirectTo, next },
      { url, headers: { host: 'shop.test' } },
      { session }
    )
    return headers.location ?? statusCode
  }
  t.equal(await at('/login'), '/shop/login?next=%2Fshop%2Fme')
  t.equal(await at('/shop/login'), '/shop/login?next=%2Fshop%2Fme')
  t.equal(await at('/shop/shop/login', '/shop/me'), '/shop/shop/login?next=%2Fshop%2Fshop%2Fme')
  t.equal(await at('https://accounts.example/', '/me', false), 'https://accounts.example/')
  for (const redirectTo of ['/login', '/shop/login', 'http://shop.test/shop/login']) {
    t.equal(await at(redirectTo, '/login'), 500, redirectTo)
  }
})
