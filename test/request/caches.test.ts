import cookie from '@fastify/cookie'
import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { LooseOptions, TestApp } from '../helpers/app.ts'
import { createApp, decisionsOf, MODES, OTHER_SECRET, SECRET, withOneStore } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

/** An application with a session whose stamp is due, and what a visitor gets from a page with some headers. */
async function createDue(
  options: LooseOptions
): Promise<TestApp & { ask: (url: string, headers?: Record<string, string>) => Promise<LightMyRequestResponse> }> {
  const made = await createApp({ ...options, debug: 'always' })
  const { app, clock } = made
  await app.register(cookie)
  app.get('/set', async ({ session }) => {
    session.visits = 1
    return ''
  })
  const headersOf = (query: unknown): Record<string, string> => JSON.parse((query as { headers: string }).headers)
  app.get('/page', async ({ query }, reply) => reply.headers(headersOf(query)).send('page'))
  app.get('/touch', async ({ query, session }, reply) => {
    session.touch()
    return reply.headers(headersOf(query)).send('page')
  })
  app.get('/change', async ({ query, session }, reply) => {
    session.visits = (session.visits ?? 0) + 1
    return reply.headers(headersOf(query)).send('page')
  })
  app.get('/destroy', async ({ query, session }, reply) => {
    await session.destroy()
    return reply.headers(headersOf(query)).send('page')
  })
  app.get('/clear-by-hand', async (_request, reply) => reply.clearCookie('session').send('page'))
  const visitor = await createClient(app)
  await visitor.get('/set')
  clock.advance(61)
  const header = visitor.jar.header()
  return {
    ...made,
    ask: (url, headers = {}) =>
      app.inject({ url, query: { headers: JSON.stringify(headers) }, headers: { cookie: header } })
  }
}

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('activity that is due changes nothing of a shared reply, and the reason says so', async (t) => {
      const { ask, warnings } = await createDue(options)
      const decisions = await decisionsOf(async () => {
        const { headers } = await ask('/page', { 'cache-control': 'private', 'cdn-cache-control': 'max-age=60' })
        t.match(headers, {
          'set-cookie': undefined,
          vary: undefined,
          'cache-control': 'private',
          'cdn-cache-control': 'max-age=60',
          'session-trace': 'session; open=opened; commit=withheld'
        })
      })
      t.same(decisions, ['open: opened', 'commit: restamped', 'commit: withheld'])
      t.same(warnings(), [])
    })

    t.test('activity that is due is noted by a reply that caches must ask for, and then none keeps it', async (t) => {
      for (const value of ['no-cache', 'max-age=0, must-revalidate', 'max-age=0']) {
        const { ask, warnings } = await createDue(options)
        const response = await ask('/page', { 'cache-control': value, vary: 'Accept' })
        t.equal(setCookieLines(response).length, 1)
        t.match(response.headers, { 'cache-control': `private, ${value}`, vary: 'Accept, Cookie' })
        t.same(warnings(), [])
      }
    })

    t.test('touch() sends a cookie whatever the handler says of caches', async (t) => {
      const { ask, warnings } = await createDue(options)
      const response = await ask('/touch', { 'cache-control': 'public, max-age=60' })
      t.equal(setCookieLines(response).length, 1)
      t.match(response.headers, { 'cache-control': 'private, max-age=60', vary: 'Cookie' })
      t.match(warnings(), [{ reason: 'shared-cache' }])
    })

    t.test('a session that ends makes its reply private', async (t) => {
      const { ask, warnings } = await createDue(options)
      const response = await ask('/destroy', { 'surrogate-control': 'max-age=60' })
      t.match(setCookieLines(response), [/^session=; Max-Age=0/])
      t.match(response.headers, {
        'cache-control': 'no-store',
        'surrogate-control': 'no-store, max-age=60',
        vary: 'Cookie'
      })
      t.match(warnings(), [{ reason: 'shared-cache' }])
    })

    t.test('a session that changes makes its reply private, if it sends a cookie for that', async (t) => {
      const { ask, warnings } = await createDue(options)
      const response = await ask('/change', { 'cache-control': 'public, max-age=60' })
      t.equal(setCookieLines(response).length, isSelfContained ? 1 : 0, 'a store has the change')
      t.equal(response.headers['cache-control'], isSelfContained ? 'private, max-age=60' : 'public, max-age=60')
      t.equal(response.headers.vary, 'Cookie')
      t.match(warnings(), isSelfContained ? [{ reason: 'shared-cache' }] : [])
    })

    t.test('a cookie that the handler clears by hand stays cleared', async (t) => {
      const { ask } = await createDue(options)
      const lines = setCookieLines(await ask('/clear-by-hand'))
      t.ok(lines.length > 0 && lines.every((line) => line.startsWith('session=; Max-Age=0')), lines.join('\n'))
    })

    t.test('a hook or a Response that comes after ours has no last word on a cookie', async (t) => {
      const { app, clock } = await createApp(options)
      app.addHook('onRequest', async ({ session }) => {
        session.visits = (session.visits ?? 0) + 1
      })
      app.addHook('onSend', async ({ url }, reply) => {
        if (url === '/hook') reply.header('cache-control', 'public, max-age=60').header('vary', 'Accept')
      })
      app.get('/hook', async () => 'page')
      app.get('/response', async () => {
        return new Response('page', { headers: { 'cache-control': 'public, max-age=60', vary: 'Accept' } })
      })
      for (const url of ['/hook', '/response']) {
        const response = await app.inject(url)
        t.equal(setCookieLines(response).length, 1)
        t.match(response.headers, { 'cache-control': 'private, max-age=60', vary: 'Accept, Cookie' })
        clock.advance(61)
      }
    })

    t.test('a reply that shared caches may keep gets no cookie for the sake of a stamp or a key', async (t) => {
      const shared = withOneStore(options)
      const before = await createApp({ ...shared, secret: OTHER_SECRET })
      before.app.get('/', async ({ session }) => {
        session.visits = 1
        return ''
      })
      const { app, clock } = await createApp({ ...shared, secret: [SECRET, OTHER_SECRET] })
      app.get('/logo', async ({ query }, reply) => {
        reply.header('cache-control', (query as { cache: string }).cache)
        return ''
      })
      app.get('/logo-read', async ({ session }, reply) => {
        reply.header('cache-control', 'public, max-age=86400')
        return session.visits
      })
      const visitor = await createClient(before.app)
      await visitor.get('/')
      clock.advance(61)
      const ask = async (url: string): Promise<number> =>
        setCookieLines(await app.inject({ url, headers: { cookie: visitor.jar.header() } })).length
      t.equal(await ask('/logo?cache=public, max-age=86400'), 0)
      t.equal(await ask('/logo?cache=max-age=60'), 0)
      t.equal(await ask('/logo-read'), 0)
      t.equal(await ask('/logo?cache=private, max-age=60'), 1)
      t.equal(await ask('/logo?cache=no-store'), 1)
    })
  })
}

