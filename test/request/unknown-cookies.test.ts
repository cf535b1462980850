import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

t.test('the store is asked nothing for a cookie that cannot be one of ours', async (t) => {
  const { app, store, visitor } = await createVisited()
  const good = visitor.jar.header()
  const byValue = await createApp()
  const encrypted = await createApp({ encrypt: true })
  const foreign: string[] = []
  for (const { app: other } of [byValue, encrypted]) {
    other.get('/', async ({ session }) => {
      session.visits = 1
      return ''
    })
    const stranger = await createClient(other)
    await stranger.get('/')
    foreign.push(stranger.jar.header())
  }
  const headers = [
    undefined,
    '',
    'other=1',
    `xsession=${good.slice(8)}`,
    ...foreign,
    `${good.slice(0, -1)}${good.endsWith('A') ? 'B' : 'A'}`,
    good.slice(0, -1),
    `${good}x`,
    good.replace('=r2', '=r3'),
    'session=../../../../etc/passwd',
    'session=\0',
    'session=a\r\nSet-Cookie: x=1',
    `session=${'x'.repeat(10_000)}`,
    `session=r2${'x'.repeat(10_000)}`,
    'session='
  ]
  for (const cookie of headers) {
    for (const url of ['/untouched', '/read']) {
      const response = await app.inject({ url, headers: cookie === undefined ? {} : { cookie } })
      t.equal(response.statusCode, 200)
      t.same(setCookieLines(response), [])
    }
  }
  t.same(store.takeCalls(), [])
})

t.test('nor for a route without sessions', async (t) => {
  const { app, store, visitor } = await createVisited()
  app.get('/off', { config: { session: false } }, async ({ session }) => ({ ...session }))
  t.same((await visitor.get('/off')).json(), {})
  t.same(store.takeCalls(), [])
})

t.test('an id that the store does not know is never taken over', async (t) => {
  const { app, store, visitor, key, recordOf } = await createVisited()
  const stale = visitor.jar.header()
  await store.inner.destroy(key)
  let response = await app.inject({ url: '/read', headers: { cookie: stale } })
  t.same(response.json(), {})
  const decisions = await decisionsOf(async () => {
    response = await app.inject({ url: '/set', headers: { cookie: stale } })
  })
  t.same(decisions, ['open: not-found', 'commit: created'])
  t.not(response.body, key)
  t.equal(setCookieLines(response).length, 1)
  t.not(setCookieLines(response)[0]?.split(';')[0], stale)
  t.equal(await recordOf(key), undefined)
})
