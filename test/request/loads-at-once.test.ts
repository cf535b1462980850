import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import t from 'tap'
import type { StoredRecord } from '../../lib/index.ts'
import { getSession, requireSession, session, sessionOf } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, SECRET } from '../helpers/app.ts'

const UNAVAILABLE = { code: 'ERR_SESSION_STORE_UNAVAILABLE' }

/** A store in memory that counts how often it is asked, and can be out of order. */
class CountingStore extends MemoryStore {
  loads = 0
  isDown = false

  override load(key: string): StoredRecord | undefined {
    this.loads++
    if (this.isDown) throw new Error('out of order')
    return super.load(key)
  }
}

/** A visitor with a session, and the store as it is after that. `extend` adds routes and hooks. */
async function create(
  extend: (app: FastifyInstance, end: () => void) => void = () => {},
  options: Parameters<typeof createApp>[0] = {}
) {
  let store = new CountingStore()
  const made = await createApp({
    ...options,
    store: (clock) => {
      store = new CountingStore({ clock, pruneInterval: 0 })
      return store
    }
  })
  const { app } = made
  app.get('/set', async ({ session }) => {
    session.visits = 1
    return session.id
  })
  app.get('/untouched', async () => 'ok')
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/anonymous', { config: { session: { onStoreError: 'anonymous' } } }, async ({ session }) => ({ ...session }))
  let key = ''
  extend(app, () => store.destroy(key))
  const visitor = await createClient(app)
  key = (await visitor.get('/set')).body
  store.loads = 0
  return { ...made, store, visitor, key }
}

t.test('a request that does not use its session does not ask the store', async (t) => {
  const { store, visitor } = await create()
  const decisions = await decisionsOf(async () => {
    t.same(setCookieLines(await visitor.get('/untouched')), [])
  })
  t.same(decisions, ['commit: untouched'])
  t.equal(store.loads, 0)
  t.same((await visitor.get('/read')).json(), { visits: 1 })
  t.equal(store.loads, 1)
})

t.test('unless its activity is to be noted', async (t) => {
  const { store, visitor, clock, key } = await create(undefined, { refreshAfter: 60 })
  clock.advance(60)
  t.equal(setCookieLines(await visitor.get('/untouched')).length, 1)
  t.equal(store.load(key)?.lastSeenAt, Math.floor(clock.now() / 1000))
})

t.test('a session is as it is when it is first used', async (t) => {
  const { visitor } = await create((app, end) => {
    app.get('/late', async (request) => {
      end()
      return Object.keys(request.session)
    })
  })
  t.same((await visitor.get('/late')).json(), [])
})

t.test('a hook after the reply can use it', async (t) => {
  const seen: unknown[] = []
  const { visitor } = await create((app) => {
    app.addHook('onResponse', async (request) => void seen.push({ ...sessionOf(request) }))
  })
  await visitor.get('/untouched')
  t.same(seen, [{ visits: 1 }, { visits: 1 }])
})

t.test('a cookie whose session is gone is cleared when that is found out', async (t) => {
  const { app, store, visitor, key, clock } = await create()
  store.destroy(key)
  const cookie = visitor.jar.header()
  const ask = async (url: string) => setCookieLines(await app.inject({ url, headers: { cookie } }))
  t.same(await ask('/untouched'), [])
  t.match(await ask('/read'), [/^session=;/])
  clock.advance(3600)
  t.match(await ask('/untouched'), [/^session=;/], 'because its activity is to be noted')
})

t.test('one that is found out after the reply is left alone', async (t) => {
  const { store, visitor, key } = await create((app) => {
    app.get('/hijacked', (request, reply) => {
      reply.hijack()
      reply.raw.end('ok')
      t.same({ ...request.session }, {})
    })
  })
  store.destroy(key)
  const { body, headers } = await visitor.get('/hijacked')
  t.equal(body, 'ok')
  t.notOk('set-cookie' in headers)
})

