import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, request as send } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'
import { inspect } from 'node:util'
import t from 'tap'
import { z } from 'zod'
import { flaskCookie } from '../../lib/flask/index.ts'
import type { RawRequest, RawSession } from '../../lib/index.ts'
import { getSessions, MemoryStore, session } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import type { SessionReader } from '../../types/adopt.ts'
import { createApp, createStoredApp, MODES, OTHER_SECRET, REVOCABLE, START, withOneStore } from '../helpers/app.ts'
import { createBoundBrowser } from '../helpers/device-app.ts'
import { ShakyRevocations } from '../helpers/shaky-revocations.ts'

const before = (seconds: number): Date => new Date(START.getTime() - seconds * 1000)
const raw = (cookie: string | undefined): RawRequest => ({ headers: { cookie } })
const reasonOf = ({ aborted, reason }: AbortSignal): string | undefined => (aborted ? reason.reason : undefined)
const EVERY_MODE = [...MODES, ...REVOCABLE]

/** An upgrade, with a connection that closes when the test says so. */
function upgradeWith(cookie: string) {
  const socket = Object.assign(new EventEmitter(), { destroyed: false })
  const close = (): void => {
    socket.destroyed = true
    socket.emit('close')
  }
  return { request: { ...raw(cookie), upgrade: true, socket }, socket, close }
}

for (const { mode, options } of EVERY_MODE) {
  t.test(`${mode}: a raw request has the session that request.session would be`, async (t) => {
    const { app } = await createApp({ ...options, idleTimeout: 100 })
    app.get('/', async ({ session: { id } }) => id)
    const facts = { createdAt: before(20), lastSeenAt: before(10), ownerId: 'ada' }
    const cookie = await sessionCookie(app, { visits: 1, nested: { deep: [{ value: 1 }] } }, facts)
    const found = await app.sessions.ofRaw(raw(`theme=dark; ${cookie}`))
    t.same(
      { ...found },
      {
        data: { visits: 1, nested: { deep: [{ value: 1 }] } },
        handle: (await app.inject({ url: '/', headers: { cookie } })).body,
        ownerId: 'ada',
        createdAt: before(20),
        expiresAt: before(-90)
      }
    )
    for (const nothing of [undefined, '', 'theme=dark', 'session=', cookie.replace(/.$/, '~')]) {
      t.equal(await app.sessions.ofRaw(raw(nothing)), undefined, String(nothing))
    }
  })

  t.test(`${mode}: nothing is written, and the data of others stay as they are`, async (t) => {
    const { app, clock } = await createApp({ ...options, idleTimeout: 100, refreshAfter: 0 })
    app.get('/', async ({ session }) => {
      session.nested = { deep: [{ value: 2 }] }
      return ''
    })
    const visitor = await createClient(app, { data: { nested: { deep: [{ value: 1 }] } } })
    clock.advance(60)
    const found = (await app.sessions.ofRaw(raw(visitor.jar.header()))) as RawSession
    t.throws(() => Object.assign(found.data, { visits: 1 }), TypeError)
    t.throws(() => found.data.nested?.deep.push({ value: 3 }), TypeError)
    t.throws(() => Object.assign(found, { ownerId: 'eva' }), TypeError)
    t.equal((await readSession(app, visitor.jar.header())).expiresAt?.getTime(), START.getTime() + 100_000)
    await visitor.get('/')
    t.same((await app.sessions.ofRaw(raw(visitor.jar.header())))?.data, { nested: { deep: [{ value: 2 }] } })
    t.same(found.data, { nested: { deep: [{ value: 1 }] } })
  })

  t.test(`${mode}: a session that has ended is none`, async (t) => {
    const { app, clock } = await createApp({ ...options, idleTimeout: 100, absoluteTimeout: 150 })
    const cookie = await sessionCookie(app, { visits: 1 })
    clock.advance(100)
    t.ok(await app.sessions.ofRaw(raw(cookie)), 'its last second')
    clock.advance(1)
    t.equal(await app.sessions.ofRaw(raw(cookie)), undefined)
    const old = await sessionCookie(app, { visits: 1 }, { createdAt: new Date(clock.now() - 151_000) })
    t.equal(await app.sessions.ofRaw(raw(old)), undefined)
  })

  t.test(`${mode}: its signal aborts when it ends, and follows it to a new id`, async (t) => {
    const { app, clock } = await createApp({ ...options, idleTimeout: 100, refreshAfter: 0 })
    app.get('/', async ({ session }) => session.visits)
    app.post('/renew', async ({ session }) => session.renew())
    app.post('/logout', async ({ session }) => session.destroy())
    const visitor = await createClient(app, { data: { visits: 1 }, ownerId: 'ada' })
    const found = (await app.sessions.ofRaw(raw(visitor.jar.header()))) as RawSession
    const { signal } = found
    t.equal(found.signal, signal)
    clock.advance(90)
    await visitor.get('/')
    await visitor.post('/renew')
    await turn()
    t.equal(reasonOf(signal), undefined)
    await visitor.post('/logout')
    t.equal(reasonOf(signal), 'destroyed')
    t.equal(signal.reason.code, 'ERR_SESSION_ENDED')
  })
}

