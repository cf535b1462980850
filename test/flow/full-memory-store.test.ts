import type { Test } from 'tap'
import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { createApp, START } from '../helpers/app.ts'

// A new id, or a login, replaces a session: for a moment the store has both. That must not cost one of them.

interface Full {
  readonly options: ConstructorParameters<typeof MemoryStore>[0]
  /** Characters of text in the session. */
  readonly size: number
}

const FULL: Record<string, Full> = {
  'one session': { options: { maxSessions: 1 }, size: 1 },
  'two sessions': { options: { maxSessions: 2 }, size: 1 },
  'one big session': { options: { maxBytes: 1000 }, size: 700 },
  'one session that takes all the room': { options: { maxBytes: 1000 }, size: 970 },
  'one big session, by both bounds': { options: { maxSessions: 1, maxBytes: 1000 }, size: 900 }
}

async function start(t: Test, { options, size }: Full) {
  const clock = new FakeClock(START)
  const store = new MemoryStore({ pruneInterval: 0, clock: clock.now, ...options })
  t.intercept(process, 'emitWarning', { value: () => {} })
  const { app } = await createApp({ store, maxPerOwner: 3 })
  const text = 'x'.repeat(size)
  app.post('/begin', async ({ session }) => {
    session.set('name', text)
    return 'begun'
  })
  app.get('/name', async ({ session }) => `${session.get('name')?.length ?? 'nothing'}`)
  app.get('/owner', async ({ session }) => session.ownerId ?? 'nobody')
  app.post('/renew', async ({ session }) => session.renew().then(() => 'renewed'))
  app.post('/renew-and-change', async ({ session }) => {
    await session.renew()
    session.set('visits', 1)
    return 'renewed'
  })
  app.post('/regenerate', async ({ session }) => session.regenerate(['name']).then(() => 'regenerated'))
  app.post('/anew', async ({ session }) => {
    await session.regenerate()
    session.set('name', text)
    return 'anew'
  })
  app.post('/login', async ({ session }) => {
    await session.regenerate(['name'])
    await session.setOwner('ada')
    return 'logged in'
  })
  app.post('/update', async ({ session }) => {
    await session.renew()
    await session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
    })
    return 'updated'
  })
  const browser = await createClient(app)
  t.equal((await browser.post('/begin')).statusCode, 200)
  return { app, browser, store, name: String(size) }
}

for (const [what, full] of Object.entries(FULL)) {
  for (const path of ['/renew', '/renew-and-change', '/regenerate', '/anew', '/login', '/update']) {
    t.test(`${what}: ${path}`, async (t) => {
      const { app, browser, store, name } = await start(t, full)
      for (let times = 0; times < 3; times++) {
        const before = browser.jar.header()
        t.equal((await browser.post(path)).statusCode, 200)
        t.not(browser.jar.header(), before)
        t.equal((await browser.get('/name')).body, name)
      }
      if (path === '/login') t.equal((await browser.get('/owner')).body, 'ada')
      const { maxSessions = 100 } = full.options ?? {}
      t.ok(store.size <= maxSessions, 'and nothing is above the bound afterwards')
      await app.close()
    })
  }
}
