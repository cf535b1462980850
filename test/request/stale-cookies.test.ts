import type { InjectOptions } from 'fastify'
import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf } from '../helpers/app.ts'
import { barrier } from '../helpers/barrier.ts'
import { once } from '../helpers/recording-store.ts'
import { createVisited } from '../helpers/visited-app.ts'

const CLEARED = ['session=; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT; Path=/; HttpOnly; SameSite=Lax']

/** An application whose store has lost the session of a browser. */
async function createStale(options: Parameters<typeof createVisited>[0] = {}) {
  const made = await createVisited(options)
  const { app, store, visitor, key } = made
  const cookie = visitor.jar.header()
  await store.inner.destroy(key)
  app.get('/public', async (_request, reply) => reply.header('cache-control', 'public, max-age=60').send(''))
  const ask = (url: string, headers: InjectOptions['headers'] = {}) =>
    app.inject({ url, headers: { ...headers, cookie } })
  return { ...made, cookie, ask }
}

t.test('a cookie whose session is gone is cleared, whether or not the handler looks', async (t) => {
  const { ask } = await createStale()
  for (const url of ['/untouched', '/read', '/nowhere', '/untouched']) {
    const decisions = await decisionsOf(async () => {
      const response = await ask(url)
      t.same(setCookieLines(response), CLEARED, url)
      t.match(response.headers, { 'cache-control': 'no-store', vary: 'Cookie' }, url)
    })
    t.same(decisions, ['open: not-found', 'commit: stale'], url)
  }
})

t.test('not on a reply that a shared cache may keep', async (t) => {
  const { ask } = await createStale()
  const decisions = await decisionsOf(async () => {
    const response = await ask('/public')
    t.same(setCookieLines(response), [])
    t.equal(response.headers['cache-control'], 'public, max-age=60')
  })
  t.same(decisions, ['open: not-found', 'commit: stale', 'commit: withheld'])
  t.same(setCookieLines(await ask('/untouched')), CLEARED, 'the next one can')
})

t.test('not where the session has a new id, or the store does not answer, or the route has none', async (t) => {
  const { app, visitor, store } = await createVisited()
  app.get('/off', { config: { session: false } }, async () => '')
  const old = visitor.jar.header()
  t.same(setCookieLines(await app.inject({ url: '/off', headers: { cookie: old } })), [])
  await visitor.get('/renew')
  t.same(setCookieLines(await app.inject({ url: '/untouched', headers: { cookie: old } })), [])
  store.before = once('load', () => {
    throw new Error('down')
  })
  const response = await visitor.get('/untouched')
  t.equal(response.statusCode, 503)
  t.same(setCookieLines(response), [])
})

t.test('not among several cookies: another may be that of another program', async (t) => {
  const { app, cookie } = await createStale()
  t.same(setCookieLines(await app.inject({ url: '/read', headers: { cookie: `${cookie}; session=other` } })), [])
})

t.test('a late request does not clear what the reply of another has set', async (t) => {
  const { app, ask, clock } = await createStale()
  const meet = barrier(2)
  app.get('/slow', async () => {
    await meet()
    return ''
  })
  const slow = ask('/slow')
  const login = await ask('/set')
  t.match(setCookieLines(login), [/^session=r/])
  await meet()
  t.same(setCookieLines(await slow), [], 'it was under way then')
  t.same(setCookieLines(await ask('/untouched')), [], 'it came later')
  clock.advance(61)
  t.same(setCookieLines(await ask('/untouched')), CLEARED, 'no browser sends the old one for so long')
})

t.test('nor what a reply sets that is still to come', async (t) => {
  const { ask, store } = await createStale()
  const saving = barrier(2)
  store.before = once('create', saving)
  const login = ask('/set')
  while (!store.takeMethods().includes('create')) await new Promise(setImmediate)
  t.same(setCookieLines(await ask('/untouched')), [])
  await saving()
  t.match(setCookieLines(await login), [/^session=r/])
})

t.test('nor what a login has set after a logout that the late request does not know of', async (t) => {
  const { app, visitor } = await createVisited()
  const old = visitor.jar.header()
  await visitor.get('/logout')
  await visitor.get('/set')
  t.same(setCookieLines(await app.inject({ url: '/untouched', headers: { cookie: old } })), [])
})

t.test(
  'what a script fetches clears nothing, because it may overlap with a login elsewhere; a page does',
  async (t) => {
    const { ask } = await createStale()
    for (const mode of ['cors', 'same-origin', 'no-cors']) {
      t.same(setCookieLines(await ask('/untouched', { 'sec-fetch-mode': mode })), [], mode)
    }
    t.same(setCookieLines(await ask('/untouched', { 'sec-fetch-mode': 'navigate' })), CLEARED)
  }
)

t.test('without a store there is no session that could be gone', async (t) => {
  const { app, clock } = await createApp({ idleTimeout: 100 })
  app.get('/set', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/read', async ({ session }) => ({ ...session }))
  const visitor = await createClient(app)
  await visitor.get('/set')
  clock.advance(101)
  t.same(setCookieLines(await visitor.get('/read')), [])
})
