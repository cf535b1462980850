import t from 'tap'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { once } from '../helpers/recording-store.ts'
import { createVisited, setVisits } from '../helpers/visited-app.ts'

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('an untouched session is stamped again only when its stamp is old', async (t) => {
      const { app, clock } = await createApp({ ...options, idleTimeout: 1000, refreshAfter: 60 })
      app.get('/set', async ({ session }) => {
        session.visits = 1
        return session.id
      })
      app.get('/untouched', async () => '')
      app.get('/poll', { config: { session: { touch: false } } }, async () => '')
      app.get('/poll-write', { config: { session: { touch: false } } }, async ({ session }) => {
        session.visits = (session.visits ?? 0) + 1
        return session.expiresAt
      })
      app.get('/poll-touch', { config: { session: { touch: false } } }, async ({ session }) => {
        session.touch()
        return ''
      })
      app.get('/off', { config: { session: false } }, async () => '')
      app.get('/', async ({ session }) => ({ visits: session.visits, id: session.id, expires: session.expiresAt }))
      const visitor = await createClient(app)
      const { body: id } = await visitor.get('/set')
      clock.advance(59)
      t.same(setCookieLines(await visitor.get('/untouched')), [])
      clock.advance(1)
      t.same(setCookieLines(await visitor.get('/poll')), [], 'polling does not keep it alive')
      t.same(setCookieLines(await visitor.get('/off')), [])
      const unmoved = (await visitor.get('/poll-write')).json()
      t.equal(new Date(unmoved).getTime(), clock.now() + 940_000, 'nor does writing from a polling route')
      let decisions = await decisionsOf(async () => {
        t.equal(setCookieLines(await visitor.get('/untouched')).length, 1)
      })
      t.same(decisions, ['open: opened', 'commit: restamped'])
      const after = (await visitor.get('/')).json()
      t.same(after, { visits: 2, id, expires: new Date(clock.now() + 1_000_000).toISOString() })
      clock.advance(10)
      decisions = await decisionsOf(() => visitor.get('/poll-touch'))
      t.equal(decisions.at(-1), 'commit: restamped', 'touch() counts everywhere')
      t.same(setCookieLines(await app.inject({ url: '/untouched', headers: { cookie: 'session=forged' } })), [])
      const cookie = visitor.jar.header()
      for (const header of [`my_session=1; ${cookie}`, `a=session=1;${cookie}`, `my_session=1`, cookie]) {
        decisions = await decisionsOf(() => app.inject({ url: '/untouched', headers: { cookie: header } }))
        t.equal(decisions.at(-1), 'commit: untouched', header.slice(0, 20))
        if (isSelfContained) t.equal(decisions.length, 1, 'and nothing was opened for it')
      }
    })
  })
}

t.test('activity is noted when the note is old, not before', async (t) => {
  const { store, visitor, clock, key } = await createVisited({ idleTimeout: 1000, refreshAfter: 60 })
  const created = clock.now() / 1000
  clock.advance(59)
  t.same(setCookieLines(await visitor.get('/read')), [])
  t.same(store.takeMethods(), ['load'])
  clock.advance(1)
  let response = await visitor.get('/untouched')
  t.same(store.takeCalls(), [
    ['load', key],
    ['touch', key, created + 1060, created + 60]
  ])
  t.equal(setCookieLines(response).length, 1, 'with a new stamp in the cookie')
  response = await visitor.get('/read')
  t.same(store.takeMethods(), ['load'], 'and then not again')
  t.same(setCookieLines(response), [])
})

t.test('a session that ended just when activity was to be noted is nothing to warn of', async (t) => {
  const { store, visitor, key, clock, warnings } = await createVisited()
  clock.advance(61)
  store.before = once('touch', () => store.inner.destroy(key))
  const decisions = await decisionsOf(async () => {
    t.same(setCookieLines(await visitor.get('/untouched')), [])
  })
  t.same(decisions, ['open: opened', 'commit: gone'])
  t.same(warnings(), [])
})

t.test(
  'unless told otherwise, a stamp is old after a tenth of the idle timeout, and after a minute at most',
  async (t) => {
    for (const [idleTimeout, refreshAfter] of [
      [100, 10],
      [600, 60],
      [86_400, 60]
    ] as const) {
      const { app, clock } = await createApp({ idleTimeout })
      app.get('/set', setVisits)
      app.get('/untouched', async () => '')
      const visitor = await createClient(app)
      await visitor.get('/set')
      clock.advance(refreshAfter - 1)
      t.same(setCookieLines(await visitor.get('/untouched')), [], `${idleTimeout}`)
      clock.advance(1)
      t.equal(setCookieLines(await visitor.get('/untouched')).length, 1, `${idleTimeout}`)
      t.same(setCookieLines(await visitor.get('/untouched')), [], 'once')
    }
  }
)