t.test('a request is anything with headers', async (t) => {
  const { app } = await createApp()
  const cookie = await sessionCookie(app, { visits: 1 })
  const server = createServer(async (request, response) => {
    response.end(String((await app.sessions.ofRaw(request))?.data.visits))
  }).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const [reply] = (await once(send({ port, headers: { cookie } }).end(), 'response')) as [IncomingMessage]
  t.equal(String((await reply.toArray())[0]), '1')
  t.same((await app.sessions.ofRaw(new Request('http://a.test', { headers: { cookie } })))?.data, { visits: 1 })
  t.equal(await app.sessions.ofRaw(new Request('http://a.test')), undefined)
  for (const wrong of [undefined, null, 'session=a', {}, { headers: 'x' }, { headers: { cookie: ['a=1'] } }]) {
    await t.rejects(app.sessions.ofRaw(wrong as never), { code: 'ERR_SESSION_VALUE' })
  }
})

t.test('of several cookies that one counts which counts in a request', async (t) => {
  const { app } = await createApp()
  const cookies = []
  for (const [visits, age] of [
    [1, 50],
    [2, 10],
    [3, 30]
  ] as const) {
    cookies.push(await sessionCookie(app, { visits }, { createdAt: before(60), lastSeenAt: before(age) }))
  }
  const found = await app.sessions.ofRaw(raw(['session=forged', ...cookies].join('; ')))
  t.same(found?.data, { visits: 2 })
})

t.test('an old id is none', async (t) => {
  for (const { mode, options } of [...MODES.slice(2), ...REVOCABLE]) {
    const { app } = await createApp(options)
    app.post('/renew', async ({ session }) => session.renew())
    const visitor = await createClient(app, { data: { visits: 1 } })
    const old = visitor.jar.header()
    await visitor.post('/renew')
    t.equal(await app.sessions.ofRaw(raw(old)), undefined, mode)
    t.ok(await app.sessions.ofRaw(raw(visitor.jar.header())))
  }
})

t.test('a session that is bound to a device needs the proof of its browser', async (t) => {
  for (const { mode, options, isSelfContained } of MODES) {
    const { app, browser, clock } = await createBoundBrowser(options, { onSkipped: 'accept' })
    const withoutProof = `session=${browser.cookie('session')}`
    t.equal((await app.sessions.ofRaw(raw(browser.header)))?.data.userId, 7, mode)
    t.equal((await app.sessions.ofRaw(raw(withoutProof))) === undefined, isSelfContained, 'the first may be under way')
    clock.advance(11)
    t.equal(await app.sessions.ofRaw(raw(withoutProof)), undefined)
    const skipped = { headers: { cookie: withoutProof, 'secure-session-skipped': 'unreachable' } }
    t.equal(await app.sessions.ofRaw(skipped), undefined)
    t.equal((await app.sessions.ofRaw(raw(browser.header)))?.data.userId, 7)
    clock.advance(700)
    t.equal(await app.sessions.ofRaw(raw(browser.header)), undefined)
  }
})

