import t from 'tap'
import { session } from '../../lib/index.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { createApp, createStoredApp, MODES, SECRET, START } from '../helpers/app.ts'

const DAY = 86_400_000

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`readSession shows what a reply did to a session in ${mode} mode`, async (t) => {
    const { app } = await createApp(options)
    app.post('/login', async ({ session }) => {
      session.visits = 1
      session.setOwner('ada')
      session.permanent = true
      return session.id
    })
    app.post('/count', async ({ session }) => {
      session.visits = (session.visits ?? 0) + 1
      return ''
    })
    app.get('/', async ({ session }) => session.visits ?? 0)
    app.post('/logout', async ({ session }) => session.destroy())

    const login = await app.inject({ method: 'POST', url: '/login' })
    t.strictSame(await readSession(app, login), {
      reason: 'opened',
      data: { visits: 1 },
      id: login.body,
      ownerId: 'ada',
      createdAt: START,
      expiresAt: new Date(START.getTime() + DAY),
      idleTimeout: 86_400,
      absoluteTimeout: 2_592_000,
      permanent: true
    })
    const [cookie = ''] = String(login.headers['set-cookie']).split(';', 1)
    const headers = { cookie }
    t.strictSame(await readSession(app, await app.inject({ url: '/', headers })), { reason: 'no-cookie' })

    const count = await app.inject({ method: 'POST', url: '/count', headers })
    const expected = isSelfContained ? { reason: 'opened', data: { visits: 2 } } : { reason: 'no-cookie' }
    t.match(await readSession(app, count), expected)
    const { data } = await readSession(app, cookie)
    t.same(data, { visits: isSelfContained ? 1 : 2 }, 'what the cookie of the request stands for now')

    const logout = await app.inject({ method: 'POST', url: '/logout', headers })
    t.strictSame(await readSession(app, logout), { reason: 'cleared' })
    t.match(await readSession(app, cookie), isSelfContained ? { reason: 'opened' } : { reason: 'not-found' })
  })

  t.test(`a cookie that does not open in ${mode} mode has a reason`, async (t) => {
    const { app, clock } = await createApp({ ...options, idleTimeout: 60 })
    const cookie = await sessionCookie(app, { visits: 1 })
    t.strictSame(await readSession(app, ''), { reason: 'no-cookie' })
    t.strictSame(await readSession(app, 'theme=dark'), { reason: 'no-cookie' })
    t.strictSame(await readSession(app, 'session=forged'), { reason: 'malformed' })
    clock.advance(61)
    t.strictSame(await readSession(app, cookie), { reason: isSelfContained ? 'expired-idle' : 'not-found' })
  })
}

t.test('readSession takes a Set-Cookie line, a Cookie header, and a reply of fetch', async (t) => {
  const { app } = await createApp()
  app.get('/', async ({ session }, reply) => {
    session.visits = 1
    reply.header('set-cookie', 'theme=session=x; Path=/')
    return ''
  })
  const cookie = await sessionCookie(app, { visits: 1 })
  t.match(await readSession(app, `${cookie}; Path=/; HttpOnly`), { data: { visits: 1 } })
  t.match(await readSession(app, `theme=dark; ${cookie}; lang=en`), { data: { visits: 1 } })
  t.teardown(() => app.close())
  const reply = await fetch(await app.listen({ host: '127.0.0.1', port: 0 }))
  t.match(await readSession(app, reply), { data: { visits: 1 } })
})

t.test('each session is read by its own cookie name', async (t) => {
  const { app } = await createApp()
  await app.register(session, { secret: SECRET, decorator: 'admin', cookieName: 'admin' })
  const cookies = `${await sessionCookie(app, { visits: 1 })}; ${await sessionCookie<{ level: number }>(app, { level: 3 }, { decorator: 'admin' })}`
  t.same((await readSession(app, cookies)).data, { visits: 1 })
  const { data } = await readSession<{ level: number }>(app, cookies, { decorator: 'admin' })
  t.equal(data?.level, 3)
})

t.test('reading is not activity', async (t) => {
  const { app, store, clock } = await createStoredApp({ refreshAfter: 0 })
  const cookie = await sessionCookie(app, { visits: 1 })
  store.takeCalls()
  clock.advance(60)
  await readSession(app, cookie)
  t.same(store.takeMethods(), ['load'])
})

t.test('errors: no such session, a misspelled option, a store that fails', async (t) => {
  const { app, store } = await createStoredApp()
  const cookie = await sessionCookie(app, { visits: 1 })
  await t.rejects(readSession(app, cookie, { decorator: 'admin' }), { code: 'ERR_SESSION_NOT_REGISTERED' })
  await t.rejects(readSession(app, cookie, { decoratr: 'x' } as object), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
  store.before = () => {
    throw new Error('down')
  }
  await t.rejects(readSession(app, cookie), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
})
