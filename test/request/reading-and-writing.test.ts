import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { once } from '../helpers/recording-store.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options, isRemote, isSelfContained } of MODES) {
  /** How many cookies a change of data sends. */
  const oneIfSelfContained = isSelfContained ? 1 : 0

  t.test(`${mode} sessions`, async (t) => {
    t.test('what is set is there at the next request, however it was changed', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.visits = 1
        session.nested = { deep: [{ value: 1 }] }
        session.names = ['Ana']
        return 'ok'
      })
      app.get('/deep', async ({ session }) => {
        session.nested?.deep.push({ value: 2 })
        return 'ok'
      })
      app.get('/drop', async ({ session }) => {
        delete session.names
        return 'ok'
      })
      app.get('/read', async ({ session }) => session)
      const visitor = await createClient(app)
      t.equal(setCookieLines(await visitor.get('/set')).length, 1)
      for (const url of ['/deep', '/drop']) {
        t.equal(setCookieLines(await visitor.get(url)).length, oneIfSelfContained, url)
      }
      const response = await visitor.get('/read')
      t.same(response.json(), { visits: 1, nested: { deep: [{ value: 1 }, { value: 2 }] } })
      t.same(setCookieLines(response), [], 'reading never writes')
    })

    t.test('no cookie is sent for a session that was not looked at, only read, or left as it was', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.cart = { b: 2, a: 1 }
        return 'ok'
      })
      app.get('/untouched', async () => 'ok')
      app.get('/read', async ({ session }) => session.cart)
      app.get('/same', async ({ session }) => {
        session.cart = { b: 2, a: 1 }
        return 'ok'
      })
      const visitor = await createClient(app)
      const anonymous = await visitor.get('/read')
      t.same(setCookieLines(anonymous), [], 'an anonymous visitor gets none')
      await visitor.get('/set')
      const decisions = await decisionsOf(async () => {
        for (const url of ['/untouched', '/read', '/same']) {
          t.same(setCookieLines(await visitor.get(url)), [], url)
        }
      })
      t.same(decisions, [
        ...(isRemote ? ['open: opened', 'commit: untouched'] : ['commit: untouched']),
        ...Array.from({ length: 2 }, () => ['open: opened', 'commit: unchanged']).flat()
      ])
    })

    t.test('the same data in another order of keys are no change', async (t) => {
      const { app } = await createApp(options)
      app.get('/set', async ({ session }) => {
        session.cart = { b: 2, a: 1 }
        session.visits = 12
        return ''
      })
      app.get('/reordered', async ({ session }) => {
        session.cart = { a: 1, b: 2 }
        session.visits = session.pop('visits')
        return ''
      })
      app.get('/permuted', async ({ session }) => {
        session.visits = 21
        return ''
      })
      app.get('/', async ({ session }) => session)
      const visitor = await createClient(app)
      await visitor.get('/set')
      t.same(setCookieLines(await visitor.get('/reordered')), [])
      t.equal(setCookieLines(await visitor.get('/permuted')).length, oneIfSelfContained)
      t.same((await visitor.get('/')).json(), { cart: { b: 2, a: 1 }, visits: 21 })
    })
  })
}

t.test('who only reads costs one load, and so does who does not look', async (t) => {
  const { store, visitor, key } = await createVisited()
  for (const url of ['/read', '/untouched']) {
    const response = await visitor.get(url)
    t.same(store.takeCalls(), [['load', key]], url)
    t.same(setCookieLines(response), [])
    t.equal(response.headers['cache-control'], undefined)
    t.equal(response.headers.vary, url === '/read' ? 'Cookie' : undefined)
  }
})

t.test('a change is one commit of what changed and nothing else, and sends no cookie', async (t) => {
  const { app, store, visitor, key, clock, recordOf } = await createVisited()
  const now = clock.now() / 1000
  app.get('/change', async ({ session }, reply) => {
    session.visits = 2
    delete session.name
    session.cart = { a: 1 }
    reply.header('cache-control', 'public, max-age=60')
    return ''
  })
  app.get('/nested', async ({ session }) => {
    if (session.cart !== undefined) session.cart.b = 2
    return ''
  })
  let response = await visitor.get('/change')
  const unchanged = { permanent: undefined, lastSeenAt: undefined }
  t.same(store.takeCalls(), [
    ['load', key],
    ['commit', key, { set: { visits: '2', cart: '{"a":1}' }, unset: ['name'], ...unchanged }, now + 86_400, undefined]
  ])
  t.same(setCookieLines(response), [])
  t.equal(response.headers['cache-control'], 'public, max-age=60')
  clock.advance(5)
  response = await visitor.get('/nested')
  t.same(store.takeCalls()[1], [
    'commit',
    key,
    { set: { cart: '{"a":1,"b":2}' }, unset: [], permanent: undefined, lastSeenAt: now + 5 },
    now + 86_405,
    undefined
  ])
  t.equal(response.headers['cache-control'], undefined)
  t.same(setCookieLines(response), [])
  t.same(await recordOf(key), { visits: 2, cart: { a: 1, b: 2 } })
})

t.test('two requests that change different keys at the same time both win', async (t) => {
  const { app, visitor, store, key, recordOf } = await createVisited()
  app.get('/role', async ({ session }) => {
    session.role = 'guest'
    return ''
  })
  let others = Promise.resolve()
  store.before = once('commit', () => {
    others = visitor.get('/role').then(() => {})
    return others
  })
  await visitor.get('/count')
  await others
  t.same(await recordOf(key), { visits: 2, name: 'Ana', role: 'guest' })
})
