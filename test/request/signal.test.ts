import { once } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import fastify from 'fastify'
import t from 'tap'
import { getSession, session } from '../../lib/index.ts'
import { RequestSession } from '../../lib/request/session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { createApp, createStoredApp, MODES, REVOCABLE, SECRET } from '../helpers/app.ts'
import { close, listen, shakeHands } from '../helpers/sockets.ts'

const reasonOf = ({ aborted, reason }: AbortSignal): string | undefined => (aborted ? reason.reason : undefined)

t.test('a session has one signal, which aborts when the session is destroyed', async (t) => {
  for (const { mode, options } of MODES) {
    const { app } = await createApp(options)
    app.get('/', async ({ session }) => {
      const { signal } = session
      const before = [signal === session.signal, signal.aborted]
      await session.destroy()
      return [...before, reasonOf(signal), reasonOf(session.signal)]
    })
    const cookie = await sessionCookie(app, { name: 'Ada' })
    const reply = await app.inject({ url: '/', headers: { cookie } })
    t.same(reply.json(), [true, false, 'destroyed', 'destroyed'], mode)
  }
})

t.test('a session that begins in the place of another one has a signal of its own', async (t) => {
  const { app } = await createApp()
  const signals: AbortSignal[] = []
  app.get('/', async ({ session }) => {
    signals.push(session.signal)
    await session.regenerate()
    signals.push(session.signal)
    session.name = 'Ben'
    return ''
  })
  await app.inject({ url: '/', headers: { cookie: await sessionCookie(app, { name: 'Ada' }) } })
  t.same(signals.map(reasonOf), ['replaced', undefined])
})

t.test('a request that finds its session ended has a signal that says so', async (t) => {
  const { app } = await createStoredApp()
  app.get('/', async ({ session }) => {
    await app.sessions.revoke(session.id)
    session.name = 'Ben'
    await t.rejects(session.commit(), { code: 'ERR_SESSION_GONE' })
    return reasonOf(session.signal)
  })
  const reply = await app.inject({ url: '/', headers: { cookie: await sessionCookie(app, { name: 'Ada' }) } })
  t.equal(reply.body, 'gone')
})

t.test('a session that was retired by somebody else is gone', async (t) => {
  const { app } = await createStoredApp()
  app.get('/', async ({ session }) => {
    await app.sessions.revoke(session.id)
    await session.regenerate()
    return reasonOf(session.signal)
  })
  const cookie = await sessionCookie(app, { name: 'Ada' }, { ownerId: '1' })
  const reply = await app.inject({ url: '/', headers: { cookie } })
  t.equal(reply.body, 'gone')
})

t.test('what was never saved is not looked for', async (t) => {
  const { app, store } = await createStoredApp({ signalInterval: 1 })
  let signal: AbortSignal | undefined
  app.get('/', async ({ session }) => {
    signal = session.signal
    await app.sessions.revokeAll('1')
    return ''
  })
  await app.inject({ url: '/' })
  t.equal(signal?.aborted, false)
  t.notOk(store.takeMethods().includes('load'))
})

t.test('activity counts for the signals of all requests of a session', async (t) => {
  const { app } = await createApp({ refreshAfter: 0 })
  app.get('/stream', async ({ session }, reply) => {
    reply.hijack()
    await once(session.signal, 'abort')
    reply.raw.end(reasonOf(session.signal))
  })
  app.get('/touch', async ({ session }) => session.name)
  app.get('/end', async ({ session }) => session.destroy())
  const headers = { cookie: await sessionCookie(app, { name: 'Ada' }) }
  const streaming = app.inject({ url: '/stream', headers })
  await app.inject({ url: '/touch', headers })
  await app.inject({ url: '/end', headers })
  t.equal((await streaming).body, 'destroyed')
})

