import t from 'tap'
import { dropNext, keepNext, mayBegin, popNext, usualPlace, wantedIn, withNext } from '../../lib/guard/next-page.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import type { GuardRequest } from '../../types/guard.ts'
import { createApp, MODES } from '../helpers/app.ts'

/** A request with the members that guards read. */
function request(originalUrl: string, method = 'GET'): GuardRequest {
  return { id: '1', method, originalUrl, host: 'shop.test', is404: false, raw: { headers: {} } }
}

/** Creates an application that stores each requested page, shows the stored one, and takes it. */
async function createNoting(options = {}) {
  const { app } = await createApp(options)
  app.get('/data', async ({ session }) => session.data())
  app.get('/fill/:size', async ({ session, params }) => {
    session.name = 'x'.repeat((params as { size: number }).size)
    return session.size().bytes
  })
  app.get('/store/*', async ({ session, url }) => {
    session.set('next' as never, JSON.parse(decodeURIComponent(url.slice('/store/'.length))) as never)
    return ''
  })
  app.get('/take', async (request) => popNext(request, 'session', 'the fallback'))
  app.all('/*', async (request) => {
    keepNext(request, 'session')
    return ''
  })
  return await createClient(app)
}

t.test('the requested page is stored in the session, and can be taken once', async (t) => {
  for (const { mode, options } of MODES) {
    const visitor = await createNoting(options)
    await visitor.get('/a/../b?c=d%20e&f')
    t.same((await visitor.get('/data')).json(), { next: '/b?c=d%20e&f' }, mode)
    t.equal((await visitor.get('/take')).body, '/b?c=d%20e&f', mode)
    t.same((await visitor.get('/data')).json(), {}, mode)
    t.equal((await visitor.get('/take')).body, 'the fallback', mode)
  }
})

t.test('the last requested page wins', async (t) => {
  const visitor = await createNoting()
  await visitor.get('/a')
  await visitor.get('/b')
  t.equal((await visitor.get('/take')).body, '/b')
})

t.test('only GET requests to local paths are stored', async (t) => {
  const visitor = await createNoting()
  await visitor.get('/a')
  for (const method of ['POST', 'PUT', 'DELETE', 'HEAD'] as const) await visitor.inject({ method, url: '/b' })
  await visitor.get('//evil.example/b')
  await visitor.get('/./%2e//evil.example/b')
  await visitor.get(`/${'b'.repeat(1024)}`)
  t.equal((await visitor.get('/take')).body, '/a')
})

t.test('a session that would become too large keeps what it has', async (t) => {
  const visitor = await createNoting()
  const full = 4096 - 100
  const empty = Number((await visitor.get('/fill/0')).body)
  // Base64url: four characters of cookie for three of data.
  const size = Math.floor(((full - empty) * 3) / 4)
  await visitor.get(`/fill/${size}`)
  const url = `/${'a'.repeat(200)}`
  t.equal((await visitor.get(url)).statusCode, 200)
  t.same((await visitor.get('/data')).json(), { name: 'x'.repeat(size) })
  await visitor.get('/b')
  await visitor.get(url)
  t.same((await visitor.get('/data')).json(), { name: 'x'.repeat(size), next: '/b' }, 'also an earlier page')
})

t.test('anything else in place of the page is removed and ignored', async (t) => {
  for (const stored of ['//evil.example', 'https://evil.example', 'me', '', 7, null, ['/me'], { path: '/me' }]) {
    const visitor = await createNoting()
    await visitor.get(`/store/${encodeURIComponent(JSON.stringify(stored))}`)
    t.equal((await visitor.get('/take')).body, 'the fallback', JSON.stringify(stored))
    t.same((await visitor.get('/data')).json(), {})
  }
})

t.test('without a page in the session the page in the query is used', async (t) => {
  const visitor = await createNoting()
  t.equal((await visitor.get('/take?next=%2Fa%3Fb%3Dc')).body, '/a?b=c')
  for (const query of [
    'next=',
    'next',
    'next=//evil.example',
    'next=/a&next=/a',
    'next[]=/a',
    'next[x]=/a',
    'Next=/a'
  ]) {
    t.equal((await visitor.get(`/take?${query}`)).body, 'the fallback', query)
  }
})

t.test('the page in the query is newer than that in the session, which is forgotten', async (t) => {
  const visitor = await createNoting()
  await visitor.get('/old')
  t.equal((await visitor.get('/take?next=/new')).body, '/new')
  t.equal((await visitor.get('/take')).body, 'the fallback')
  await visitor.get('/old')
  t.equal((await visitor.get('/take?next=//evil.example')).body, '/old', 'what is no page does not count')
})

t.test('a page that logs out is never the one to come back to', async (t) => {
  const visitor = await createNoting()
  await visitor.get('/a')
  for (const path of ['/logout', '/logout/', '/Logout?a=/b', '/auth/log-out#a', '/sign_out', '/signout', '/logoff']) {
    await visitor.get(path)
    t.equal(withNext('/login', request(path), 'session'), '/login', path)
    t.equal((await visitor.get(`/take?next=${encodeURIComponent(path)}`)).body, '/a', path)
    await visitor.get('/a')
    await visitor.get(`/store/${encodeURIComponent(JSON.stringify(path))}`)
    t.equal((await visitor.get('/take')).body, 'the fallback', path)
    await visitor.get('/a')
  }
  for (const path of ['/logouts', '/blog-out', '/logout/all', '/a?then=/logout']) {
    t.equal((await visitor.get(`/take?next=${encodeURIComponent(path)}`)).body, path)
  }
})

