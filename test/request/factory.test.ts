import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { SessionFactory } from '../../lib/request/factory.ts'
import { sessionContext } from '../../lib/request/session-context.ts'
import { createApp, createStoredApp, MODES, OTHER_SECRET, START } from '../helpers/app.ts'

const NOW = START.getTime() / 1000
const FACTS = { json: '{"visits":1}', createdAt: NOW - 20, lastSeenAt: NOW - 10, permanent: true, ownerId: 'ada' }

function factoryIn(app: FastifyInstance): SessionFactory {
  return sessionContext(app, 'session')?.factory as SessionFactory
}

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`a session that was issued in ${mode} mode is one to the application and to the factory`, async (t) => {
    const { app } = await createApp({ ...options, idleTimeout: 100 })
    app.get('/', async ({ session: { id, visits, ownerId, createdAt, permanent } }) => ({
      ...{ id, visits, ownerId, createdAt, permanent }
    }))
    const factory = factoryIn(app)
    const cookie = await factory.issue(FACTS)
    const envelope = await factory.read(cookie)
    if (typeof envelope === 'string') return t.fail(envelope)
    t.match(envelope, FACTS)
    t.equal(factory.expiresAt(envelope), NOW + 90)
    const { id, ...seen } = (await app.inject({ url: '/', headers: { cookie } })).json()
    t.same(seen, { visits: 1, ownerId: 'ada', createdAt: new Date((NOW - 20) * 1000).toISOString(), permanent: true })
    t.equal(factory.handleOf(envelope), id)
    t.not(await factory.issue(FACTS), cookie)
  })

  t.test(`what stands for no session in ${mode} mode is told by its reason`, async (t) => {
    const { app, clock } = await createApp({ ...options, idleTimeout: 100 })
    const factory = factoryIn(app)
    const cookie = await factory.issue(FACTS)
    t.equal(await factory.read(''), 'no-cookie')
    t.equal(await factory.read('other=1; my-session=2'), 'no-cookie')
    t.equal(await factory.read('session='), 'cleared')
    t.equal(await factory.read('session=; Max-Age=0; Path=/'), 'cleared')
    t.equal(await factory.read('session=forged; session='), 'malformed', 'of the first')
    const other = cookie.at(-10) === 'A' ? 'B' : 'A'
    t.equal(await factory.read(cookie.slice(0, -10) + other + cookie.slice(-9)), 'bad-signature')
    t.match(await factory.read(`session=forged; ${cookie}`), FACTS, 'the first that opens counts')
    const { app: stranger } = await createApp({ ...options, secret: OTHER_SECRET })
    t.equal(await factoryIn(stranger).read(cookie), 'unknown-key')
    clock.advance(91)
    t.equal(await factory.read(cookie), isSelfContained ? 'expired-idle' : 'not-found')
  })
}

t.test('reading writes nothing, and a session without a request is not described', async (t) => {
  const { app, store } = await createStoredApp({ describe: () => ({ never: 'asked' }) })
  const factory = factoryIn(app)
  const cookie = await factory.issue(FACTS)
  const [[method, , record] = []] = store.takeCalls()
  const { lastSeenAt, ...rest } = FACTS
  t.same([method, record], ['create', { ...rest, lastSeenAt, description: undefined }])
  await factory.read(cookie)
  t.same(store.takeMethods(), ['load'])
})

t.test('what cannot be sealed is not kept', async (t) => {
  const { app } = await createApp()
  await t.rejects(factoryIn(app).issue({ ...FACTS, json: JSON.stringify({ name: 'x'.repeat(4000) }) }), {
    code: 'ERR_SESSION_TOO_LARGE'
  })
})

t.test('the settings that nobody overrides are those of the application', async (t) => {
  const { app, clock } = await createApp({ permanent: true })
  t.equal(factoryIn(app).permanent, true)
  clock.advance(1.5)
  t.equal(factoryIn(app).now(), NOW + 1)
})
