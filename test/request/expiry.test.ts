import t from 'tap'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { createApp, decisionsOf, MODES, START } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('idle expiry is exact with refreshAfter 0, activity prolongs, the absolute limit stays', async (t) => {
      const lifetimes = { idleTimeout: 120, absoluteTimeout: 600, refreshAfter: 0 }
      const { app, clock } = await createApp({ ...options, ...lifetimes })
      app.get('/set', async ({ session }) => {
        session.visits = 1
        return ''
      })
      app.get('/', async ({ session }) => session.visits ?? 'gone')
      const alive = async (wait: number): Promise<string> => {
        const visitor = await createClient(app)
        await visitor.get('/set')
        clock.advance(wait)
        return (await visitor.get('/')).body
      }
      t.equal(await alive(119), '1')
      t.equal(await alive(120), '1')
      t.equal(await alive(121), 'gone')

      const visitor = await createClient(app)
      await visitor.get('/set')
      for (let passed = 0; passed < 600; passed += 100) {
        clock.advance(100)
        t.equal((await visitor.get('/')).body, '1', `after ${passed + 100} s`)
      }
      clock.advance(1)
      t.equal((await visitor.get('/')).body, 'gone')
    })
  })
}

t.test('what is still in the store may have expired all the same', async (t) => {
  const clock = new FakeClock(START)
  // A store that forgets nothing.
  const store = new RecordingStore(new MemoryStore({ clock: () => 0, pruneInterval: 0 }))
  const { app } = await createApp({ store, clock: clock.now, idleTimeout: 100, absoluteTimeout: 150, refreshAfter: 0 })
  app.get('/set', async ({ session }) => {
    session.visits = 1
    return ''
  })
  app.get('/', async ({ session }) => session.visits ?? 'gone')
  const visitor = await createClient(app)
  await visitor.get('/set')
  clock.advance(100)
  t.equal((await visitor.get('/')).body, '1')
  clock.advance(51)
  t.same(await decisionsOf(() => visitor.get('/')), ['open: expired-absolute', 'commit: empty'])
  const other = await createClient(app)
  await other.get('/set')
  clock.advance(101)
  t.same(await decisionsOf(() => other.get('/')), ['open: expired-idle', 'commit: empty'])
})

t.test('a clock that stops making sense is an error, not a session for ever', async (t) => {
  let time = START.getTime()
  const { app } = await createApp({ clock: () => time })
  app.get('/', async ({ session }) => session)
  for (const now of [Number.NaN, -1000, Number.POSITIVE_INFINITY, 1e16]) {
    time = now
    t.match((await app.inject('/')).json(), { code: 'ERR_SESSION_OPTION_INVALID' }, String(now))
  }
})