t.test('a page is kept and returned as the browser sees it, below what a proxy takes off', async (t) => {
  const { app } = await createApp({ basePath: '/app' })
  app.get('/take', async (request) => popNext(request, 'session', '/start'))
  app.get('/elsewhere', async (request) => popNext(request, 'session', 'https://shop.example/'))
  app.get('/query', async (request) => withNext('/app/login', request, 'session'))
  app.get('/*', async (request) => {
    keepNext(request, 'session')
    return request.session.data()
  })
  const visitor = await createClient(app)
  t.same((await visitor.get('/b?c')).json(), { next: '/app/b?c' })
  t.equal((await visitor.get('/take')).body, '/app/b?c')
  t.same((await visitor.get('/app/b')).json(), { next: '/app/app/b' }, 'also one that begins like it')
  t.equal((await visitor.get('/take')).body, '/app/app/b')
  t.equal((await visitor.get('/query?a')).body, '/app/login?next=%2Fapp%2Fquery%3Fa')
  t.equal((await visitor.get('/take')).body, '/app/start')
  t.equal((await visitor.get('/take?next=/a')).body, '/app/a')
  t.equal((await visitor.get('/take?next=/app/a')).body, '/app/a')
  t.equal((await visitor.get('/elsewhere')).body, 'https://shop.example/')
})

t.test('the page in the query of a request is known', (t) => {
  t.equal(wantedIn({ query: { next: '/a' } }), '/a')
  for (const query of [{}, { next: ['/a'] }, { next: '//a' }, { next: '/logout' }, null, undefined]) {
    t.equal(wantedIn({ query }), undefined)
  }
  t.end()
})

t.test('a request without a query has no page in it', async (t) => {
  const { app } = await createApp()
  app.get('/', async (request) => {
    const { session } = request
    return [undefined, null, 'next=/a'].map((query) => popNext({ session, query }, 'session', '/none'))
  })
  t.same((await app.inject('/?next=/a')).json(), ['/none', '/none', '/none'])
})

t.test('a request without a session is refused', (t) => {
  t.throws(() => popNext({}, 'session', '/'), { code: 'ERR_SESSION_NOT_REGISTERED' })
  t.throws(() => keepNext(request('/'), 'other'), { code: 'ERR_SESSION_NOT_REGISTERED', message: /'other'/ })
  t.end()
})

t.test('the requested page can be passed in the query', (t) => {
  const wanted = request('/a?b=c&d=%20#e')
  const next = 'next=%2Fa%3Fb%3Dc%26d%3D%2520%23e'
  for (const [address, expected] of [
    ['/login', `/login?${next}`],
    ['/login?lang=de', `/login?lang=de&${next}`],
    ['/login#form', `/login?${next}#form`],
    ['/login?lang=de#form?', `/login?lang=de&${next}#form?`],
    ['/login#a#b', `/login?${next}#a#b`],
    ['https://accounts.example/', `https://accounts.example/?${next}`]
  ] as const) {
    t.equal(withNext(address, wanted, 'session'), expected)
    t.equal(
      new URL(withNext(address, wanted, 'session'), 'https://app.example').searchParams.get('next'),
      '/a?b=c&d=%20#e'
    )
  }
  t.end()
})

t.test('only GET requests to local paths are passed in the query', (t) => {
  for (const wanted of [request('/a', 'POST'), request('/a', 'HEAD'), request('//evil.example'), request('*')]) {
    t.equal(withNext('/login', wanted, 'session'), '/login', `${wanted.method} ${wanted.originalUrl}`)
  }
  t.end()
})

t.test('a session may start, unless the browser kept its own cookie back', async (t) => {
  for (const sameSite of ['lax', 'strict'] as const) {
    const { app } = await createApp({ cookie: { sameSite } })
    app.get('/begin', async ({ session }) => {
      session.visits = 1
      return ''
    })
    app.get('/', async (request) => mayBegin(request, 'session'))
    const visitor = await createClient(app)
    const ask = async (site?: string): Promise<unknown> =>
      (await visitor.get('/', { headers: site === undefined ? {} : { 'sec-fetch-site': site } })).json()
    for (const site of [undefined, 'none', 'same-origin', 'same-site']) t.equal(await ask(site), true, String(site))
    t.equal(await ask('cross-site'), sameSite === 'lax')
    await visitor.get('/begin')
    t.equal(await ask('cross-site'), true)
  }
})

t.test('a page is kept in the query with a store, and in the session without one', async (t) => {
  for (const { mode, options } of MODES) {
    const { app } = await createApp(options)
    app.get('/', async (request) => usualPlace(request, 'session'))
    t.equal((await app.inject('/')).body, options.store === undefined ? 'session' : 'query', mode)
  }
  t.equal(usualPlace(request('/'), 'session'), 'session')
})

t.test('a stored page can be dropped', async (t) => {
  const { app } = await createApp()
  app.get('/', async (request) => {
    keepNext(request, 'session')
    dropNext(request, 'session')
    dropNext(request, 'session')
    return request.session.data()
  })
  t.same((await app.inject('/')).json(), {})
})

t.test('a guard begins no session for a request with an old id', async (t) => {
  for (const { options, isSelfContained } of MODES) {
    const { app } = await createApp(options)
    app.get('/renew', async ({ session }) => {
      session.visits = 1
      await session.renew()
      return ''
    })
    app.get('/may', async (request) => mayBegin(request, 'session'))
    const visitor = await createClient(app)
    await visitor.get('/renew')
    const cookie = visitor.jar.header()
    t.equal((await visitor.get('/may')).body, 'true')
    await visitor.get('/renew')
    t.equal((await app.inject({ url: '/may', headers: { cookie } })).body, String(isSelfContained))
  }
})