t.test('the reply tells caches what it depends on', async (t) => {
  const { app } = await createApp()
  app.get('/untouched', async () => '')
  app.get('/read', async ({ session }) => session)
  app.get('/off', { config: { session: false } }, async ({ session }) => session)
  app.get('/write', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/own', async ({ session }, reply) => {
    session.visits = 2
    reply.header('cache-control', 'private, max-age=5').header('vary', 'Accept')
    return ''
  })
  const untouched = await app.inject('/untouched')
  t.equal(untouched.headers.vary, undefined)
  t.equal(untouched.headers['cache-control'], undefined)
  const read = await app.inject('/read')
  t.equal(read.headers.vary, 'Cookie')
  t.equal(read.headers['cache-control'], undefined)
  t.equal((await app.inject('/off')).headers.vary, undefined, 'what is always empty depends on no cookie')
  const write = await app.inject('/write')
  t.equal(write.headers.vary, 'Cookie')
  t.equal(write.headers['cache-control'], 'no-store')
  const own = await app.inject('/own')
  t.equal(own.headers.vary, 'Accept, Cookie')
  t.equal(own.headers['cache-control'], 'private, max-age=5')
})

t.test('a store notes activity whatever becomes of the cookie', async (t) => {
  const { app, store, visitor, clock, key } = await createVisited({ idleTimeout: 1000, refreshAfter: 60 })
  app.get('/shared', async (_request, reply) => reply.header('cache-control', 'public, max-age=60').send(''))
  const created = clock.now() / 1000
  clock.advance(60)
  const response = await visitor.get('/shared')
  t.same(setCookieLines(response), [])
  t.same(store.takeCalls(), [
    ['load', key],
    ['touch', key, created + 1060, created + 60]
  ])
})

t.test('a page whose handler read the session depends on the cookie, also if a Response says otherwise', async (t) => {
  const { app } = await createApp()
  app.get('/', async ({ session }) => new Response(session.name ?? 'stranger', { headers: { vary: 'Accept' } }))
  t.equal((await app.inject('/')).headers.vary, 'Accept, Cookie')
})
