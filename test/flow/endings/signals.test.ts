import { once } from 'node:events'
import { setTimeout as pause } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import type * as Tap from 'tap'
import t from 'tap'
import type { WebSocket } from 'ws'
import { isSessionError } from '../../../lib/index.ts'
import type { SessionEndedEvent } from '../../../types/endings.ts'
import type { LooseOptions, Mode } from '../../helpers/app.ts'
import { MODES, REVOCABLE, withOneStore } from '../../helpers/app.ts'
import { when } from '../../helpers/fake-time.ts'
import { localStores } from '../../helpers/local-stores.ts'
import type { KitApp } from '../../helpers/login-app.ts'
import { createKitApp, Member } from '../../helpers/login-app.ts'
import { listen, shakeHands } from '../../helpers/sockets.ts'

interface Made extends KitApp {
  readonly ana: Member
  readonly events: SessionEndedEvent[]
  /** Those of the requests to `/signal`. */
  readonly signals: AbortSignal[]
  /** Opens a WebSocket with the cookies of somebody. */
  open(who?: Member): Promise<WebSocket>
}

/** An application whose `/socket` closes when its session ends, and says why. */
async function serve(t: Tap.Test, options: LooseOptions, kit: Parameters<typeof createKitApp>[1] = {}): Promise<Made> {
  const made = await createKitApp(options, kit)
  const { app } = made
  await app.register(websocket)
  app.get('/socket', { websocket: true }, (socket, { session }) => {
    session.signal.addEventListener('abort', () => {
      const { reason: error } = session.signal
      socket.close(4401, isSessionError(error) ? `${error.code} ${error.statusCode} ${error.reason}` : 'unknown')
    })
  })
  const signals: AbortSignal[] = []
  app.get('/signal', async ({ session }) => {
    signals.push(session.signal)
    return session.signal === signals.at(-1)
  })
  app.post('/end', async ({ session }) => {
    const { signal } = session
    await session.destroy()
    return [signal.aborted, signal.reason?.reason, session.signal.aborted, session.signal.reason.reason]
  })
  app.post('/touch', async ({ session }) => session.touch())
  app.post('/renew', async ({ session }) => session.renew())
  app.post('/empty', async ({ session }) => session.clear())
  const address = await listen(app)
  t.teardown(() => app.close())
  const events: SessionEndedEvent[] = []
  app.sessions.onEnded((event) => events.push(event))
  const ana = new Member(app)
  return {
    ...made,
    ana,
    events,
    signals,
    async open(who = ana) {
      const { status, socket } = await shakeHands(`${address}/socket`, { cookie: who.jar.header() })
      t.equal(status, 101)
      return socket
    }
  }
}

const closed = async (socket: WebSocket): Promise<string> => {
  const [code, reason] = await once(socket, 'close')
  return `${code} ${reason}`
}
const ENDED = '4401 ERR_SESSION_ENDED 401'

const isOpen = (socket: WebSocket): boolean => socket.readyState === socket.OPEN

