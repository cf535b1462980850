import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply } from 'fastify'
import fastify from 'fastify'
import type * as Tap from 'tap'
import t from 'tap'
import type { HandshakeHost } from '../../lib/request/websocket.ts'
import { WebSocketHandshake } from '../../lib/request/websocket.ts'
import { close, listen, shakeHands } from '../helpers/sockets.ts'

/** An application with upgrades for each of the hosts, as the plugin adds them. */
async function createApp(
  t: Tap.Test,
  hosts: readonly HandshakeHost[],
  plugins = [websocket]
): Promise<FastifyInstance> {
  const app = fastify()
  for (const plugin of plugins) await app.register(plugin)
  for (const host of hosts) {
    const upgrades = new WebSocketHandshake(host)
    app.addHook('onRoute', (route) => upgrades.prepare(route))
    app.addHook('onRequest', async (request, reply) => upgrades.expect(request, reply))
  }
  t.teardown(() => app.close())
  return app
}

t.test('a session is kept after all other hooks, and its cookie goes with the 101', async (t) => {
  const steps: string[] = []
  const host: HandshakeHost = {
    async finish(_request, reply) {
      await new Promise(setImmediate)
      steps.push('kept')
      reply.header('set-cookie', 'session=1; Path=/')
    }
  }
  const app = await createApp(t, [host])
  const note = (step: string) => async () => void steps.push(step)
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
    t.same(setCookies, ['session=1; Path=/'])
    t.same(steps, ['scope', ...guards, 'kept', 'handler'], path)
    await close(socket)
  }
  t.equal(app.websocketServer.listenerCount('headers'), 1, 'one listener for all of them')
  steps.length = 0
  await app.inject('/both')
  t.same(steps, ['scope', 'guard', 'plain'], 'what stays HTTP is kept by its onSend hook')
})

t.test('whoever asks is told that the headers are gone', async (t) => {
  const app = await createApp(t, [{ finish() {} }])
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
  const lines = ['own=0', 'one=1', 'two=2']
  const [own, ...sessions] = lines
  const finish = (line: string) => (_request: unknown, reply: FastifyReply) => void reply.header('set-cookie', line)
  const app = await createApp(
    t,
    sessions.map((line) => ({ finish: finish(line) }))
  )
  const preHandler = async (_request: unknown, reply: FastifyReply) => void reply.header('set-cookie', own)
  app.get('/', { websocket: true, preHandler }, () => {})
  const { setCookies, socket } = await shakeHands(await listen(app))
  t.same(setCookies, lines)
  await close(socket)
})

t.test('what cannot be kept refuses the upgrade', async (t) => {
  const host: HandshakeHost = {
    finish() {
      throw new Error('cannot be kept')
    }
  }
  const app = await createApp(t, [host])
  app.get('/', { websocket: true }, () => t.fail())
  t.equal((await shakeHands(await listen(app))).status, 500)
})

t.test('what has nothing to do with WebSockets is left alone', async (t) => {
  const host: HandshakeHost = { finish: () => void t.fail() }
  const upgrade = { connection: 'upgrade', upgrade: 'websocket' }
  for (const plugins of [[], [websocket]]) {
    const app = await createApp(t, [host], plugins)
    const preHandler = async (): Promise<void> => {}
    app.addHook('onRoute', (route) => {
      t.equal(route.preHandler, preHandler)
    })
    app.get('/', { preHandler }, async () => 'ok')
    t.equal((await app.inject('/')).body, 'ok')
    t.equal((await app.inject({ url: '/', headers: upgrade })).body, 'ok')
    if (plugins.length > 0) t.ok(app.websocketServer.emit('headers', [], {}), "somebody else's upgrade")
  }
  const app = await createApp(t, [host], [])
  app.decorate('websocketServer' as never, 'something else' as never)
  app.get('/', async () => 'ok')
  t.equal((await app.inject({ url: '/', headers: upgrade })).body, 'ok')
})
