import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createStoredApp, decisionsOf } from '../helpers/app.ts'

t.test("an owner's sessions are listed and ended, on this device and on others", async (t) => {
  const { app, store, clock } = await createStoredApp({
    describe: (request) => ({ agent: request.headers['user-agent'] ?? 'unknown' })
  })
  app.get('/login', async ({ session }) => {
    session.setOwner('ana')
    return session.id
  })
  app.get('/devices', async ({ session }) => app.sessions.list('ana', { current: session.id }))
  app.get('/logout-others', async ({ session }) => app.sessions.revokeAll('ana', { except: session.id }))
  app.get('/', async ({ session }) => session.ownerId ?? 'nobody')
  const [phone, laptop, tablet] = [await createClient(app), await createClient(app), await createClient(app)]
  const handles: string[] = []
  for (const [visitor, agent] of [
    [phone, 'phone'],
    [laptop, 'laptop'],
    [tablet, 'tablet']
  ] as const) {
    const response = await visitor.get('/login', { headers: { 'user-agent': agent } })
    handles.push(response.body)
    clock.advance(10)
  }
  const devices = (await phone.get('/devices')).json()
  t.same(
    devices.map(({ handle, current, description }: never) => ({ handle, current, description })),
    [
      { handle: handles[2], current: false, description: { agent: 'tablet' } },
      { handle: handles[1], current: false, description: { agent: 'laptop' } },
      { handle: handles[0], current: true, description: { agent: 'phone' } }
    ]
  )
  t.equal(new Date(devices[2].createdAt).getTime(), clock.now() - 30_000)
  t.notMatch(JSON.stringify(devices), phone.jar.get('session'))
  await app.sessions.revoke(handles[1] as string)
  t.equal((await laptop.get('/')).body, 'nobody')
  t.equal((await phone.get('/logout-others')).body, '1')
  t.equal((await tablet.get('/')).body, 'nobody')
  t.equal((await phone.get('/')).body, 'ana')
  store.before = () => Promise.reject(new Error('down'))
  await t.rejects(app.sessions.list('ana'), { code: 'ERR_SESSION_STORE_UNAVAILABLE', statusCode: 503 })
})

t.test('an owner has no more sessions than are allowed: the oldest makes room', async (t) => {
  const { app, store, clock } = await createStoredApp({ maxPerOwner: 2 })
  addLogin(app)
  const visitors = [await createClient(app), await createClient(app), await createClient(app)]
  for (const visitor of visitors) {
    await visitor.get('/login')
    clock.advance(1)
  }
  const owners = await Promise.all(visitors.map(async (visitor) => (await visitor.get('/')).body))
  t.same(owners, ['nobody', 'ana', 'ana'])
  t.equal((await store.inner.list('ana')).length, 2)
  await visitors[2]?.get('/renew')
  const after = await Promise.all(visitors.map(async (visitor) => (await visitor.get('/')).body))
  t.same(after, ['nobody', 'ana', 'ana'], 'a new id takes the place of the old one and ends no other session')
})

t.test('or one more is refused, without a cookie, and nothing else ends', async (t) => {
  const { app, store } = await createStoredApp({ maxPerOwner: 1, maxPerOwnerPolicy: 'refuse' })
  addLogin(app)
  const [first, second] = [await createClient(app), await createClient(app)]
  await first.get('/login')
  let response = await second.get('/')
  const decisions = await decisionsOf(async () => {
    response = await second.get('/login')
  })
  t.match(response.json(), { code: 'ERR_SESSION_LIMIT', statusCode: 409 })
  t.same(setCookieLines(response), [])
  t.equal(decisions.at(-1), 'commit: over-limit')
  t.equal((await first.get('/')).body, 'ana')
  t.equal((await store.inner.list('ana')).length, 1)
  t.equal((await first.get('/renew')).statusCode, 200, 'its own place is not taken')
  t.equal((await first.get('/')).body, 'ana')
  await first.get('/logout')
  t.equal((await second.get('/login')).statusCode, 200)
})

t.test('a login that begins anew takes the place of the session that it ends', async (t) => {
  const evicting = await createStoredApp({ maxPerOwner: 2 })
  const refusing = await createStoredApp({ maxPerOwner: 1, maxPerOwnerPolicy: 'refuse' })
  for (const { app, clock } of [evicting, refusing]) {
    addLogin(app)
    const [other, visitor] = [await createClient(app), await createClient(app)]
    if (app === evicting.app) await other.get('/login')
    clock.advance(1)
    await visitor.get('/login')
    t.equal((await visitor.get('/login-again')).statusCode, 200)
    t.equal((await visitor.get('/')).body, 'ana')
    if (app === evicting.app) t.equal((await other.get('/')).body, 'ana', 'the other device stays logged in')
  }
})

function addLogin(app: FastifyInstance): void {
  app.get('/login', async ({ session }) => {
    session.setOwner('ana')
    return ''
  })
  app.get('/login-again', async ({ session }) => {
    await session.regenerate()
    session.setOwner('ana')
    return ''
  })
  app.get('/renew', async ({ session }) => session.renew())
  app.get('/logout', async ({ session }) => session.destroy())
  app.get('/', async ({ session }) => session.ownerId ?? 'nobody')
}