for (const { mode, options, isSelfContained } of [...MODES, ...REVOCABLE]) {
  t.test(`${mode} sessions: a WebSocket closes at once when its session ends in this process`, async (t) => {
    const { app, ana, open, events } = await serve(t, options)
    const ends: [reason: string, end: () => Promise<unknown>][] = [
      ['destroyed', () => ana.submit('/logout')],
      ['replaced', () => ana.login(2)],
      ['emptied', () => ana.submit('/empty')]
    ]
    for (const [reason, end] of ends) {
      await ana.login(1)
      const id = await ana.read('/id')
      const [socket, other] = [await open(), await open(new Member(app))]
      events.length = 0
      const closing = closed(socket)
      await end()
      t.equal(await closing, `${ENDED} ${reason}`)
      t.match(events, [{ handle: id, reason, cookieName: 'session', except: [], successor: undefined }])
      t.ok(isOpen(other), 'that of somebody else stays')
      other.close()
    }
  })

  t.test(`${mode} sessions: a signal goes on with a new id of the same owner`, async (t) => {
    const { ana, open, events } = await serve(t, options)
    await ana.login(1)
    const socket = await open()
    const before = await ana.read('/id')
    await ana.submit('/renew')
    await ana.submit('/renew')
    const after = await ana.read('/id')
    t.equal(events[0]?.handle, before)
    t.equal(events[1]?.successor, after)
    t.same(
      events.map(({ reason, ownerId }) => `${reason} ${ownerId}`),
      ['renewed 1', 'renewed 1']
    )
    const closing = closed(socket)
    await ana.submit('/logout')
    t.equal(await closing, `${ENDED} destroyed`)
  })

  t.test(`${mode} sessions: a changed password closes the WebSocket at the next check`, async (t) => {
    const { ana, open, users } = await serve(t, options, { authHash: ({ password }) => String(password) })
    await ana.login(1)
    const socket = await open()
    Object.assign(users.get('1') ?? {}, { password: 'new' })
    const closing = closed(socket)
    t.equal(await ana.read('/who'), 'nobody')
    t.equal(await closing, `${ENDED} login-ended`)
  })

  if (isSelfContained) continue

  t.test(
    `${mode} sessions: what ends all sessions of an owner spares one, and those that begin after it`,
    async (t) => {
      const { app, ana, open, events } = await serve(t, options)
      const [other, ben, later] = [new Member(app), new Member(app), new Member(app)]
      await ana.login(1)
      await other.login(1)
      await ben.login(2)
      const [own, others, bens] = [await open(), await open(other), await open(ben)]
      events.length = 0
      const closing = closed(others)
      await ana.submit('/logout-others')
      t.equal(await closing, `${ENDED} revoked`)
      t.match(events, [{ handle: undefined, ownerId: '1', reason: 'revoked', except: [await ana.read('/id')] }])
      await later.login(1)
      const last = await open(later)
      t.ok([own, bens, last].every(isOpen))
      const next = closed(own)
      await app.sessions.revoke(await ana.read('/id'))
      t.equal(await next, `${ENDED} revoked`)
      for (const socket of [bens, last]) socket.close()
    }
  )

  t.test(`${mode} sessions: another application that shares the sessions hears of it`, async (t) => {
    const shared = withOneStore(options)
    const [here, there] = [await serve(t, shared), await serve(t, shared)]
    const { ana } = here
    await ana.login(1)
    const socket = await there.open(ana)
    await ana.submit('/renew')
    await when(() => there.events.length > 0)
    t.equal(there.events.at(-1)?.successor, await ana.read('/id'))
    const closing = closed(socket)
    await ana.submit('/logout')
    t.equal(await closing, `${ENDED} destroyed`)
    t.match(there.events.at(-1), { ownerId: '1', reason: 'destroyed' })
  })
}

t.test('the limit of an owner closes the WebSocket of the session that makes room', async (t) => {
  for (const [name, store] of Object.entries(await localStores(t))) {
    const { app, ana, open, events } = await serve(t, { store, maxPerOwner: 1 })
    await ana.login(1)
    const id = await ana.read('/id')
    const socket = await open()
    const closing = closed(socket)
    await new Member(app).login(1)
    t.equal(await closing, `${ENDED} over-limit`, name)
    t.match(events, [{ handle: id, ownerId: '1', reason: 'over-limit' }], name)
  }
})

t.test('sessions that nobody tells of are looked at', async (t) => {
  const { FileStore, SqliteStore } = await localStores(t)
  for (const store of [FileStore, SqliteStore]) {
    const shared = withOneStore({ store: store as never, signalInterval: 1 })
    const [here, there] = [await serve(t, shared), await serve(t, shared)]
    const { ana } = here
    await ana.login(1)
    const [socket, other] = [await there.open(ana), await there.open(ana)]
    await ana.submit('/renew')
    await ana.submit('/renew')
    const closing = Promise.all([closed(socket), closed(other)])
    await pause(1500)
    t.ok(isOpen(socket), 'it goes on under its new id')
    await ana.submit('/logout')
    t.same(await closing, [`${ENDED} gone`, `${ENDED} gone`])
  }
})

t.test('a session expires while its WebSocket is open, unless somebody is active', async (t) => {
  const expire = async ({ mode, options }: Mode): Promise<void> => {
    const { clock, ana, open, events } = await serve(t, { ...options, idleTimeout: 2, refreshAfter: 0 })
    await ana.login(1)
    const socket = await open()
    const closing = closed(socket)
    clock.advance(2)
    await ana.submit('/touch')
    await pause(1500)
    t.ok(isOpen(socket), mode)
    clock.advance(3)
    t.equal(await closing, `${ENDED} expired`, mode)
    t.match(events.at(-1), { ownerId: '1', reason: 'expired' }, mode)
  }
  await Promise.all([...MODES, ...REVOCABLE].map(expire))
})

t.test('a request that is over holds nothing, and its signal stays as it is', async (t) => {
  const { ana, signals } = await serve(t, {})
  await ana.login(1)
  t.equal(await ana.read('/signal'), 'true', 'each time the same one')
  await ana.submit('/logout')
  t.same(
    signals.map(({ aborted }) => aborted),
    [false]
  )
})

t.test('a handler can use the signal in the request that ends the session', async (t) => {
  const { ana } = await serve(t, {})
  await ana.login(1)
  t.same((await ana.submit('/end')).json(), [true, 'destroyed', true, 'destroyed'])
})
