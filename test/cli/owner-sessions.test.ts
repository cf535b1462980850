import t from 'tap'
import { ownerSessions } from '../../lib/cli/owner-sessions.ts'
import { seriesOwner } from '../../lib/login/remember-tokens.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { createKitApp } from '../helpers/login-app.ts'
import { NOBODY } from '../helpers/nobody.ts'

const REMEMBERED = seriesOwner('1')

const ENDS: Record<string, (sessions: ReturnType<typeof ownerSessions>) => Promise<unknown>> = {
  'by owner': (sessions) => sessions.revokeAll('1'),
  'by handle': async (sessions) => {
    for (const { handle } of await sessions.list('1')) await sessions.revoke(handle)
  }
}

t.test('who is logged out here is not remembered either', async (t) => {
  for (const [way, end] of Object.entries(ENDS)) {
    let store = new MemoryStore()
    const made = await createKitApp(
      {
        store: (clock) => {
          store = new MemoryStore({ clock, pruneInterval: 0 })
          return store
        }
      },
      { remember: true }
    )
    const browser = await createClient(made.app)
    await browser.post('/login', { payload: { id: 1, remember: true } })
    t.equal((await browser.get('/who')).body, 'Ana')
    t.equal((await store.list(REMEMBERED)).length, 1)
    await end(ownerSessions(store, made.clock.now, NOBODY))
    t.same([...(await store.list('1')), ...(await store.list(REMEMBERED))], [], way)
    t.equal((await browser.get('/who')).body, 'nobody', way)
  }
})

t.test('a session is found by the handle that it had a moment ago', async (t) => {
  let store = new MemoryStore()
  const { app, clock } = await createKitApp({
    store: (clock) => {
      store = new MemoryStore({ clock, pruneInterval: 0 })
      return store
    }
  })
  app.post('/renew', async ({ session }) => session.renew())
  const browser = await createClient(app)
  await browser.post('/login', { payload: { id: 1 } })
  const sessions = ownerSessions(store, clock.now, NOBODY)
  const [{ handle } = { handle: '' }] = await sessions.list('1')
  await browser.post('/renew')
  await sessions.revoke(handle)
  t.same(await sessions.list('1'), [])
})
