import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { z } from 'zod'
import { MemoryStore, session } from '../../lib/index.ts'
import { login } from '../../lib/login/login.ts'
import { readSession } from '../../lib/testing/read-session.ts'
import { sessionCookie } from '../../lib/testing/session-cookie.ts'
import { createApp, createStoredApp, decisionsOf, MODES, SECRET, START } from '../helpers/app.ts'
import { RecordingStore } from '../helpers/recording-store.ts'

const HOUR = 3600
const DAY = 24 * HOUR

/** Returns a time, in seconds before or after the clock of the test. */
function at(seconds: number): Date {
  return new Date(START.getTime() + seconds * 1000)
}

/** Returns what a route sees of the session of a cookie. */
async function seenWith(app: FastifyInstance, cookie: string): Promise<Record<string, unknown>> {
  return (await app.inject({ url: '/', headers: { cookie } })).json()
}

function addRoute(app: FastifyInstance): void {
  app.get('/', { config: { session: { touch: false } } }, async ({ session }) => {
    const { isNew, ownerId, permanent, createdAt, expiresAt } = session
    return { data: session, isNew, ownerId, permanent, createdAt, expiresAt }
  })
}

for (const { mode, options } of MODES) {
  t.test(`a cookie in ${mode} mode opens as the application's own do`, async (t) => {
    const { app } = await createApp(options)
    addRoute(app)
    const data = { userId: 7, cart: { 'item-17': 2 }, name: 'Ada Ünal', visits: undefined }
    const cookie = await sessionCookie(app, data)
    t.match(
      cookie,
      {
        signed: /^session=s2/,
        encrypted: /^session=e2/,
        stored: /^session=r2/,
        'remotely stored': /^session=r2/,
        sealed: /^session=r2/
      }[mode]
    )
    const { userId, cart, name } = data
    t.same(await seenWith(app, cookie), {
      data: { userId, cart, name },
      isNew: false,
      permanent: false,
      createdAt: at(0).toISOString(),
      expiresAt: at(DAY).toISOString()
    })
    t.match(await seenWith(app, await sessionCookie(app, {}, { ownerId: 'ada', permanent: true })), {
      data: {},
      ownerId: 'ada',
      permanent: true
    })
  })

  t.test(`times in ${mode} mode are those of the options, and end the session`, async (t) => {
    const { app } = await createApp({ ...options, idleTimeout: HOUR, absoluteTimeout: DAY })
    addRoute(app)
    const timesWith = async (times: { createdAt?: Date; lastSeenAt?: Date }): Promise<unknown> => {
      const { isNew, createdAt, expiresAt } = await seenWith(app, await sessionCookie(app, { visits: 1 }, times))
      return isNew ? 'none' : [createdAt, expiresAt]
    }
    const [tenAgo, created] = [at(-10), at(-DAY + 60)]
    t.same(await timesWith({ lastSeenAt: tenAgo }), [tenAgo.toISOString(), at(HOUR - 10).toISOString()])
    t.same(await timesWith({ createdAt: tenAgo }), [tenAgo.toISOString(), at(HOUR).toISOString()])
    t.same(await timesWith({ createdAt: created }), [created.toISOString(), at(60).toISOString()])
    t.same(await timesWith({ createdAt: created, lastSeenAt: tenAgo }), [created.toISOString(), at(60).toISOString()])
    t.same(
      await timesWith({ lastSeenAt: at(-HOUR) }),
      [at(-HOUR).toISOString(), at(0).toISOString()],
      'its last second'
    )
    t.same(await timesWith({ createdAt: at(30) }), [at(30).toISOString(), at(HOUR + 30).toISOString()])
    t.equal(await timesWith({ lastSeenAt: at(-HOUR - 1) }), 'none')
    t.equal(await timesWith({ createdAt: at(-DAY - 1) }), 'none')
    t.equal(await timesWith({ createdAt: at(61) }), 'none', 'not yet')
    t.same(await timesWith({ lastSeenAt: new Date(tenAgo.getTime() + 999) }), await timesWith({ lastSeenAt: tenAgo }))
  })
}

t.test('with a store the record exists, and the store does not know the cookie', async (t) => {
  const { app, store } = await createStoredApp({ maxPerOwner: 2 })
  const cookie = await sessionCookie(app, { userId: 7 }, { ownerId: 'ada', lastSeenAt: at(-10) })
  t.same(store.takeMethods(), ['create'])
  const [mine] = await app.sessions.list('ada')
  t.match(mine, { createdAt: at(-10), lastSeenAt: at(-10), description: {} })
  t.notOk(cookie.includes(mine?.handle as string))
  await sessionCookie(app, { userId: 7 }, { ownerId: 'ada' })
  await sessionCookie(app, { userId: 7 }, { ownerId: 'ada' })
  t.equal((await app.sessions.list('ada')).length, 2, 'limits hold')
  const strict = await createStoredApp({ maxPerOwner: 1, maxPerOwnerPolicy: 'refuse' })
  await sessionCookie(strict.app, {}, { ownerId: 'ada' })
  await t.rejects(sessionCookie(strict.app, {}, { ownerId: 'ada' }), { code: 'ERR_SESSION_LIMIT' })
})

t.test('a store that fails is an error', async (t) => {
  const { app, store } = await createStoredApp()
  store.before = () => {
    throw new Error('down')
  }
  await t.rejects(sessionCookie(app, { visits: 1 }), { code: 'ERR_SESSION_STORE_UNAVAILABLE' })
})

