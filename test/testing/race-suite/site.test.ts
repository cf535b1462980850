import t from 'tap'
import { MemoryStore } from '../../../lib/stores/memory.ts'
import type { Site } from '../../../lib/testing/race-suite/site.ts'
import { IDLE, withSite } from '../../../lib/testing/race-suite/site.ts'
import type { SessionStore } from '../../../types/store.ts'

const test = (): void => {}

t.test('each application has a store, on one clock, and each store is closed once', async (t) => {
  const clocks = new Set<() => number>()
  const others: (SessionStore | undefined)[] = []
  const closed: SessionStore[] = []
  const open = (clock: () => number, other?: SessionStore): SessionStore => {
    clocks.add(clock)
    others.push(other)
    return other ?? new MemoryStore({ clock })
  }
  await withSite({ test, open, close: (store) => closed.push(store) }, {}, async ({ browser, advance }) => {
    await browser.write({ a: 1 })
    advance(IDLE)
    t.same(await browser.read(), { a: 1 })
    advance(IDLE + 1)
    t.same(await browser.read(), {}, 'the clock of the applications has moved')
  })
  t.equal(clocks.size, 1)
  t.same(others, [undefined, closed[0]])
  t.equal(closed.length, 1)
})

t.test('two stores are both closed, even if the test fails', async (t) => {
  const closed: SessionStore[] = []
  const suite = {
    test,
    open: (clock: () => number) => new MemoryStore({ clock }),
    close: (s: SessionStore) => closed.push(s)
  }
  // The stores share nothing, so the application that reads does not have the session.
  const run = async ({ browser }: Site): Promise<void> => {
    await browser.logIn()
  }
  await t.rejects(withSite(suite, {}, run), { code: 'ERR_ASSERTION' })
  t.equal(closed.length, 2)
})

t.test('a site without close leaves the stores open, and passes the options on to the plugin', async (t) => {
  const open = (clock: () => number, other?: SessionStore): SessionStore => other ?? new MemoryStore({ clock })
  const users: string[] = []
  for (const maxPerOwner of [1, 2]) {
    await withSite({ test, open }, { maxPerOwner, maxPerOwnerPolicy: 'refuse' }, async ({ visit, user }) => {
      users.push(user)
      await visit().logIn()
      t.equal((await visit().send('login')).statusCode, maxPerOwner === 1 ? 409 : 200)
    })
  }
  t.not(users[0], users[1], 'each site has another user')
})

t.test('a visitor may come with a cookie', async (t) => {
  const open = (clock: () => number, other?: SessionStore): SessionStore => other ?? new MemoryStore({ clock })
  await withSite({ test, open }, {}, async ({ visit }) => {
    const reply = await visit().send('write', { set: { a: 1 } })
    const [cookie = ''] = String(reply.headers['set-cookie']).split(';')
    t.same(await visit(cookie.slice('session='.length)).read(), { a: 1 })
    t.same(await visit().read(), {})
  })
})