t.test("Flask's cookie opens, and that of another library does when a request has adopted it", async (t) => {
  const flask = await createApp({ format: flaskCookie({ secretKey: OTHER_SECRET }), secret: undefined as never })
  const cookie = await sessionCookie(flask.app, { visits: 1 })
  t.same((await flask.app.sessions.ofRaw(raw(cookie)))?.data, { visits: 1 })

  const reader: SessionReader = {
    cookieName: 'old',
    remove: true,
    read: (key) => ({ key, isUnique: true, data: { visits: 7 } })
  }
  const { app } = await createApp({ adopt: [reader] })
  app.get('/', async ({ session }) => session.visits)
  t.equal(await app.sessions.ofRaw(raw('old=key')), undefined)
  const reply = await app.inject({ url: '/', headers: { cookie: 'old=key' } })
  const ours = reply.cookies.find(({ name }) => name === 'session')?.value
  t.same((await app.sessions.ofRaw(raw(`old=key; session=${ours}`)))?.data, { visits: 7 })
})

t.test('older data are migrated for the reader alone, and data that do not fit are none', async (t) => {
  for (const { mode, options } of MODES.slice(2)) {
    const shared = withOneStore(options)
    const old = await createApp(shared)
    const cookie = await sessionCookie(old.app, { visits: 1 })
    const other = await sessionCookie(old.app, { name: 'Ada' })
    const schema = z.object({ visits: z.number(), name: z.string() })
    const { app } = await createApp({
      ...shared,
      schema,
      schemaVersion: 2,
      migrations: { 2: (data) => (data.visits === undefined ? data : { ...data, name: 'new' }) }
    })
    t.same((await app.sessions.ofRaw(raw(cookie)))?.data, { visits: 1, name: 'new' }, mode)
    t.equal(await app.sessions.ofRaw(raw(other)), undefined)
    t.same((await readSession(old.app, cookie)).data, { visits: 1 })
  }
})

t.test('a store that is down is an error, and damaged data are none', async (t) => {
  const { app, store } = await createStoredApp()
  const cookie = await sessionCookie(app, { visits: 1 })
  store.before = () => {
    throw new Error('down')
  }
  await t.rejects(app.sessions.ofRaw(raw(cookie)), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
  t.equal(await app.sessions.ofRaw(raw('session=forged')), undefined, 'nobody asks it')
  store.before = () => undefined
  const damage = (json: string): void => {
    store.inner.load = async (key) => ({ ...(await MemoryStore.prototype.load.call(store.inner, key)), json }) as never
  }
  damage('{')
  t.equal(await app.sessions.ofRaw(raw(cookie)), undefined)
  damage('{"commit":1,"visits":1,"__proto__":{"role":"admin"}}')
  const { data } = (await app.sessions.ofRaw(raw(cookie))) as RawSession
  t.strictSame(Object.entries(data), [['visits', 1]], 'without reserved names, as request.session')
})

t.test('a list of revocations that has never answered is an error', async (t) => {
  const cookie = await sessionCookie((await createApp()).app, { visits: 1 })
  const revocations = new ShakyRevocations(() => START.getTime())
  revocations.isDown = true
  const { app } = await createApp({ revocations })
  t.teardown(() => app.close())
  await t.rejects(app.sessions.ofRaw(raw(cookie)), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
})

t.test('each session of an application reads its own cookie', async (t) => {
  const { app } = await createApp()
  await app.register(session, { secret: OTHER_SECRET, decorator: 'adminSession', cookieName: 'admin' })
  const cookie = await sessionCookie(app, { visits: 1 })
  const admin = await sessionCookie<{ level: number }>(app, { level: 3 }, { decorator: 'adminSession' })
  const request = raw(`${cookie}; ${admin}`)
  t.same((await app.sessions.ofRaw(request))?.data, { visits: 1 })
  const found = await getSessions<{ level: number }>(app, 'adminSession').ofRaw(request)
  t.same(found?.data.level, 3)
})

t.test('the debug log says what a raw request has, and why it has nothing', async (t) => {
  const { app, logs } = await createApp()
  const cookie = await sessionCookie(app, { visits: 1 })
  const found = await app.sessions.ofRaw(raw(cookie))
  await app.sessions.ofRaw(raw('session=forged'))
  await app.sessions.ofRaw(raw(''))
  t.same(
    logs.map(({ session }) => session),
    [
      { cookieName: 'session', phase: 'open', reason: 'opened', id: found?.handle },
      { cookieName: 'session', phase: 'open', reason: 'malformed' },
      { cookieName: 'session', phase: 'open', reason: 'no-cookie' }
    ]
  )
})

t.test('nobody follows a session whose signal nobody asks for', async (t) => {
  const { app, store } = await createStoredApp()
  const { request, socket } = upgradeWith(await sessionCookie(app, { visits: 1 }))
  const found = (await app.sessions.ofRaw(request)) as RawSession
  inspect(found, { getters: false })
  JSON.stringify(found)
  store.takeMethods()
  await app.sessions.revoke(found.handle)
  t.same(store.takeMethods(), ['destroy', 'load'])
  t.equal(socket.listenerCount('close'), 0)
})

t.test('a signal is let go when the connection of its upgrade closes', async (t) => {
  const { app } = await createStoredApp()
  app.post('/logout', async ({ session }) => session.destroy())
  for (const [isOpen, reason] of [
    [true, 'destroyed'],
    [false, undefined]
  ] as const) {
    const cookie = await sessionCookie(app, { visits: 1 })
    const { request, socket, close } = upgradeWith(cookie)
    const found = (await app.sessions.ofRaw(request)) as RawSession
    const { signal } = found
    t.equal(socket.listenerCount('close'), 1)
    if (!isOpen) close()
    await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })
    t.equal(reasonOf(signal), reason)
    if (isOpen) close()
    t.equal(socket.listenerCount('close'), 0)
  }
  const { request, close } = upgradeWith(await sessionCookie(app, { visits: 1 }))
  const late = (await app.sessions.ofRaw(request)) as RawSession
  close()
  const { signal } = late
  await app.sessions.revoke(late.handle)
  await turn()
  t.equal(signal.aborted, false)
})

