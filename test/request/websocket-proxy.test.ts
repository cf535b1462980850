import { once } from 'node:events'
import { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import proxy from '@fastify/http-proxy'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { getSession, session } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { createApp, createStoredApp, MODES, SECRET } from '../helpers/app.ts'
import { close, listen, shakeHands } from '../helpers/sockets.ts'

/** A server whose sockets repeat what they hear. */
async function startUpstream(t: Test): Promise<string> {
  const upstream = fastify({ forceCloseConnections: true })
  await upstream.register(websocket)
  upstream.get('/*', { websocket: true }, (socket) => {
    socket.on('message', (data) => socket.send(`${data} ${data}`))
  })
  t.teardown(() => upstream.close())
  return listen(upstream)
}

async function visit({ session }: FastifyRequest): Promise<void> {
  session.visits = (session.visits ?? 0) + 1
}

/** Adds a proxy for everything below `/up`, and serves the application. */
async function serve(t: Test, app: FastifyInstance, preHandler = visit): Promise<string> {
  t.teardown(() => app.close())
  app.get('/read', async ({ session }) => session)
  await app.register(proxy, { upstream: await startUpstream(t), prefix: '/up', websocket: true, preHandler })
  return listen(app)
}

for (const { mode, options } of MODES) {
  t.test(`what the preHandler of a proxied WebSocket changes is saved: ${mode} sessions`, async (t) => {
    const { app } = await createApp(options)
    const address = await serve(t, app)
    const visitor = await createClient(app)
    for (const visits of [1, 2]) {
      const { status, setCookies, socket } = await shakeHands(`${address}/up/x`, { cookie: visitor.jar.header() })
      t.equal(status, 101)
      visitor.jar.take({ headers: { 'set-cookie': setCookies } })
      t.same((await visitor.get('/read')).json(), { visits })
      const answered = once(socket, 'message')
      socket.send('hello')
      t.equal(String((await answered)[0]), 'hello hello')
      await close(socket)
    }
  })
}

t.test('each session sends its own cookie', async (t) => {
  const { app } = await createApp()
  await app.register(session, { secret: SECRET, decorator: 'adminSession', cookieName: 'admin' })
  const address = await serve(t, app, async (request) => {
    await visit(request)
    getSession<{ level: number }>(request, 'adminSession').level = 1
  })
  for (const path of ['/up', '/up/x']) {
    const { setCookies, socket } = await shakeHands(address + path)
    t.equal(setCookies.length, 2)
    t.match(setCookies, [/^session=s2/, /^admin=s2/])
    await close(socket)
  }
})

t.test('what cannot be saved refuses the proxied upgrade', async (t) => {
  const { app, store } = await createStoredApp()
  const address = await serve(t, app, async (request) => {
    if (request.url.endsWith('/map')) request.session.anything = new Map()
    else await visit(request)
  })
  t.equal((await shakeHands(`${address}/up/map`)).status, 500)
  store.before = () => Promise.reject(new Error('down'))
  t.equal((await shakeHands(`${address}/up/x`)).status, 503)
})

t.test('any other upgrade that passes through a route is saved before its handler', async (t) => {
  const { app, store } = await createStoredApp()
  const handled: string[] = []
  app.server.on('upgrade', (raw, socket) => {
    const response = new ServerResponse(raw)
    response.assignSocket(socket as Socket)
    response.on('finish', () => socket.destroy())
    app.routing(raw, response)
  })
  app.get('/', { preHandler: visit }, async (_request, reply: FastifyReply) => {
    handled.push(...store.takeMethods())
    return reply.code(426).send('no')
  })
  t.teardown(() => app.close())
  const { status, setCookies } = await shakeHands(await listen(app))
  t.equal(status, 426)
  t.equal(setCookies.length, 1, 'and a refusal has its cookie')
  t.same(handled, ['create'])
})
