import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import t from 'tap'
import { deriveKeys } from '../../lib/crypto/keys.ts'
import { RandomPool } from '../../lib/crypto/random.ts'
import { MemberSeal } from '../../lib/format/sealed-member.ts'
import { ExpressStore } from '../../lib/stores/express/index.ts'
import { FileStore } from '../../lib/stores/file/index.ts'
import { MemoryStore } from '../../lib/stores/memory.ts'
import { MySqlStore } from '../../lib/stores/mysql/index.ts'
import { PostgresStore } from '../../lib/stores/postgres/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import { SealedStore } from '../../lib/stores/sealed.ts'
import { SqliteStore } from '../../lib/stores/sqlite/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { testRaces } from '../../lib/testing/index.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { SessionStore } from '../../types/store.ts'
import { CIPHER } from '../format/samples.ts'
import type { LooseOptions, TestApp } from '../helpers/app.ts'
import { createApp, decisionsOf, OTHER_SECRET, SECRET } from '../helpers/app.ts'
import { ANA, createKitApp, Member, tellEventsOf } from '../helpers/login-app.ts'
import { reachMySql } from '../helpers/mysql.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest } from '../helpers/service.ts'
import { openSqlite } from '../helpers/sqlite.ts'
import { createTextStore } from '../helpers/text-store.ts'

/** What no store may have in any spelling. */
const HIDDEN = 'hunter2'

/** A store, and a function that returns all that it keeps, as text. */
interface Kept {
  store: SessionStore
  all(): string | Promise<string>
}

const SEAL = new MemberSeal(deriveKeys([Buffer.from(SECRET)], 'member'), new RandomPool(), CIPHER)

const STORES: Record<string, (t: Test) => Promise<Kept>> = {
  async MemoryStore() {
    const store = new MemoryStore()
    return { store, all: async () => JSON.stringify((await store.entries(undefined, 1000)).found) }
  },
  async FileStore(t) {
    const directory = join(t.testdir({}), 'store')
    const read = (): string[] =>
      readdirSync(directory, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => readFileSync(join(entry.parentPath ?? entry.path, entry.name), 'latin1'))
    return { store: new FileStore({ directory, pruneInterval: 0 }), all: () => read().join('\n') }
  },
  async SqliteStore(t) {
    const database = await openSqlite(':memory:')
    t.teardown(() => database.close())
    const all = (): string => JSON.stringify(database.prepare('SELECT * FROM sessions').all())
    return { store: new SqliteStore({ database, pruneInterval: 0 }), all }
  },
  async ExpressStore() {
    const texts = new Map<string, string>()
    return { store: new ExpressStore({ store: createTextStore(texts) }), all: () => [...texts.values()].join('\n') }
  }
}

const redis = await startRedis()
if (redis === undefined) {
  cannotTest(t, 'encryption at rest in Redis', 'redis-server is not installed')
} else {
  t.teardown(() => redis.end())
  const connect = (t: Test): Redis => {
    const client = new Redis({ port: redis.ports[0] as number, host: '127.0.0.1' })
    t.teardown(() => client.disconnect())
    return client
  }
  STORES.RedisStore = async (t) => {
    const client = connect(t)
    const all = async (): Promise<string> => {
      const found: unknown[] = []
      for (const key of await client.keys('*')) {
        found.push(key, (await client.type(key)) === 'hash' ? await client.hgetall(key) : '')
      }
      return JSON.stringify(found)
    }
    return { store: new RedisStore({ client }), all }
  }
  t.test('races in Redis are won and lost as without', async (t) => {
    const client = connect(t)
    testRaces({
      test: (name, run) => t.test(name, run),
      open: (clock) => new SealedStore(new RedisStore({ client, prefix: 'races:', clock }), SEAL)
    })
  })
}

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  const pool = postgres.pool()
  await new PostgresStore({ pool, pruneInterval: 0 }).migrate()
  STORES.PostgresStore = async () => {
    const all = async (): Promise<string> => JSON.stringify((await pool.query('SELECT * FROM sessions')).rows)
    return { store: new PostgresStore({ pool, pruneInterval: 0 }), all }
  }
  t.test('races in PostgreSQL are won and lost as without', async (t) => {
    testRaces({
      test: (name, run) => t.test(name, run),
      open: (clock) => new SealedStore(new PostgresStore({ pool, pruneInterval: 0, clock }), SEAL)
    })
  })
}

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  const pool = mysql.pool()
  STORES.MySqlStore = async () => {
    const store = new MySqlStore({ pool, pruneInterval: 0 })
    await store.migrate()
    const all = async (): Promise<string> => JSON.stringify((await pool.query('SELECT * FROM sessions'))[0])
    return { store, all }
  }
}

