import { once } from 'node:events'
import t from 'tap'
import { MemoryStore } from '../../../lib/index.ts'
import { localStores } from '../../helpers/local-stores.ts'
import { createKitApp, Member } from '../../helpers/login-app.ts'
import { RecordingStore } from '../../helpers/recording-store.ts'

for (const [name, store] of Object.entries(await localStores(t))) {
  t.test(
    `${name}: the end of everything logs everybody out, closes what is open, and nobody is remembered`,
    async (t) => {
      const { app } = await createKitApp({ store }, { remember: true })
      t.teardown(() => app.close())
      // From the first listener on, it hears. What ends before that is only found to be gone.
      app.sessions.onEnded(() => {})
      app.get('/signal', async ({ session }) => {
        const { signal } = session
        const aborted = once(signal, 'abort')
        await app.sessions.revokeEverything()
        await aborted
        return signal.reason.reason
      })
      const [ana, ben, guest] = [new Member(app), new Member(app), new Member(app)]
      await ana.submit('/login', { id: 1, remember: true })
      await ben.login(2)
      await guest.get('/cart')
      const copy = ana.jar.header()
      t.equal(await app.sessions.count(), 3)
      t.equal(await ben.read('/signal'), 'revoked')
      t.equal(await app.sessions.count(), 0)
      for (const member of [ana, ben]) t.equal((await member.get('/me')).statusCode, 401)
      t.equal((await app.inject({ url: '/me', headers: { cookie: copy } })).statusCode, 401, 'no copy opens')
      t.same(JSON.parse(await guest.read('/data')), {})
      await ana.login(1)
      t.equal(await ana.read('/me'), 'Ana', 'who logs in again is in')
    }
  )

  t.test(`${name}: what is kept beside sessions is none`, async (t) => {
    const { app } = await createKitApp({ store }, { remember: true })
    t.teardown(() => app.close())
    app.post('/renew', async ({ session }) => session.renew())
    const [ana, ben] = [new Member(app), new Member(app)]
    await ana.submit('/login', { id: 1, remember: true })
    await ana.submit('/renew')
    await ana.submit('/renew')
    await ben.login(2)
    await ben.submit('/logout')
    await ben.get('/cart')
    t.equal(await app.sessions.count(), 2)
    const { entries, cursor } = await app.sessions.entries({ current: await ana.read('/id') })
    t.same(
      entries.map(({ ownerId, current }) => [ownerId, current]).sort(),
      [
        [undefined, false],
        ['1', true]
      ].sort()
    )
    t.equal(cursor, undefined)
  })
}

t.test('a store that has no such method says so, and ends nothing', async (t) => {
  const { app } = await createKitApp({ store: (clock) => new RecordingStore(new MemoryStore({ clock })) })
  const ana = new Member(app)
  await ana.login(1)
  const code = 'ERR_SESSION_STORE_REQUIRED'
  await t.rejects(app.sessions.count(), { code, message: /no method count\(\)/ })
  await t.rejects(app.sessions.entries(), { code })
  await t.rejects(app.sessions.revokeEverything(), { code })
  t.equal(await ana.read('/me'), 'Ana')
})