t.test('each session of an application has its own cookie', async (t) => {
  const { app } = await createApp({ permanent: true })
  const store = new RecordingStore(new MemoryStore())
  await app.register(session, { secret: SECRET, store, decorator: 'admin', cookieName: 'admin_session' })
  const cookie = await sessionCookie<{ level: number }>(app, { level: 3 }, { decorator: 'admin' })
  t.match(cookie, /^admin_session=r2/)
  t.same(store.takeMethods(), ['create'])
  addRoute(app)
  t.match(await seenWith(app, await sessionCookie(app, { visits: 1 })), { permanent: true }, 'as in the options')
})

t.test('a cookie of one application does not open in another', async (t) => {
  const [one, two] = [await createApp(), await createApp({ secret: 'another secret of at least 32 characters' })]
  addRoute(two.app)
  const cookie = await sessionCookie(one.app, { visits: 1 })
  const decisions = await decisionsOf(() => two.app.inject({ url: '/', headers: { cookie } }))
  t.same(decisions, ['open: unknown-key', 'commit: empty'])
})

t.test('data that session.set() refuses is refused, and nothing is stored', async (t) => {
  const { app, store } = await createStoredApp()
  const refusals: [data: unknown, code: string][] = [
    [{ name: new Date() }, 'ERR_SESSION_VALUE'],
    [{ nested: { deep: [1, undefined] } }, 'ERR_SESSION_VALUE'],
    [{ name: () => '' }, 'ERR_SESSION_VALUE'],
    [{ visits: 1n }, 'ERR_SESSION_VALUE'],
    [{ get: 1 }, 'ERR_SESSION_RESERVED_KEY'],
    [{ renew: () => '' }, 'ERR_SESSION_RESERVED_KEY'],
    [JSON.parse('{"__proto__":{}}'), 'ERR_SESSION_RESERVED_KEY'],
    [undefined, 'ERR_SESSION_VALUE'],
    [null, 'ERR_SESSION_VALUE'],
    ['text', 'ERR_SESSION_VALUE'],
    [['a'], 'ERR_SESSION_VALUE']
  ]
  for (const [data, code] of refusals) {
    await t.rejects(sessionCookie(app, data as never), { code }, `${code} for a ${typeof data}`)
  }
  t.same(store.takeCalls(), [])
})

t.test('a session that no application would store is refused', async (t) => {
  const { app } = await createApp()
  await t.rejects(sessionCookie(app, {}), { code: 'ERR_SESSION_VALUE' })
  await t.rejects(sessionCookie(app, { visits: undefined }, { permanent: true }), { code: 'ERR_SESSION_VALUE' })
  await t.rejects(sessionCookie(app, { name: 'x'.repeat(4000) }), { code: 'ERR_SESSION_TOO_LARGE' })
})

t.test('a user of the login kit owns the session, and is logged in', async (t) => {
  const { app } = await createApp()
  const ada = { id: 7, name: 'Ada', roles: [], password: 'x' }
  await app.register(login, { loadUser: () => ada })
  addRoute(app)
  const cookie = await sessionCookie(app, { visits: 3 }, { user: ada, ownerId: 'grace' })
  t.match(await seenWith(app, cookie), { ownerId: '7', data: { visits: 3, _login: { id: '7' } } })
})

t.test('wrong options are refused', async (t) => {
  const { app } = await createApp()
  const refusals: [options: object, code: string][] = [
    [{ ownerId: 7 }, 'ERR_SESSION_VALUE'],
    [{ ownerId: '' }, 'ERR_SESSION_VALUE'],
    [{ owner: 'ada' }, 'ERR_SESSION_OPTION_UNKNOWN'],
    [{ permanent: 'yes' }, 'ERR_SESSION_OPTION_INVALID'],
    [{ createdAt: START.getTime() }, 'ERR_SESSION_OPTION_INVALID'],
    [{ lastSeenAt: new Date('yesterday') }, 'ERR_SESSION_OPTION_INVALID'],
    [{ lastSeenAt: new Date(-1) }, 'ERR_SESSION_OPTION_INVALID'],
    [{ createdAt: new Date(10_000_000_000_000) }, 'ERR_SESSION_OPTION_INVALID'],
    [{ decorator: 'admin' }, 'ERR_SESSION_NOT_REGISTERED']
  ]
  for (const [options, code] of refusals) {
    await t.rejects(sessionCookie(app, { visits: 1 }, options), { code }, JSON.stringify(options))
  }
  await t.rejects(sessionCookie(app, { visits: 1 }, null as never), { code: 'ERR_SESSION_OPTION_INVALID' })
  await sessionCookie(app, { visits: 1 }, { createdAt: new Date(0), lastSeenAt: new Date(9_999_999_999_999) })
})

t.test('the schema of the application checks the data, unless they are of another version', async (t) => {
  const schema = z.object({ userId: z.number() })
  const { app } = await createApp({ schema, schemaVersion: 2, migrations: { 2: ({ user }) => ({ userId: user }) } })
  await t.rejects(sessionCookie(app, { visits: 1 }), { code: 'ERR_SESSION_SCHEMA' })
  t.match(await readSession(app, await sessionCookie(app, { userId: 7 })), { data: { userId: 7 } })
  for (const schemaVersion of [0, 1]) {
    const cookie = await sessionCookie<{ user: number }>(app, { user: 8 }, { schemaVersion })
    t.match(await readSession(app, cookie), { data: { userId: 8 } })
  }
  const wrong = await sessionCookie(app, { visits: 1 }, { schemaVersion: 3 })
  t.match(await readSession(app, wrong), { reason: 'invalid-data' })
  await t.rejects(sessionCookie(app, { userId: 7 }, { schemaVersion: 1.5 }), { code: 'ERR_SESSION_OPTION_INVALID' })
  const { app: plain } = await createApp()
  await t.rejects(sessionCookie(plain, { userId: 7 }, { schemaVersion: 1 }), { code: 'ERR_SESSION_OPTION_INVALID' })
})