/** An application whose sessions are kept in a store, encrypted. */
async function start(store: SessionStore, options: LooseOptions = {}): Promise<TestApp> {
  const made = await createApp({
    store,
    encrypt: true,
    clock: Date.now,
    describe: () => ({ agent: HIDDEN }),
    ...options
  })
  const { app } = made
  app.get('/set', async ({ session }) => {
    session.name = HIDDEN
    session.cart = { [HIDDEN]: 1 }
    return session.id
  })
  app.get('/own', async ({ session }) => {
    session.setOwner('ada')
    await session.commit()
    return session.id
  })
  app.get('/renew', async ({ session }) => {
    await session.renew()
    await session.commit()
    return session.id
  })
  app.get('/regenerate', async ({ session }) => {
    await session.regenerate(['name'])
    await session.commit()
    return session.id
  })
  app.get('/count', async ({ session }) =>
    session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
    })
  )
  app.get('/visit', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
  })
  app.get('/shorten', async ({ session }) => {
    session.idleTimeout = 300
  })
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/destroy', async ({ session }) => session.destroy().then(() => 'destroyed'))
  return made
}

function spellings(text: string): string[] {
  const bytes = Buffer.from(text)
  return [text, bytes.toString('hex'), bytes.toString('base64').slice(0, -3), bytes.toString('base64url').slice(0, -2)]
}

for (const [name, open] of Object.entries(STORES)) {
  t.test(`a store that keeps what it cannot read: ${name}`, async (t) => {
    const { store, all } = await open(t)
    const { app } = await start(store)
    t.teardown(() => app.close())
    const visitor = await createClient(app)
    const assertHidden = async (when: string): Promise<void> => {
      const kept = await all()
      t.match(kept, 'm1', when)
      for (const spelling of spellings(HIDDEN)) t.notMatch(kept, spelling, `${when}: ${spelling}`)
    }
    const { body: id } = await visitor.get('/set')
    await assertHidden('after it was set')
    t.same((await visitor.get('/read')).json(), { name: HIDDEN, cart: { [HIDDEN]: 1 } })

    const decisions = await decisionsOf(() => visitor.get('/read'))
    t.same(decisions, ['open: opened', 'commit: unchanged'], 'a fresh nonce is no change')

    const { body: owned } = await visitor.get('/own')
    t.not(owned, id)
    t.same((await visitor.get('/read')).json(), { name: HIDDEN, cart: { [HIDDEN]: 1 } }, 'sealed anew for its new id')
    const { body: renewed } = await visitor.get('/renew')
    t.not(renewed, owned)
    await Promise.all(Array.from({ length: 10 }, () => visitor.get('/count')))
    t.same((await visitor.get('/read')).json(), { name: HIDDEN, cart: { [HIDDEN]: 1 }, visits: 10 })
    const listed = await app.sessions.list('ada')
    t.same(
      listed.map(({ handle, description }) => ({ handle, description })),
      [{ handle: renewed, description: { agent: HIDDEN } }]
    )
    await assertHidden('after changes of the id')

    await visitor.get('/regenerate')
    t.same((await visitor.get('/read')).json(), { name: HIDDEN })
    await assertHidden('after it began anew')
    t.equal((await visitor.get('/destroy')).body, 'destroyed')
    t.same((await visitor.get('/read')).json(), {})
  })

  t.test(`logins and what remembers them: ${name}`, async (t) => {
    const { store, all } = await open(t)
    const { app } = await createKitApp({ store, encrypt: true, clock: Date.now }, { remember: {} })
    t.teardown(() => app.close())
    await app.sessions.revokeAll(String(ANA.id))
    const browser = new Member(app)
    t.equal((await browser.login(ANA.id, { remember: true })).statusCode, 200)
    t.equal((await browser.get('/me')).body, 'Ana')
    const series = browser.cookie('remember')
    browser.restart()
    t.equal((await browser.get('/me')).body, 'Ana', 'remembered')
    t.not(browser.cookie('remember'), series)
    t.match(await all(), '"m1')
    t.equal((await browser.post('/logout')).statusCode, 200)
    t.same(await app.sessions.list(String(ANA.id)), [])
    t.equal((await browser.get('/who')).body, 'nobody')
  })

  t.test(`a session of one way is unreadable in the other: ${name}`, async (t) => {
    for (const encrypt of [false, true]) {
      const { store } = await open(t)
      const before = await start(store, { encrypt })
      const after = await start(store, { encrypt: !encrypt })
      t.teardown(() => Promise.all([before.app.close(), after.app.close()]))
      const visitor = await createClient(before.app)
      await visitor.get('/set')
      const cookie = visitor.jar.header()
      const ask = (url: string) => after.app.inject({ url, headers: { cookie } })
      t.same((await ask('/read')).json(), {}, 'nothing is shown of it')
      t.match(after.warnings()[0], { reason: 'unreadable', err: { code: 'ERR_SESSION_UNREADABLE' } })
      t.same((await visitor.get('/read')).json().name, HIDDEN, 'and nothing of it is changed')
      t.notMatch(JSON.stringify(after.logs), HIDDEN)
      const next = await ask('/set')
      t.equal(setCookieLines(next).length, 1, 'a new session takes its place')
      t.same((await visitor.get('/read')).json(), {}, 'and it has ended')
    }
  })
}

