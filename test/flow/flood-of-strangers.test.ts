import t from 'tap'
import type { GuardOptions } from '../../lib/index.ts'
import { loginRequired, MemoryStore, safeNext } from '../../lib/index.ts'
import { Client } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp } from '../helpers/app.ts'

const BROWSER = { accept: 'text/html' }
const FLOOD = 300
const MAX_SESSIONS = 50

/** Creates a site whose store has room for few sessions, and a user who is logged in there. */
async function create(options: GuardOptions = {}) {
  let store: MemoryStore | undefined
  const { app, clock } = await createApp({
    store: (now) => {
      store = new MemoryStore({ clock: now, pruneInterval: 0, maxSessions: MAX_SESSIONS })
      return store
    }
  })
  const guard = loginRequired({ key: 'userId', redirectTo: '/login', ...options })
  app.get('/me', { preHandler: guard }, async () => 'me')
  app.post('/login', async (request, reply) => {
    await request.session.renew()
    request.session.setOwner('7')
    request.session.userId = 7
    return reply.redirect(safeNext(request), 303)
  })
  app.get('/cart', async ({ session }) => {
    session.cart = { tea: 1 }
    return ''
  })
  app.get('/data', async ({ session }) => ({ ...session }))
  const user = new Client(app)
  await user.post('/login')
  const stranger = (): Promise<unknown> => app.inject({ url: `/me?x=${'y'.repeat(900)}`, headers: BROWSER })
  const flood = async (): Promise<void> => {
    for (let count = 0; count < FLOOD; count++) await stranger()
  }
  return { app, clock, store: store as unknown as MemoryStore, user, flood }
}

t.test('with a store, strangers who are sent to log in leave nothing in it', async (t) => {
  const { app, store, user, flood } = await create()
  await flood()
  t.equal(store.size, 1)
  t.equal((await user.get('/me')).body, 'me')
  const refused = await app.inject({ url: '/me', headers: BROWSER })
  t.same(setCookieLines(refused), [])
})

t.test("with next: 'session' they log nobody out, and are forgotten after 15 minutes", async (t) => {
  const { app, clock, store, user, flood } = await create({ next: 'session' })
  const visitor = new Client(app)
  await flood()
  t.equal(store.size, MAX_SESSIONS)
  t.equal((await user.get('/me')).body, 'me')
  t.equal((await visitor.get('/me', { headers: BROWSER })).headers.location, '/login')
  clock.advance(900)
  store.prune()
  t.equal(store.size, MAX_SESSIONS, 'up to T')
  t.equal((await visitor.post('/login')).headers.location, '/me', 'time to log in')
  clock.advance(1)
  store.prune()
  t.equal(store.size, 3, 'the two who are logged in, and the old id of the second')
  t.equal((await user.get('/me')).body, 'me')
})

t.test('who does more than wait lives as long as everybody', async (t) => {
  const { app, clock } = await create({ next: 'session' })
  const visitor = new Client(app)
  await visitor.get('/me', { headers: BROWSER })
  await Promise.all([visitor.get('/cart'), visitor.get('/me?again', { headers: BROWSER })])
  clock.advance(901)
  t.same((await visitor.get('/data')).json(), { next: '/me?again', cart: { tea: 1 } })
})
