import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { MemoryStore } from '../../lib/index.ts'
import { isReserved, RequestSession } from '../../lib/request/session.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { handleOf } from '../../lib/transport/store-record.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, START } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

const ID = 'A'.repeat(43)

/** Begins the session `ID` for the owner `1`, with what the request has. */
function begin({ session }: FastifyRequest, permanent?: boolean): Promise<void> {
  const inside = session as unknown as RequestSession
  return RequestSession.actionsOf(inside).begin(RequestSession.stateOf(inside), {
    id: ID,
    ownerId: '1',
    permanent,
    timeouts: undefined,
    data: { begun: true },
    kept: session.data()
  })
}

/** Goes on in the session `ID`. Keys that start with an underscore may not stay. */
function adopt({ session }: FastifyRequest): Promise<boolean> {
  const inside = session as unknown as RequestSession
  const mayStay = (key: string): boolean => !key.startsWith('_')
  return RequestSession.actionsOf(inside).adopt(RequestSession.stateOf(inside), inside, ID, mayStay, isReserved)
}

async function create(options: LooseOptions = {}) {
  const store = new RecordingStore(new MemoryStore({ clock: () => START.getTime(), pruneInterval: 0 }))
  const made = await createApp({ ...options, store })
  const { app } = made
  app.get('/cart', async ({ session }) => {
    session.cart = { tea: 1 }
    return ''
  })
  app.get('/data', async ({ session }) => ({ ...session }))
  app.get('/owner', async ({ session }) => session.ownerId ?? 'nobody')
  return { ...made, store, visitor: await createClient(app) }
}

t.test('parallel requests begin one session and go on in it, with one cookie', async (t) => {
  const { app, visitor } = await create()
  app.get('/', async (request) => {
    await begin(request)
    const isThere = await adopt(request)
    const { isNew, ownerId, permanent } = request.session
    return { isThere, isNew, ownerId, permanent, data: request.session.data() }
  })
  await visitor.get('/cart')
  const cookie = visitor.jar.header()
  const replies = await Promise.all(Array.from({ length: 6 }, () => app.inject({ url: '/', headers: { cookie } })))
  for (const reply of replies) {
    t.same(reply.json(), {
      isThere: true,
      isNew: true,
      ownerId: '1',
      permanent: false,
      data: { cart: { tea: 1 }, begun: true }
    })
  }
  t.equal(new Set(replies.map((reply) => String(setCookieLines(reply)))).size, 1)
  t.equal((await app.sessions.list('1')).length, 1)
  t.equal((await app.inject({ url: '/data', headers: { cookie } })).body, '{}', 'the session before it has ended')
})

t.test('data of another version of the schema go on with it', async (t) => {
  const store = new MemoryStore({ clock: () => START.getTime(), pruneInterval: 0 })
  const newer = await createApp({ store, schema: z.looseObject({}), schemaVersion: 2 })
  newer.app.get('/cart', async ({ session }) => {
    session.cart = { tea: 1 }
    return ''
  })
  for (const [options, extensions] of [
    [{ schema: z.looseObject({}) }, ':v2-'],
    [{ schema: z.looseObject({}), schemaVersion: 2 }, ':v2'],
    [{}, ':v2-']
  ] as const) {
    await store.destroy(handleOf(ID))
    const { app } = await createApp({ store, ...options })
    app.get('/', async (request) => {
      await begin(request)
      return adopt(request)
    })
    const visitor = await createClient(newer.app)
    await visitor.get('/cart')
    const { body } = await app.inject({ url: '/', headers: { cookie: visitor.jar.header() } })
    t.equal(body, 'true')
    t.match(store.load(handleOf(ID)), { json: '{"cart":{"tea":1},"begun":true}', extensions })
  }
})

t.test('of a session that another request has ended nothing goes on', async (t) => {
  const { app, store, visitor } = await create()
  app.get('/', async (request) => {
    const { id } = request.session
    await store.inner.destroy(id)
    await begin(request)
    return store.inner.load(handleOf(ID))
  })
  await visitor.get('/cart')
  t.match((await visitor.get('/')).json(), { json: '{"begun":true}' })
})

