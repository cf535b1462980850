import { inspect } from 'node:util'
import t from 'tap'
import { z } from 'zod'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { createApp, createStoredApp, MODES, OTHER_SECRET, START, withOneStore } from '../helpers/app.ts'

const before = (seconds: number): Date => new Date(START.getTime() - seconds * 1000)
const FACTS = { createdAt: before(20), lastSeenAt: before(10), permanent: true, ownerId: 'ada' }

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`a session that was issued in ${mode} mode is one to the application and to the factory`, async (t) => {
    const { app } = await createApp({ ...options, idleTimeout: 100 })
    app.get('/', async ({ session: { id, visits, ownerId, createdAt, permanent } }) => ({
      ...{ id, visits, ownerId, createdAt, permanent }
    }))
    const cookie = await sessionCookie(app, { visits: 1 }, FACTS)
    const { id, ...read } = await readSession(app, cookie)
    t.same(read, {
      reason: 'opened',
      data: { visits: 1 },
      ownerId: 'ada',
      createdAt: before(20),
      expiresAt: before(-90),
      idleTimeout: 100,
      absoluteTimeout: 2_592_000,
      permanent: true
    })
    t.same((await app.inject({ url: '/', headers: { cookie } })).json(), {
      id,
      visits: 1,
      ownerId: 'ada',
      createdAt: before(20).toISOString(),
      permanent: true
    })
    t.not(await sessionCookie(app, { visits: 1 }, FACTS), cookie)
  })

  t.test(`what stands for no session in ${mode} mode is told by its reason`, async (t) => {
    const { app, clock } = await createApp({ ...options, idleTimeout: 100 })
    const cookie = await sessionCookie(app, { visits: 1 }, FACTS)
    const reasonOf = async (cookies: string): Promise<string> => (await readSession(app, cookies)).reason
    t.equal(await reasonOf(''), 'no-cookie')
    t.equal(await reasonOf('other=1; my-session=2'), 'no-cookie')
    t.equal(await reasonOf('session='), 'cleared')
    t.equal(await reasonOf('session=; Max-Age=0; Path=/'), 'cleared')
    t.equal(await reasonOf('session=; session=forged'), 'malformed', 'of the last')
    t.equal(await reasonOf('session=forged; session='), 'cleared')
    const other = cookie.at(-10) === 'A' ? 'B' : 'A'
    t.equal(await reasonOf(cookie.slice(0, -10) + other + cookie.slice(-9)), 'bad-signature')
    t.match(
      await readSession(app, `session=forged; ${cookie}`),
      { data: { visits: 1 }, ownerId: 'ada', createdAt: before(20), permanent: true },
      'one that opens counts'
    )
    const { app: stranger } = await createApp({ ...options, secret: OTHER_SECRET })
    t.equal((await readSession(stranger, cookie)).reason, 'unknown-key')
    clock.advance(91)
    t.equal(await reasonOf(cookie), isSelfContained ? 'expired-idle' : 'not-found')
  })
}

t.test('reading writes nothing, and a session without a request is not described', async (t) => {
  const { app, store } = await createStoredApp({ describe: () => ({ never: 'asked' }) })
  const cookie = await sessionCookie(app, { visits: 1 }, FACTS)
  const [[method, , record] = []] = store.takeCalls()
  t.same(
    [method, record],
    [
      'create',
      {
        json: '{"visits":1}',
        createdAt: before(20).getTime() / 1000,
        lastSeenAt: before(10).getTime() / 1000,
        permanent: true,
        ownerId: 'ada',
        description: undefined,
        extensions: undefined
      }
    ]
  )
  await readSession(app, cookie)
  t.same(store.takeMethods(), ['load'])
})

t.test('what cannot be sealed is not kept', async (t) => {
  const { app } = await createApp()
  await t.rejects(sessionCookie(app, { name: 'x'.repeat(4000) }), { code: 'ERR_SESSION_TOO_LARGE' })
})

t.test('the settings that nobody overrides are those of the application', async (t) => {
  const { app, clock } = await createApp({ permanent: true })
  clock.advance(1.5)
  const { permanent, createdAt } = await readSession(app, await sessionCookie(app, { visits: 1 }))
  t.same({ permanent, createdAt }, { permanent: true, createdAt: before(-1) })
})

t.test('no name leads to the factory', async (t) => {
  const { app } = await createApp()
  const { sessions } = app
  t.same(Object.keys(sessions), [])
  t.equal(inspect(sessions, { depth: 9 }), 'OwnerSessions {}')
})

t.test(
  'data of an older version of the schema are read as they are now, and data that do not fit by their reason',
  async (t) => {
    for (const { mode, options } of MODES) {
      const shared = withOneStore(options)
      const { app: older } = await createApp(shared)
      const { app } = await createApp({
        ...shared,
        schema: z.looseObject({ count: z.number() }),
        schemaVersion: 2,
        migrations: { 2: ({ visits, ...others }: Record<string, unknown>) => ({ ...others, count: visits }) }
      })
      const read = async (data: object): Promise<unknown> => readSession(app, await sessionCookie(older, data as never))
      t.match(await read({ visits: 1 }), { reason: 'opened', data: { count: 1 } }, mode)
      t.match(await read({ visits: 'many' }), { reason: 'invalid-data' }, mode)
      const issued = async (data: object, schemaVersion?: number): Promise<unknown> =>
        readSession(app, await sessionCookie(app, data as never, { schemaVersion }))
      for (const version of [0, 1]) t.match(await issued({ visits: 1 }, version), { data: { count: 1 } }, `${version}`)
      t.match(await issued({ count: 1 }), { data: { count: 1 } })
    }
  }
)
