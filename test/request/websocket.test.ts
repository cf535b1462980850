import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import { getSession, session } from '../../lib/index.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { createApp as createDueApp, SECRET } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'
import { close, listen, shakeHands } from '../helpers/sockets.ts'

/** An application with a session in a store, and an `adminSession` in a cookie. */
async function createApp(t: Tap.Test, plugins = [websocket]): Promise<{ app: FastifyInstance; store: RecordingStore }> {
  const app = fastify()
  const store = new RecordingStore(new MemoryStore({ pruneInterval: 0 }))
  for (const plugin of plugins) await app.register(plugin)
  await app.register(session, { secret: SECRET, store })
  await app.register(session, { secret: SECRET, decorator: 'adminSession', cookieName: 'admin' })
  t.teardown(() => app.close())
  return { app, store }
}

async function visit({ session }: FastifyRequest): Promise<void> {
  session.visits = 1
}

t.test('a session is kept after all other hooks, and its cookie goes with the 101', async (t) => {
  const steps: string[] = []
  const { app, store } = await createApp(t)
  store.before = async () => {
    await new Promise(setImmediate)
    steps.push('kept')
  }
  const note = (step: string) => async () => void steps.push(step)
  app.addHook('preHandler', visit)
  app.get('/none', { websocket: true }, note('handler'))
  app.get('/one', { websocket: true, preHandler: note('guard') }, note('handler'))
  app.get('/two', { websocket: true, preHandler: [note('guard'), note('guard')] }, note('handler'))
  app.route({
    method: 'GET',
    url: '/both',
    preHandler: note('guard'),
    handler: note('plain'),
    wsHandler: note('handler')
  })
  app.addHook('preHandler', note('scope'))
  const address = await listen(app)
  for (const [path, guards] of Object.entries({
    '/none': [],
    '/one': ['guard'],
    '/two': ['guard', 'guard'],
    '/both': ['guard']
  })) {
    steps.length = 0
    const { status, setCookies, socket } = await shakeHands(address + path)
    t.equal(status, 101)
    t.equal(setCookies.length, 1)
    t.match(setCookies, [/^session=r2[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/])
    t.same(steps, ['scope', ...guards, 'kept', 'handler'], path)
    await close(socket)
  }
  t.equal(app.websocketServer.listenerCount('headers'), 2, 'one listener of each session for all of them')
  steps.length = 0
  await app.inject('/both')
  t.same(steps, ['scope', 'guard', 'plain', 'kept'], 'what stays HTTP is kept by its onSend hook')
})

t.test('whoever asks is told that the headers are gone', async (t) => {
  const { app } = await createApp(t)
  let raw: FastifyReply['raw'] | undefined
  const preHandler = async (_request: unknown, reply: FastifyReply): Promise<void> => {
    raw = reply.raw
    t.equal(raw.headersSent, false)
  }
  app.get('/', { websocket: true, preHandler }, () => {
    t.equal(raw?.headersSent, true)
  })
  const { setCookies, socket } = await shakeHands(await listen(app))
  t.same(setCookies, [], 'and no cookie is sent where there is none')
  await close(socket)
})

t.test('each session sends its own cookie, and all those that hooks have set, once', async (t) => {
  const { app } = await createApp(t)
  const preHandler = async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    reply.header('set-cookie', 'own=0')
    request.session.visits = 1
    getSession<{ level: number }>(request, 'adminSession').level = 1
  }
  app.get('/', { websocket: true, preHandler }, () => {})
  const { setCookies, socket } = await shakeHands(await listen(app))
  t.equal(setCookies.length, 3)
  t.match(setCookies, ['own=0', /^session=r2/, /^admin=s2/])
  await close(socket)
})

t.test('what cannot be kept refuses the upgrade', async (t) => {
  const { app } = await createApp(t)
  const preHandler = async ({ session }: FastifyRequest): Promise<void> => {
    session.anything = new Map()
  }
  app.get('/', { websocket: true, preHandler }, () => t.fail())
  t.equal((await shakeHands(await listen(app))).status, 500)
})

t.test('what has nothing to do with WebSockets is left alone', async (t) => {
  const upgrade = { connection: 'upgrade', upgrade: 'websocket' }
  for (const plugins of [[], [websocket]]) {
    const { app, store } = await createApp(t, plugins)
    app.get('/', { preHandler: async () => {} }, async () => 'ok')
    t.equal((await app.inject('/')).body, 'ok')
    t.equal((await app.inject({ url: '/', headers: upgrade })).body, 'ok')
    t.same(store.takeCalls(), [])
    if (plugins.length === 0) continue
    const lines: string[] = []
    t.ok(app.websocketServer.emit('headers', lines, {}), "somebody else's upgrade")
    t.same(lines, [])
  }
  const { app } = await createApp(t, [])
  app.decorate('websocketServer' as never, 'something else' as never)
  app.get('/', async () => 'ok')
  t.equal((await app.inject({ url: '/', headers: upgrade })).body, 'ok')
})

t.test('activity that is due goes out with the 101', async (t) => {
  const { app, clock } = await createDueApp()
  t.teardown(() => app.close())
  await app.register(websocket)
  app.get('/set', visit)
  app.get('/socket', { websocket: true }, () => {})
  const address = await listen(app)
  const visitor = await createClient(app)
  await visitor.get('/set')
  clock.advance(61)
  const { setCookies, socket } = await shakeHands(`${address}/socket`, { cookie: visitor.jar.header() })
  t.match(setCookies, [/^session=[\w.-]{20,};/])
  await close(socket)
})
