import { inspect } from 'node:util'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { hiddenFactory, SessionFactory } from '../../lib/request/factory.ts'
import { createApp, createStoredApp, MODES, OTHER_SECRET, START } from '../helpers/app.ts'

const NOW = START.getTime() / 1000
const FACTS = { json: '{"visits":1}', createdAt: NOW - 20, lastSeenAt: NOW - 10, permanent: true, ownerId: 'ada' }

function mintIn(app: FastifyInstance): SessionFactory {
  return hiddenFactory.get(app.sessions) as SessionFactory
}

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`a session that was issued in ${mode} mode is one to the application and to the mint`, async (t) => {
    const { app } = await createApp({ ...options, idleTimeout: 100 })
    app.get('/', async ({ session: { id, visits, ownerId, createdAt, permanent } }) => ({
      ...{ id, visits, ownerId, createdAt, permanent }
    }))
    const mint = mintIn(app)
    const cookie = await mint.issue(FACTS)
    const envelope = await mint.read(cookie)
    if (typeof envelope === 'string') return t.fail(envelope)
    t.match(envelope, FACTS)
    t.equal(mint.expiresAt(envelope), NOW + 90)
    const { id, ...seen } = (await app.inject({ url: '/', headers: { cookie } })).json()
    t.same(seen, { visits: 1, ownerId: 'ada', createdAt: new Date((NOW - 20) * 1000).toISOString(), permanent: true })
    t.equal(mint.handleOf(envelope), id)
    t.not(await mint.issue(FACTS), cookie)
  })

  t.test(`what stands for no session in ${mode} mode is told by its reason`, async (t) => {
    const { app, clock } = await createApp({ ...options, idleTimeout: 100 })
    const mint = mintIn(app)
    const cookie = await mint.issue(FACTS)
    t.equal(await mint.read(''), 'no-cookie')
    t.equal(await mint.read('other=1; my-session=2'), 'no-cookie')
    t.equal(await mint.read('session='), 'cleared')
    t.equal(await mint.read('session=; Max-Age=0; Path=/'), 'cleared')
    t.equal(await mint.read('session=forged; session='), 'malformed', 'of the first')
    const other = cookie.at(-10) === 'A' ? 'B' : 'A'
    t.equal(await mint.read(cookie.slice(0, -10) + other + cookie.slice(-9)), 'bad-signature')
    t.match(await mint.read(`session=forged; ${cookie}`), FACTS, 'the first that opens counts')
    const { app: stranger } = await createApp({ ...options, secret: OTHER_SECRET })
    t.equal(await mintIn(stranger).read(cookie), 'unknown-key')
    clock.advance(91)
    t.equal(await mint.read(cookie), isSelfContained ? 'expired-idle' : 'not-found')
  })
}

t.test('reading writes nothing, and a session without a request is not described', async (t) => {
  const { app, store } = await createStoredApp({ describe: () => ({ never: 'asked' }) })
  const mint = mintIn(app)
  const cookie = await mint.issue(FACTS)
  const [[method, , record] = []] = store.takeCalls()
  const { lastSeenAt, ...rest } = FACTS
  t.same([method, record], ['create', { ...rest, lastSeenAt, description: undefined }])
  await mint.read(cookie)
  t.same(store.takeMethods(), ['load'])
})

t.test('what cannot be sealed is not kept', async (t) => {
  const { app } = await createApp()
  await t.rejects(mintIn(app).issue({ ...FACTS, json: JSON.stringify({ name: 'x'.repeat(4000) }) }), {
    code: 'ERR_SESSION_TOO_LARGE'
  })
})

t.test('the settings that nobody overrides are those of the application', async (t) => {
  const { app, clock } = await createApp({ permanent: true })
  t.equal(mintIn(app).permanent, true)
  clock.advance(1.5)
  t.equal(mintIn(app).now(), NOW + 1)
})

t.test('no name leads to a mint', async (t) => {
  const { app } = await createApp()
  t.type(hiddenFactory.get(app.sessions), SessionFactory)
  const { sessions } = app
  t.same(Object.keys(sessions), [])
  t.equal(inspect(sessions, { depth: 9 }), 'OwnerSessions {}')
  for (const value of [{ ...sessions }, app]) t.equal(hiddenFactory.get(value), undefined)
})