t.test('the connection of a request that is no upgrade says nothing', async (t) => {
  const { app } = await createStoredApp()
  const { request, socket, close } = upgradeWith(await sessionCookie(app, { visits: 1 }))
  const found = (await app.sessions.ofRaw({ ...request, upgrade: false } as RawRequest)) as RawSession
  const { signal } = found
  t.equal(socket.listenerCount('close'), 0)
  close()
  await app.sessions.revoke(found.handle)
  t.equal(reasonOf(signal), 'revoked')
})

t.test('a signal that is released is let go, whenever it is asked for', async (t) => {
  const { app, store } = await createStoredApp()
  const cookie = await sessionCookie(app, { visits: 1 })
  const { request, socket } = upgradeWith(cookie)
  const one = (await app.sessions.ofRaw(request)) as RawSession
  const other = (await app.sessions.ofRaw(request)) as RawSession
  const { signal } = one
  one.release()
  one.release()
  other.release()
  await turn()
  store.takeMethods()
  t.equal(other.signal, other.signal)
  await turn()
  t.same(store.takeMethods(), [], 'nobody looks for the session')
  t.equal(socket.listenerCount('close'), 0)
  await app.sessions.revoke(one.handle)
  t.same([signal.aborted, other.signal.aborted], [false, false])
})

t.test('a session that ends before its signal is asked for has ended', async (t) => {
  for (const { mode, options, isSelfContained } of EVERY_MODE) {
    if (isSelfContained) continue
    const { app } = await createApp(options)
    // From the first signal on, the process listens, and looks once for what it has missed.
    for (const visits of [1, 2]) {
      const found = (await app.sessions.ofRaw(raw(await sessionCookie(app, { visits })))) as RawSession
      await app.sessions.revoke(found.handle)
      const { signal } = found
      await turn()
      t.equal(reasonOf(signal), 'gone', mode)
    }
  }
})

t.test('the signal of an application that has closed follows nothing', async (t) => {
  const { app } = await createApp()
  const found = (await app.sessions.ofRaw(raw(await sessionCookie(app, { visits: 1 })))) as RawSession
  await app.close()
  t.equal(found.signal.aborted, false)
})
