import { Redis } from 'ioredis'
import type { Test } from 'tap'
import t from 'tap'
import { ExpressStore } from '../../lib/stores/express/index.ts'
import { MySqlStore } from '../../lib/stores/mysql/index.ts'
import { PostgresStore } from '../../lib/stores/postgres/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { SessionStore } from '../../types/store.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, MODES, REVOCABLE, START } from '../helpers/app.ts'
import { localStores } from '../helpers/local-stores.ts'
import { reachMySql } from '../helpers/mysql.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest } from '../helpers/service.ts'
import { createTextStore } from '../helpers/text-store.ts'

const DAY = 86_400
const MONTH = 30 * DAY
const LIFETIMES = { idleTimeout: 30 * 60, maxIdleTimeout: MONTH, maxAbsoluteTimeout: 365 * DAY, refreshAfter: 0 }

/** The login of docs/options.md#keep-me-logged-in. */
async function createSite(options: LooseOptions, given?: FakeClock) {
  const made = await createApp({ ...options, ...LIFETIMES, ...(given && { clock: given.now }) })
  const { app } = made
  const clock = given ?? made.clock
  app.post<{ Body: { keep?: string } }>('/login', async ({ session, body }) => {
    await session.regenerate()
    session.userId = 7
    session.setOwner('7')
    if (body.keep === 'on') {
      session.permanent = true
      session.idleTimeout = MONTH
      session.absoluteTimeout = 365 * DAY
    }
    return ''
  })
  app.get('/', async ({ session }) => session.userId ?? 'nobody')
  const login = async (body: object) => {
    const client = await createClient(app)
    const lines = setCookieLines(await client.post('/login', { payload: body })).join()
    return { client, maxAge: /Max-Age=(\d+)/.exec(lines)?.[1], who: async () => (await client.get('/')).body }
  }
  return { app, clock, login }
}

async function keeps(t: Test, options: LooseOptions, given?: FakeClock): Promise<void> {
  const { app, clock, login } = await createSite(options, given)
  const [kept, usual, away] = [await login({ keep: 'on' }), await login({}), await login({ keep: 'on' })]
  t.same([kept.maxAge, usual.maxAge], [String(MONTH), undefined])
  if (options.store !== undefined) {
    const ends = (await app.sessions.list('7')).map(({ expiresAt }) => (expiresAt.getTime() - clock.now()) / 1000)
    t.same(ends.sort(), [1800, MONTH, MONTH].sort())
  }
  clock.advance(1801)
  t.equal(await usual.who(), 'nobody')
  t.equal(await kept.who(), '7')
  clock.advance(MONTH - 1801)
  t.equal(await away.who(), '7', 'in its last second')
  t.equal(await kept.who(), '7')
  clock.advance(MONTH + 1)
  t.equal(await away.who(), 'nobody')
  t.equal(await kept.who(), 'nobody', 'a second later than the last')
  const busy = await login({ keep: 'on' })
  for (let passed = 0; passed < 360; passed += 20) {
    clock.advance(20 * DAY)
    t.equal(await busy.who(), '7', `${passed + 20} days`)
  }
  clock.advance(5 * DAY)
  t.equal(await busy.who(), '7', 'a year')
  clock.advance(1)
  t.equal(await busy.who(), 'nobody')
}

for (const { mode, options } of [...MODES, ...REVOCABLE]) {
  t.test(`keep me logged in: ${mode} sessions`, (t) => keeps(t, options))
}

t.test('keep me logged in: stores that need no server', async (t) => {
  for (const [name, store] of Object.entries(await localStores(t))) await t.test(name, (t) => keeps(t, { store }))
})

t.test('keep me logged in: a store for express-session', async (t) => {
  await keeps(t, { store: (clock) => new ExpressStore({ store: createTextStore(), clock }) })
})

const redis = await startRedis()
if (redis === undefined) {
  cannotTest(t, 'keep me logged in: Redis', 'redis-server is not installed')
} else {
  t.teardown(() => redis.end())
  t.test('keep me logged in: RedisStore', async (t) => {
    const client = new Redis({ port: redis.ports[0] as number, host: '127.0.0.1' })
    t.teardown(() => client.disconnect())
    await keeps(t, { store: (clock) => new RedisStore({ client, clock }) })
  })
}

/** A store whose table is there. */
async function migrated<Store extends SessionStore & { migrate(): Promise<void> }>(store: Store): Promise<Store> {
  await store.migrate()
  return store
}

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  t.test('keep me logged in: PostgresStore', async (t) => {
    const clock = new FakeClock(START)
    const store = await migrated(new PostgresStore({ pool: postgres.pool(), clock: clock.now, pruneInterval: 0 }))
    await keeps(t, { store }, clock)
  })
}

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  t.test('keep me logged in: MySqlStore', async (t) => {
    const clock = new FakeClock(START)
    const store = await migrated(new MySqlStore({ pool: mysql.pool(), clock: clock.now, pruneInterval: 0 }))
    await keeps(t, { store }, clock)
  })
}