t.test('while the store is out of order', async (t) => {
  t.test('who uses the session gets the error, every time, and the store is asked once', async (t) => {
    let caught = 0
    const { store, visitor } = await create((app) => {
      app.addHook('preHandler', async (request) => {
        if (request.url !== '/read' || caught > 0) return
        t.equal(sessionOf(request), undefined)
        for (const _ of [1, 2]) t.throws(() => getSession(request).visits, UNAVAILABLE)
        t.throws(() => ((request as { session: unknown }).session = null), UNAVAILABLE)
        caught++
      })
    })
    store.isDown = true
    const response = await visitor.get('/read')
    t.equal(response.statusCode, 503)
    t.equal(response.headers['retry-after'], '5')
    t.match(response.json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
    t.same([caught, store.loads], [1, 1])
    store.isDown = false
    t.same((await visitor.get('/read')).json(), { visits: 1 })
  })

  t.test('a guard does not let in', async (t) => {
    const { store, visitor } = await create((app) => {
      app.get('/guarded', { preHandler: requireSession('visits') }, async () => 'in')
    })
    t.equal((await visitor.get('/guarded')).body, 'in')
    store.isDown = true
    t.equal((await visitor.get('/guarded')).statusCode, 503)
  })

  t.test('the error handler can look at the session, which is empty', async (t) => {
    const { store, visitor, warnings } = await create((app) => {
      app.setErrorHandler((error: Error & { statusCode?: number }, { session }, reply) =>
        reply.code(error.statusCode ?? 500).send({ session, isNew: session.isNew })
      )
    })
    store.isDown = true
    const response = await visitor.get('/read')
    t.equal(response.statusCode, 503)
    t.same(response.json(), { session: {}, isNew: true })
    t.same(warnings(), [])
  })

  t.test('a log can look at the session before it is loaded and after the reply', async (t) => {
    const store = new CountingStore({ pruneInterval: 0 })
    const lines: { req?: { session: object }; res?: { session: object } }[] = []
    const serializers = {
      req: (request: FastifyRequest) => ({ session: { ...request.session }, of: { ...sessionOf(request) } }),
      res: ({ request }: { request?: FastifyRequest }) => ({ session: { ...request?.session } })
    }
    const stream = { write: (line: string) => void lines.push(JSON.parse(line)) }
    const app = fastify({ logger: { stream, serializers } })
    await app.register(session, { secret: SECRET, store })
    app.get('/set', async (request) => (request.session.visits = 1))
    app.get('/untouched', async () => 'ok')
    app.get('/caught', async (request) => {
      t.throws(() => request.session, UNAVAILABLE)
      return 'ok'
    })
    const visitor = await createClient(app)
    await visitor.get('/set')
    store.isDown = true
    for (const url of ['/untouched', '/caught']) {
      lines.length = 0
      t.equal((await visitor.get(url)).statusCode, 200)
      t.same(
        lines.flatMap(({ req }) => req ?? []),
        [{ session: {}, of: {} }]
      )
      t.same(
        lines.flatMap(({ res }) => res ?? []),
        [{ session: {} }]
      )
    }
    store.isDown = false
    lines.length = 0
    await visitor.get('/untouched')
    t.same(
      lines.flatMap(({ req }) => req ?? []),
      [{ session: { visits: 1 }, of: { visits: 1 } }]
    )
  })

  t.test('a handler that catches the error decides, and nothing is said of the session', async (t) => {
    const { store, visitor } = await create((app) => {
      app.get('/caught', async (request: FastifyRequest) => {
        t.throws(() => request.session, UNAVAILABLE)
        return 'without'
      })
    })
    store.isDown = true
    const decisions = await decisionsOf(async () => {
      const { body, headers } = await visitor.get('/caught')
      t.equal(body, 'without')
      t.notOk('set-cookie' in headers)
    })
    t.same(decisions, ['open: store-unavailable', 'commit: store-unavailable'])
  })

  t.test('a route can do without the session', async (t) => {
    const { store, visitor, logs } = await create()
    store.isDown = true
    const response = await visitor.get('/anonymous')
    t.equal(response.statusCode, 200)
    t.same(response.json(), {})
    t.equal(logs.filter(({ level }) => level === 50).length, 1)
  })

  t.test('a request that does not use its session is served, even if its activity is to be noted', async (t) => {
    const { store, visitor, clock, warnings } = await create((app) => {
      app.get('/later', { onSend: async ({ session }) => void session.visits }, async () => 'ok')
    })
    store.isDown = true
    t.equal((await visitor.get('/untouched')).statusCode, 200)
    t.same(warnings(), [])
    clock.advance(3600)
    const decisions = await decisionsOf(async () => {
      t.equal((await visitor.get('/untouched')).statusCode, 200)
    })
    t.same(decisions, ['open: store-unavailable', 'commit: store-unavailable'])
    t.match(warnings(), [{ reason: 'store-unavailable' }])
    t.equal((await visitor.get('/later')).statusCode, 503, 'a hook that comes later uses it')
  })
})

t.test('a store that breaks the promise is out of order', async (t) => {
  class Broken extends CountingStore {
    override load(key: string): StoredRecord | undefined {
      return Promise.resolve(super.load(key)) as unknown as StoredRecord
    }
  }
  const { app } = await createApp({ store: new Broken() })
  app.get('/', async ({ session }) => (session.visits = 1))
  const visitor = await createClient(app)
  t.equal((await visitor.get('/')).statusCode, 200)
  t.equal((await visitor.get('/')).statusCode, 503)
})
