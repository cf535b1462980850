import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import type { DefaultEventsMap } from 'socket.io'
import { Server } from 'socket.io'
import type { Socket } from 'socket.io-client'
import { io as connect } from 'socket.io-client'
import type * as Tap from 'tap'
import t from 'tap'
import { WebSocketServer } from 'ws'
import type { RawSession } from '../../lib/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import type { Client } from '../../lib/testing/create-client.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, createStoredApp, MODES, REVOCABLE } from '../helpers/app.ts'
import { when } from '../helpers/fake-time.ts'
import { openRedis } from '../helpers/redis.ts'
import { listen, shakeHands } from '../helpers/sockets.ts'

type Sockets = Server<DefaultEventsMap, DefaultEventsMap, DefaultEventsMap, { session: RawSession }>

interface Site {
  readonly app: FastifyInstance
  readonly io: Sockets
  readonly signals: AbortSignal[]
  readonly url: string
}

/** An application with Socket.IO, whose sockets say whose they are, and close with their sessions. */
async function serve(t: Tap.Test, options: LooseOptions): Promise<Site> {
  const { app } = await createApp(options)
  app.post('/login', async ({ session }) => {
    session.setOwner('7')
    session.userId = 7
    return 'hello'
  })
  app.post('/renew', async ({ session }) => session.renew())
  app.post('/logout', async ({ session }) => session.destroy())
  const signals: AbortSignal[] = []
  const io: Sockets = new Server(app.server)
  io.use(async (socket, next) => {
    const session = await app.sessions.ofRaw(socket.request)
    if (session?.data.userId === undefined) return next(new Error('Log in first.'))
    socket.data.session = session
    next()
  })
  io.on('connection', (socket) => {
    const { session } = socket.data
    session.signal.addEventListener('abort', () => socket.disconnect(true))
    signals.push(session.signal)
    socket.on('disconnect', () => session.release())
    socket.on('who', (answer) => answer(session.data.userId))
  })
  app.addHook('preClose', (done) => {
    io.local.disconnectSockets(true)
    done()
  })
  t.teardown(() => app.close())
  return { app, io, signals, url: await listen(app) }
}

type Transports = readonly ('polling' | 'websocket')[]
const EVERY_WAY: readonly Transports[] = [['websocket'], ['polling'], ['polling', 'websocket']]

function open(t: Tap.Test, { url }: Site, visitor: Client, transports: Transports): Socket {
  const socket = connect(url, {
    transports: [...transports],
    extraHeaders: { cookie: visitor.jar.header() },
    forceNew: true,
    reconnection: false
  })
  t.teardown(() => socket.close())
  return socket
}

/** Resolves to the message of an error, or the reason of an end. The emitter of Socket.IO is one of its own. */
function heard(socket: Socket, name: 'connect' | 'connect_error' | 'disconnect'): Promise<string> {
  return new Promise((resolve) => {
    socket.once(name, (told?: Error | string) => resolve(told instanceof Error ? told.message : String(told)))
  })
}

async function login(app: FastifyInstance): Promise<Client> {
  const visitor = await createClient(app)
  await visitor.post('/login')
  return visitor
}

for (const { mode, options } of [...MODES, ...REVOCABLE]) {
  t.test(`${mode}: a socket of Socket.IO knows its user, and closes when the session ends`, async (t) => {
    const site = await serve(t, options)
    for (const transports of EVERY_WAY) {
      const visitor = await login(site.app)
      const socket = open(t, site, visitor, transports)
      t.equal(await socket.emitWithAck('who'), 7, transports.join())
      await visitor.post('/renew')
      t.equal(await socket.emitWithAck('who'), 7)
      const closed = heard(socket, 'disconnect')
      await visitor.post('/logout')
      await closed
      t.equal(await heard(open(t, site, visitor, transports), 'connect_error'), 'Log in first.')
    }
  })
}