t.test('what a request has changed itself comes along, as far as it may', async (t) => {
  const { app } = await create()
  app.get('/begin', async (request) => {
    Object.assign(request.session, { name: 'x', _secret: 'theirs' })
    await begin(request, true)
    return ''
  })
  app.get('/', async (request) => {
    const { session } = request
    Object.assign(session, { visits: 1, _secret: 'mine' })
    await adopt(request)
    session.cart = { tea: 1 }
    return session.permanent
  })
  await app.inject('/begin')
  const visitor = await createClient(app)
  t.equal((await visitor.get('/')).body, 'true')
  const expected = { name: 'x', begun: true, visits: 1, _secret: 'theirs', cart: { tea: 1 } }
  t.same((await visitor.get('/data')).json(), expected)
})

t.test('a session that has ended is not gone on in: the request keeps its own', async (t) => {
  const { app, visitor } = await create()
  app.get('/', async (request) => adopt(request))
  await visitor.get('/cart')
  t.equal((await visitor.get('/')).body, 'false')
  t.same((await visitor.get('/data')).json(), { cart: { tea: 1 } })
  t.equal((await visitor.get('/owner')).body, 'nobody')
})

t.test('a hijacked reply has the cookie, too', async (t) => {
  const { app } = await create()
  app.get('/', async (request, reply) => {
    await begin(request)
    await adopt(request)
    reply.hijack()
    reply.raw.end('raw')
  })
  const reply = await app.inject('/')
  t.equal(setCookieLines(reply).length, 1)
  t.equal(reply.headers.vary, 'Cookie')
})

t.test('a store that fails, and data that cannot be stored, are no session of another request', async (t) => {
  const { app, store } = await create()
  app.get('/', async (request) => begin(request))
  app.get('/odd', async (request) => {
    Object.assign(request.session, { name: new Map() })
    await begin(request)
  })
  t.match((await app.inject('/odd')).json(), { code: 'ERR_SESSION_VALUE' })
  store.before = () => Promise.reject(new Error('down'))
  t.match((await app.inject('/')).json(), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
})

t.test('a session that has got a new id since is not gone on in, and nothing else begins', async (t) => {
  const { app, visitor } = await create()
  app.get('/begin', async (request) => {
    await begin(request)
    await adopt(request)
    return ''
  })
  app.get('/renew', async ({ session }) => session.renew())
  app.get('/late', async (request) => {
    request.session.visits = 1
    return adopt(request)
  })
  await visitor.get('/begin')
  await visitor.get('/renew')
  const late = await app.inject('/late')
  t.equal(late.body, 'false')
  t.same(setCookieLines(late), [])
  t.same((await visitor.get('/data')).json(), { begun: true })
})

t.test(
  'with a schema, data of another version are migrated, and what it refuses begins and goes on nowhere',
  async (t) => {
    const schema = z.looseObject({ count: z.number().optional() })
    const migrations = { 2: ({ visits, ...others }: Record<string, unknown>) => ({ ...others, count: visits }) }
    const options = { schema, schemaVersion: 2, migrations }
    const { app, store, visitor } = await create(options)
    app.get('/begin', async (request) => begin(request))
    app.get('/wrong', async (request) => {
      Object.assign(request.session, { count: 'many' })
      await begin(request)
    })
    app.get('/adopt', async (request) => [await adopt(request), request.session.data()])
    t.match((await visitor.get('/wrong')).json(), { code: 'ERR_SESSION_SCHEMA' })
    await visitor.get('/begin')
    t.same((await visitor.get('/adopt')).json(), [true, { begun: true }])
    const write = (visits: string) =>
      store.inner.commit(handleOf(ID), { set: { visits }, unset: ['count'], extensions: ':v1' }, 2_000_000_000)
    await write('3')
    t.same((await (await createClient(app)).get('/adopt')).json(), [true, { begun: true, count: 3 }])
    await write('"many"')
    t.same((await (await createClient(app)).get('/adopt')).json(), [false, {}])
  }
)
