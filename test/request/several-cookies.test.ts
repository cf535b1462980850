import t from 'tap'
import { tombstoneOf } from '../../lib/owners/tombstones.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { createApp, decisionsOf, MODES } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('the first cookie that verifies wins', async (t) => {
      const { app, clock } = await createApp({ ...options, idleTimeout: 100, refreshAfter: 50 })
      app.get('/set', async ({ session }) => {
        session.visits = (session.visits ?? 0) + 1
        return ''
      })
      app.get('/', async ({ session }) => session.visits ?? 'none')
      const visitor = await createClient(app)
      await visitor.get('/set')
      const old = visitor.jar.header()
      clock.advance(101)
      await visitor.get('/set')
      await visitor.get('/set')
      const good = visitor.jar.header()
      const send = async (cookie: string): Promise<string> => (await app.inject({ url: '/', headers: { cookie } })).body
      t.equal(await send(`session=forged; ${good}`), '2')
      t.equal(await send(`${good}; session=forged`), '2')
      t.equal(await send(`${old}; ${good}`), '2', 'an expired one does not win')
      t.equal(await send(`xsession=1;session="${good.slice(8)}";  ${good}`), '2')
      t.equal(await send(`${good.replace('session', 'Session')}`), 'none')
      const decisions = await decisionsOf(() => send(`session=forged; ${old}`))
      t.same(decisions, ['open: malformed', 'commit: empty'], 'the first refusal is the one that is told')
    })

    t.test('of many cookies of our name a few are tried', async (t) => {
      const { app } = await createApp(options)
      app.get('/', async ({ session }) => {
        session.visits = (session.visits ?? 0) + 1
        return session.visits
      })
      const visitor = await createClient(app)
      await visitor.get('/')
      const ask = async (forged: number): Promise<string> => {
        const cookie = `${'session=x; '.repeat(forged)}${visitor.jar.header()}`
        return (await app.inject({ url: '/', headers: { cookie } })).body
      }
      t.equal(await ask(7), '2')
      t.equal(await ask(8), '1')
    })
  })
}

t.test('of several cookies the first that the store knows wins', async (t) => {
  const { app, store, visitor, key } = await createVisited()
  const other = await createClient(app)
  const { body: unknown } = await other.get('/set')
  await store.inner.destroy(unknown)
  store.takeCalls()
  const cookie = `session=forged; ${other.jar.header()}; ${visitor.jar.header()}`
  const response = await app.inject({ url: '/read', headers: { cookie } })
  t.same(response.json(), { visits: 1, name: 'Ana' })
  t.same(store.takeCalls(), [
    ['load', unknown],
    ['load', tombstoneOf(unknown)],
    ['load', key]
  ])
})