t.test('who comes with an old id from the other way is nobody, until the new cookie is there', async (t) => {
  for (const encrypt of [true, false]) {
    const store = new MemoryStore()
    const { app: before } = await start(store, { encrypt: !encrypt })
    const { app: after } = await start(store, { encrypt })
    const visitor = await createClient(before)
    await visitor.get('/own')
    const headers = { cookie: visitor.jar.header() }
    await visitor.get('/renew')
    t.match(await after.inject({ url: '/read', headers }), { statusCode: 200, body: '{}' })
    t.equal((await after.inject({ url: '/destroy', headers })).body, 'destroyed')
  }
})

t.test('what remembers a login of one way logs nobody in in the other, and is no theft', async (t) => {
  for (const encrypt of [false, true]) {
    const store = new MemoryStore()
    const before = await createKitApp({ store, encrypt, clock: Date.now }, { remember: {} })
    const after = await createKitApp({ store, encrypt: !encrypt, clock: Date.now }, { remember: {} })
    const browser = new Member(before.app)
    await browser.login(ANA.id, { remember: true })
    const events = await tellEventsOf(async () => {
      const { body } = await after.app.inject({
        url: '/who',
        headers: { cookie: `remember=${browser.cookie('remember')}` }
      })
      t.equal(body, 'nobody')
    })
    t.same(events, [])
  }
})

t.test('a secret can be changed, and a value under an old one is sealed again when its session is used', async (t) => {
  const store = new MemoryStore()
  const before = await start(store, { secret: OTHER_SECRET })
  const both = await start(store, { secret: [SECRET, OTHER_SECRET] })
  const after = await start(store, { secret: SECRET })
  const visitor = await createClient(before.app)
  const { body: id } = await visitor.get('/set')
  const first = await both.app.inject({ url: '/read', headers: { cookie: visitor.jar.header() } })
  t.equal(first.json().name, HIDDEN)
  const cookie = (setCookieLines(first)[0] as string).split(';', 1)[0] as string
  const second = await both.app.inject({ url: '/read', headers: { cookie } })
  t.equal(setCookieLines(second).length, 0, 'once')
  const third = await after.app.inject({ url: '/read', headers: { cookie } })
  t.same(third.json(), { name: HIDDEN, cart: { [HIDDEN]: 1 } })
  t.equal((await store.load(id))?.version, 1)
})

t.test('a session that changes with every request is sealed again, too', async (t) => {
  for (const url of ['/visit', '/count', '/shorten']) {
    const store = new MemoryStore()
    const before = await start(store, { secret: OTHER_SECRET })
    const both = await start(store, { secret: [SECRET, OTHER_SECRET] })
    const after = await start(store, { secret: SECRET })
    const visitor = await createClient(before.app)
    await visitor.get('/set')
    const first = await both.app.inject({ url, headers: { cookie: visitor.jar.header() } })
    const cookie = (setCookieLines(first)[0] as string).split(';', 1)[0] as string
    const second = await after.app.inject({ url: '/read', headers: { cookie } })
    t.match(second.json(), { name: HIDDEN, cart: { [HIDDEN]: 1 } }, url)
  }
})

t.test('a request that writes meanwhile wins over the one that seals again', async (t) => {
  const store = new MemoryStore()
  const before = await start(store, { secret: OTHER_SECRET })
  const both = await start(store, { secret: [SECRET, OTHER_SECRET] })
  const visitor = await createClient(before.app)
  const { body: id } = await visitor.get('/set')
  const headers = { cookie: visitor.jar.header() }
  let isFirst = true
  both.app.addHook('preHandler', async ({ session }) => {
    if (!isFirst) return
    isFirst = false
    session.get('name')
    // By another process, which has only the older secret.
    await before.app.inject({ url: '/count', headers })
  })
  t.equal((await both.app.inject({ url: '/read', headers })).json().name, HIDDEN)
  t.equal((await store.load(id))?.version, 1, 'only the other one has written')
  t.same((await both.app.inject({ url: '/read', headers })).json(), { name: HIDDEN, cart: { [HIDDEN]: 1 }, visits: 1 })
  t.equal((await store.load(id))?.version, 2, 'the next request has sealed again')
})
