import type { FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import { areNeighbours, quietHook } from '../../lib/request/send-hooks.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { once, RecordingStore } from '../helpers/recording-store.ts'

for (const { mode, options } of MODES) {
  t.test(`onSend hooks after ours, in ${mode} mode`, async (t) => {
    const { app, warnings } = await createApp(options)
    let act: (session: { visits?: number | undefined; anything?: unknown; destroy(): Promise<void> }) => unknown =
      () => {}
    app.get('/set', async ({ session }) => {
      session.visits = 1
      return ''
    })
    app.get('/read', async ({ session }) => ({ ...session }))
    app.get('/route', { onSend: async ({ session }) => void (await act(session)) }, async () => '')
    app.get('/used', { onSend: [async ({ session }) => void (await act(session))] }, async ({ session }) => {
      session.name = 'Ana'
      return ''
    })
    await app.register(async (scope) => {
      scope.addHook('onSend', async ({ session }) => void (await act(session)))
      scope.get('/scope', async () => '')
    })
    const urls = ['/route', '/used', '/scope']

    t.test('change the session, and the change is kept', async (t) => {
      for (const url of urls) {
        const visitor = await createClient(app)
        act = (session) => (session.visits = (session.visits ?? 0) + 1)
        const response = await visitor.get(url)
        t.equal(setCookieLines(response).length, 1, url)
        const first = url === '/used' ? { name: 'Ana', visits: 1 } : { visits: 1 }
        t.same((await visitor.get('/read')).json(), first, url)
        await visitor.get(url)
        t.same((await visitor.get('/read')).json(), { ...first, visits: 2 }, url)
      }
      t.same(warnings(), [])
    })

    t.test('that only look decide nothing anew', async (t) => {
      const visitor = await createClient(app)
      await visitor.get('/set')
      act = (session) => session.visits
      const decisions = await decisionsOf(async () => {
        t.equal((await visitor.get('/scope')).headers.vary, 'Cookie')
      })
      t.same(decisions.slice(-1), ['commit: unchanged'])
      const used = await decisionsOf(() => visitor.get('/used'))
      t.same(used, ['open: opened', 'commit: changed'])
    })

    t.test('end the session', async (t) => {
      const visitor = await createClient(app)
      for (const url of urls) {
        await visitor.get('/set')
        act = (session) => session.destroy()
        await visitor.get(url)
        t.equal(visitor.jar.get('session'), undefined, url)
      }
    })

    t.test('fail the request with what JSON cannot hold', async (t) => {
      const visitor = await createClient(app)
      act = (session) => (session.anything = 1n)
      t.match((await visitor.get('/route')).json(), { statusCode: 500, code: 'ERR_SESSION_VALUE' })
    })
  })
}

t.test('a change behind the last hook is lost, and the warning is true', async (t) => {
  const { app, warnings } = await createApp()
  app.addHook('onSend', async (request) => {
    if (request.is404) request.session.visits = 1
  })
  const response = await app.inject('/nowhere')
  t.same(setCookieLines(response), [])
  t.match(warnings(), [{ reason: 'headers-sent', msg: /after the headers, or in an onSend hook that runs after/ }])
})

t.test('a session is compared once where no hook comes between ours, and twice elsewhere', async (t) => {
  const { app } = await createApp()
  let comparisons = 0
  const read = async ({ session }: FastifyRequest): Promise<string> => {
    // Whoever compares an object looks whether it has its own JSON.
    Object.defineProperty(session.cart, 'toJSON', { get: () => void comparisons++ })
    return ''
  }
  const later = async (): Promise<void> => {}
  app.get('/set', async ({ session }) => {
    session.cart = { apple: 1 }
    return ''
  })
  app.get('/plain', read)
  app.get('/route', { onSend: later }, read)
  await app.register(async (scope) => {
    scope.get('/scope', read)
    scope.addHook('onSend', later)
  })
  app.addHook('onRoute', (route) => {
    if (route.url === '/last') route.onSend = [later, route.onSend ?? []].flat()
  })
  app.get('/last', read)
  const visitor = await createClient(app)
  await visitor.get('/set')
  const counts: Record<string, number> = {}
  for (const url of ['/plain', '/route', '/scope', '/last']) {
    comparisons = 0
    await visitor.get(url)
    counts[url] = comparisons
  }
  // One of them after the reply, for the warning about late changes.
  t.same(counts, { '/plain': 1 + 1, '/route': 2 + 1, '/scope': 2 + 1, '/last': 2 + 1 })
})

t.test('a change that comes while the store saves is kept, also where no hook comes between ours', async (t) => {
  let store: RecordingStore | undefined
  const { app, warnings } = await createApp({
    store: (clock) => {
      store = new RecordingStore(new MemoryStore({ clock }))
      return store
    }
  })
  app.get('/', async ({ session }) => {
    session.visits = 1
    ;(store as RecordingStore).before = once('create', () => {
      session.visits = 2
    })
    return ''
  })
  app.get('/read', async ({ session }) => ({ ...session }))
  const visitor = await createClient(app)
  await visitor.get('/')
  t.same((await visitor.get('/read')).json(), { visits: 2 })
  t.same(warnings(), [])
})

t.test('where Fastify keeps its hooks in another way, a hook may come between ours', async (t) => {
  const [first, last] = [() => {}, () => {}]
  const app = fastify().addHook('onSend', first)
  await app
  const route = { method: 'GET', url: '/', handler: async () => '', onSend: last }
  t.ok(areNeighbours(first, last, app, route))
  const leavesAlone = quietHook(() => {})
  const quiet = fastify().addHook('onSend', first).addHook('onSend', leavesAlone)
  const loud = fastify().addHook('onSend', first).addHook('onSend', leavesAlone).addHook('onSend', last)
  await Promise.all([quiet, loud])
  t.ok(areNeighbours(first, last, quiet, route), 'a hook that leaves sessions alone')
  t.notOk(areNeighbours(first, last, loud, route))
  t.notOk(areNeighbours(first, last, { [Symbol('fastify.hooks')]: {} } as unknown as typeof app, route))
  t.notOk(areNeighbours(first, last, {} as typeof app, route))
})
