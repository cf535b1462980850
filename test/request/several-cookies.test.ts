import t from 'tap'
import { tombstoneOf } from '../../lib/owners/tombstones.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { createApp, decisionsOf, MODES, START } from '../helpers/app.ts'
import { createVisited } from '../helpers/visited-app.ts'

const before = (seconds: number): Date => new Date(START.getTime() - seconds * 1000)

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`${mode} sessions`, async (t) => {
    t.test('a cookie that does not open is in the way of none', async (t) => {
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
      t.equal(await send(`${good.replace(/\d{10}/, '1763650000')}; ${good}`), '2', 'a forged time does not win')
      t.equal(await send(`${old}; ${good}`), '2', 'an expired one does not win')
      t.equal(await send(`xsession=1;session="${good.slice(8)}";  ${good}`), '2')
      t.equal(await send(`${good.replace('session', 'Session')}`), 'none')
      const decisions = await decisionsOf(() => send(`session=forged; ${old}`))
      const reason = isSelfContained ? 'expired-idle' : 'not-found'
      t.same(decisions, [`open: ${reason}`, 'commit: empty'], 'the refusal of the newest is the one that is told')
    })

    t.test('of those that open the newest activity wins, also for the testing kit', async (t) => {
      const { app } = await createApp(options)
      app.get('/', async ({ session }) => session.name ?? 'none')
      const cookieOf = (name: string, seconds: number): Promise<string> =>
        sessionCookie(app, { name }, { lastSeenAt: before(seconds) })
      const ada = await cookieOf('Ada', 20)
      const ben = await cookieOf('Ben', 10)
      const cleo = await cookieOf('Cleo', 10)
      for (const [cookie, name] of [
        [`${ada}; ${ben}`, 'Ben'],
        [`${ben}; ${ada}`, 'Ben'],
        [`${ada}; session=forged; ${ben}; session=`, 'Ben'],
        [`${ben}; ${ada}; ${cleo}`, 'Cleo'],
        [`${cleo}; ${ada}; ${ben}`, 'Ben']
      ] as const) {
        t.equal((await app.inject({ url: '/', headers: { cookie } })).body, name)
        t.equal((await readSession(app, cookie)).data?.name, name)
      }
    })

    t.test('no older cookie opens after regenerate(), unless something new is stored', async (t) => {
      const { app, clock } = await createApp(options)
      app.get('/set/:id', async ({ session, params }) => {
        session.userId = Number((params as { id: string }).id)
        return ''
      })
      app.get('/again', async ({ session }) => session.regenerate())
      app.get('/', async ({ session }) => session.userId ?? 'nobody')
      const older = await createClient(app)
      await older.get('/set/1')
      clock.advance(10)
      const newer = await createClient(app)
      await newer.get('/set/2')
      const send = (url: string) =>
        app.inject({ url, headers: { cookie: `${older.jar.header()}; ${newer.jar.header()}` } })
      t.equal((await send('/')).body, '2')
      newer.jar.take(await send('/again'))
      t.equal((await send('/')).body, 'nobody')
    })

    t.test('of many cookies of our name eight are tried, and the log says so if none opens', async (t) => {
      const { app, warnings } = await createApp({ ...options, debug: 'always' })
      app.get('/', async ({ session }) => session.visits ?? 'none')
      const good = await sessionCookie(app, { visits: 1 })
      const cookieOf = (forged: number): string => `${'session=x; '.repeat(forged)}${good}`
      const ask = async (cookie: string): Promise<unknown[]> => {
        const { body, headers } = await app.inject({ url: '/', headers: { cookie } })
        return [body, headers['session-trace'], (await readSession(app, cookie)).reason]
      }
      t.same(await ask(cookieOf(7)), ['1', 'session; open=opened; commit=unchanged', 'opened'])
      t.same(await ask(`${good}; ${cookieOf(8)}`), ['1', 'session; open=opened; commit=unchanged', 'opened'])
      t.same(await ask('session=x; '.repeat(8)), ['none', 'session; open=malformed; commit=empty', 'malformed'])
      t.same(warnings(), [])
      t.same(await ask(cookieOf(8)), ['none', 'session; open=too-many-cookies; commit=empty', 'too-many-cookies'])
      t.match(warnings(), [{ reason: 'too-many-cookies', msg: /more than eight cookies .* __Host-/ }])
    })
  })
}

t.test('each genuine cookie costs one load, the newest first', async (t) => {
  const { app, store, visitor, key } = await createVisited()
  const other = await createClient(app)
  const { body: unknown } = await other.get('/set')
  await store.inner.destroy(unknown)
  store.takeCalls()
  const cookie = `session=forged; ${visitor.jar.header()}; ${other.jar.header()}`
  const response = await app.inject({ url: '/read', headers: { cookie } })
  t.same(response.json(), { visits: 1, name: 'Ana' })
  t.same(store.takeCalls(), [
    ['load', unknown],
    ['load', tombstoneOf(unknown)],
    ['load', key]
  ])
})