t.test('a socket that has changed its connection closes with its session all the same', async (t) => {
  const site = await serve(t, {})
  const visitor = await login(site.app)
  const socket = open(t, site, visitor, ['polling', 'websocket'])
  await heard(socket, 'connect')
  const [there] = [...site.io.sockets.sockets.values()]
  await when(() => there?.conn.transport.name === 'websocket')
  const handshake = there?.request.socket
  handshake?.destroy()
  await when(() => handshake?.closed === true)
  t.equal(await socket.emitWithAck('who'), 7)
  const closed = heard(socket, 'disconnect')
  await visitor.post('/logout')
  await closed
})

t.test('nothing is kept for a socket that has gone', async (t) => {
  const site = await serve(t, {})
  for (const transports of EVERY_WAY) {
    const visitor = await login(site.app)
    const socket = open(t, site, visitor, transports)
    t.equal(await socket.emitWithAck('who'), 7)
    socket.close()
    await when(() => site.io.sockets.sockets.size === 0)
    await visitor.post('/logout')
    t.equal(site.signals.at(-1)?.aborted, false)
  }
})

t.test('a plain WebSocket server has the session of the upgrade, until either ends', async (t) => {
  const { app, store } = await createStoredApp()
  app.post('/login', async ({ session }) => {
    session.userId = 7
    return ''
  })
  app.post('/logout', async ({ session }) => session.destroy())
  const sockets = new WebSocketServer({ noServer: true })
  const signals: AbortSignal[] = []
  app.server.on('upgrade', async (request: IncomingMessage, connection: Duplex, head: Buffer) => {
    const session = await app.sessions.ofRaw(request).catch(() => undefined)
    if (session === undefined) return connection.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n')
    sockets.handleUpgrade(request, connection, head, (socket) => {
      signals.push(session.signal)
      session.signal.addEventListener('abort', () => socket.close(4401, 'session ended'))
      socket.on('message', () => socket.send(`${session.data.userId}`))
    })
  })
  t.teardown(() => app.close())
  const url = await listen(app)
  t.equal((await shakeHands(url)).status, 401)
  const visitor = await login(app)
  const headers = { cookie: visitor.jar.header() }
  store.before = () => {
    throw new Error('down')
  }
  t.equal((await shakeHands(url, headers)).status, 401)
  store.before = () => undefined

  const [one, other] = [await shakeHands(url, headers), await shakeHands(url, headers)]
  one.socket.send('')
  t.equal(String((await once(one.socket, 'message'))[0]), '7')
  const [server] = [...sockets.clients]
  const gone = once(server as object as NodeJS.EventEmitter, 'close')
  one.socket.close()
  await gone
  const closed = once(other.socket, 'close')
  await visitor.post('/logout')
  t.equal((await closed)[0], 4401)
  t.same(
    signals.map(({ aborted }) => aborted),
    [false, true],
    'the signal of the socket that had gone was let go'
  )
})

const redis = await openRedis(t, 'sockets of two processes with Redis')
if (redis !== undefined) {
  const { host, port } = redis.options as { host: string; port: number }

  t.test('a socket closes when another process ends its session', async (t) => {
    const store = (): RedisStore => {
      const client = new Redis({ host, port })
      t.teardown(() => client.disconnect())
      return new RedisStore({ client })
    }
    // It would take an hour to look.
    const options = { clock: () => Date.now(), signalInterval: 3600 } as LooseOptions
    const here = await serve(t, { ...options, store: store() })
    const there = await serve(t, { ...options, store: store() })
    let told = 0
    there.app.sessions.onEnded(() => told++)
    await when(async () => {
      await (await login(here.app)).post('/logout')
      return told > 0
    })
    for (const transports of EVERY_WAY) {
      const visitor = await login(here.app)
      const socket = open(t, there, visitor, transports)
      t.equal(await socket.emitWithAck('who'), 7)
      const closed = heard(socket, 'disconnect')
      await visitor.post('/renew')
      await visitor.post('/logout')
      await closed
      t.pass(transports.join())
    }
  })
}