t.test('the signal of a WebSocket is open until the socket closes', async (t) => {
  const { app } = await createApp()
  await app.register(websocket)
  let signal = AbortSignal.abort()
  app.get('/socket', { websocket: true }, (_socket, request) => {
    signal = request.session.signal
  })
  app.get('/end', async ({ session }) => session.destroy())
  const address = await listen(app)
  t.teardown(() => app.close())
  const headers = { cookie: await sessionCookie(app, { name: 'Ada' }) }
  for (const [isOpen, reason] of [
    [true, 'destroyed'],
    [false, undefined]
  ] as const) {
    const { socket } = await shakeHands(`${address}/socket`, headers)
    if (!isOpen) {
      const [server] = [...app.websocketServer.clients]
      const closed = server === undefined ? undefined : once(server, 'close')
      await close(socket)
      await closed
    }
    await app.inject({ url: '/end', headers })
    t.equal(reasonOf(signal), reason)
    socket.close()
  }
})

t.test('a new id that is not saved yet is not looked for', async (t) => {
  const { app } = await createStoredApp()
  app.get('/', async ({ session }) => {
    await session.renew()
    const { signal } = session
    // From the first signal on, the process listens, and looks once for what it has missed.
    await turn()
    const before = reasonOf(signal)
    await session.commit()
    await app.sessions.revokeAll('1')
    await turn()
    return [before, reasonOf(signal)]
  })
  const cookie = await sessionCookie(app, { name: 'Ada' }, { ownerId: '1' })
  const reply = await app.inject({ url: '/', headers: { cookie } })
  t.same(reply.json(), [null, 'revoked'])
})

t.test('a session is looked for also if its request has found it ended', async (t) => {
  const { app, store } = await createStoredApp()
  app.get('/', async ({ session }) => {
    const { signal } = session
    // As another process does, which does not tell.
    for (const { key } of await store.list('1')) await store.destroy(key)
    await RequestSession.verify(session as never, 0)
    await app.sessions.revokeAll('1')
    await turn()
    return [session.name, reasonOf(signal)]
  })
  const cookie = await sessionCookie(app, { name: 'Ada' }, { ownerId: '1' })
  const reply = await app.inject({ url: '/', headers: { cookie } })
  t.same(reply.json(), [null, 'revoked'])
})

t.test('a signal belongs to a WebSocket of a test, too', async (t) => {
  const { app } = await createApp()
  await app.register(websocket)
  let signal = AbortSignal.abort()
  app.get('/socket', { websocket: true }, (socket, request) => {
    signal = request.session.signal
    socket.send('open')
  })
  app.get('/end', async ({ session }) => session.destroy())
  await app.ready()
  const headers = { cookie: await sessionCookie(app, { name: 'Ada' }) }
  const socket = await app.injectWS('/socket', { headers })
  await app.inject({ url: '/end', headers })
  t.equal(reasonOf(signal), 'destroyed')
  socket.terminate()
})

t.test('an earlier hook than ours cannot have the signal: there is no reply whose end would close it', async (t) => {
  const app = fastify()
  app.addHook('onRequest', async (request) => {
    t.throws(() => getSession(request).signal, { code: 'ERR_SESSION_DISABLED' })
  })
  await app.register(session, { secret: SECRET })
  app.get('/', async ({ session }) => reasonOf(session.signal) ?? 'open')
  const reply = await app.inject({ url: '/', headers: { cookie: await sessionCookie(app, { name: 'Ada' }) } })
  t.equal(reply.body, 'open')
})

t.test('a signal that is asked for when its session has ended already aborts', async (t) => {
  for (const { mode, options, isSelfContained } of [...MODES, ...REVOCABLE]) {
    if (isSelfContained) continue
    const { app } = await createApp(options)
    app.get('/', async ({ session }) => {
      await app.sessions.revoke(session.id)
      const { signal } = session
      await turn()
      return [reasonOf(signal)]
    })
    // From the first signal on, the process listens, and looks once for what it has missed.
    for (const name of ['Ada', 'Ben']) {
      const cookie = await sessionCookie(app, { name })
      t.same((await app.inject({ url: '/', headers: { cookie } })).json(), ['gone'], mode)
    }
  }
})
