import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import t from 'tap'
import { ExpressStore } from '../../lib/stores/express/index.ts'
import { FileStore } from '../../lib/stores/file/index.ts'
import { MySqlStore } from '../../lib/stores/mysql/index.ts'
import { PostgresStore } from '../../lib/stores/postgres/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import { SqliteStore } from '../../lib/stores/sqlite/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import type { SessionStore } from '../../types/store.ts'
import { ANA, createKitApp } from '../helpers/login-app.ts'
import { reachMySql } from '../helpers/mysql.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest } from '../helpers/service.ts'
import { openSqlite } from '../helpers/sqlite.ts'
import { createTextStore } from '../helpers/text-store.ts'

// Somebody has edited a session in the database, or an old release wrote something else.

/** `damage` damages the record of a session. */
type Damaged = (t: Test) => Promise<{ store: SessionStore; damage(handle: string): unknown }>

/** `spoil` returns what is left of the text of a file. */
function damagedFile(spoil: (text: string) => string): Damaged {
  return async (t) => {
    const directory = join(t.testdir({}), 'store')
    const damage = (): void => {
      const sessions = join(directory, 'sessions')
      for (const name of readdirSync(sessions, { recursive: true, encoding: 'utf8' })) {
        const path = join(sessions, name)
        if (name.length > 60) writeFileSync(path, spoil(readFileSync(path, 'utf8')))
      }
    }
    return { store: new FileStore({ directory, pruneInterval: 0 }), damage }
  }
}

/** In a store for express-session that parses what it has, as most do. `spoil` returns what is left of the text of a session. */
function damagedExpress(spoil: (text: string) => string): Damaged {
  return async () => {
    const texts = new Map<string, string>()
    const damage = (handle: string): void => {
      for (const [sid, text] of texts) if (handle.startsWith(sid)) texts.set(sid, spoil(text))
    }
    return { store: new ExpressStore({ store: createTextStore(texts) }), damage }
  }
}

/** A session file whose data are no JSON, although its checksum is right. */
function withoutData(text: string): string {
  const [, head = ''] = text.split('\n')
  const body = `${head}\nhunter2\n`
  return `fastify-typed-session 1 ${crc32(body).toString(16).padStart(8, '0')}\n${body}`
}

const STORES: Record<string, Damaged> = {
  'FileStore, a part': damagedFile((text) => text.slice(0, 200)),
  'FileStore, its data': damagedFile(withoutData),
  'ExpressStore, all': damagedExpress(() => 'hunter2'),
  'ExpressStore, its data': damagedExpress((text) => {
    const session = JSON.parse(text)
    return JSON.stringify({ ...session, record: { ...session.record, json: 'hunter2' } })
  }),
  async SqliteStore(t) {
    const database = await openSqlite(':memory:')
    t.teardown(() => database.close())
    const store = new SqliteStore({ database, pruneInterval: 0 })
    const damage = (handle: string): void => {
      database.prepare(`UPDATE sessions SET data = 'hunter2' || data WHERE key = ?`).run(handle as never)
    }
    return { store, damage }
  }
}

const redis = await startRedis()
if (redis === undefined) {
  cannotTest(t, 'a damaged record in Redis', 'redis-server is not installed')
} else {
  t.teardown(() => redis.end())
  for (const [field, value] of [
    ['.role', 'hunter2'],
    ['.ro"le', '"hunter2"'],
    ['o', 'hunter2'],
    ['c', 'hunter2'],
    ['e', 'hunter2'],
    ['v', 'hunter2']
  ] as const) {
    STORES[`RedisStore, field ${field}`] = async (t) => {
      const client = new Redis({ port: redis.ports[0] as number, host: '127.0.0.1' })
      t.teardown(() => client.disconnect())
      const prefix = `${field}:`
      const damage = (handle: string): unknown => client.hset(prefix + handle, field, value)
      return { store: new RedisStore({ client, prefix }), damage }
    }
  }
  STORES['RedisStore, no hash'] = async (t) => {
    const client = new Redis({ port: redis.ports[0] as number, host: '127.0.0.1' })
    t.teardown(() => client.disconnect())
    const damage = async (handle: string): Promise<void> => {
      await client.set(`text:${handle}`, '{"role":"hunter2"}')
    }
    return { store: new RedisStore({ client, prefix: 'text:' }), damage }
  }
}

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  for (const data of [`data || '{"role":"hunter2"}'`, `'["hunter2"]'`, `'null'`, `'5'`]) {
    STORES[`PostgresStore, ${data}`] = async () => {
      const pool = postgres.pool()
      const store = new PostgresStore({ pool, pruneInterval: 0 })
      await store.migrate()
      const damage = (handle: string): unknown =>
        pool.query(`UPDATE sessions SET data = ${data} WHERE key = $1`, [handle])
      return { store, damage }
    }
  }
}

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  for (const data of [`'{"role":"hunter2"'`, `'["hunter2"]'`, `'null'`, `'5'`, `''`]) {
    STORES[`MySqlStore, ${data}`] = async () => {
      const pool = mysql.pool()
      const store = new MySqlStore({ pool, pruneInterval: 0 })
      await store.migrate()
      const damage = (handle: string): unknown =>
        pool.query(`UPDATE sessions SET data = ${data} WHERE \`key\` = ?`, [handle])
      return { store, damage }
    }
  }
}

for (const [name, open] of Object.entries(STORES)) {
  t.test(`a damaged record locks nobody out: ${name}`, async (t) => {
    const start = async () => {
      const { store, damage } = await open(t)
      const made = await createKitApp({ store, clock: Date.now })
      // Earlier tests have left theirs in the same database.
      await store.destroyAll('1')
      made.app.post('/destroy', async ({ session }) => session.destroy().then(() => 'destroyed'))
      t.teardown(() => made.app.close())
      const browser = await createClient(made.app)
      const logIn = (): Promise<{ statusCode: number }> => browser.post('/login', { payload: { id: ANA.id } })
      await logIn()
      await damage((await browser.get('/id')).body)
      return { ...made, browser, logIn }
    }

    t.test('pages are those of a stranger, and a login is one', async (t) => {
      const { app, browser, logIn, logs, warnings } = await start()
      t.equal((await browser.get('/public')).body, 'for everybody')
      t.equal((await browser.get('/who')).body, 'nobody')
      t.match((await browser.get('/me')).json(), { statusCode: 401, code: 'ERR_SESSION_LOGIN_REQUIRED' })
      t.match(warnings()[0], { reason: 'unreadable', err: { code: 'ERR_SESSION_UNREADABLE' } })
      t.equal((await logIn()).statusCode, 200)
      t.equal((await browser.get('/me')).body, 'Ana')
      t.equal((await app.sessions.list('1')).length, 1, 'the damaged one has ended')
      t.notMatch(JSON.stringify(logs), 'hunter2')
    })

    for (const path of ['/logout', '/destroy']) {
      t.test(`${path} ends it`, async (t) => {
        const { app, browser } = await start()
        t.equal((await browser.post(path)).statusCode, 200)
        t.equal(browser.jar.header(), '')
        t.same(await app.sessions.list('1'), [])
      })
    }

    t.test('its owner can list and end their sessions', async (t) => {
      const { app, browser, logIn } = await start()
      const other = await createClient(app)
      await other.post('/login', { payload: { id: ANA.id } })
      await app.sessions.list('1')
      t.ok((await app.sessions.revokeAll('1')) >= 1)
      t.equal((await other.get('/who')).body, 'nobody')
      t.equal((await logIn()).statusCode, 200)
      t.equal((await browser.get('/me')).body, 'Ana')
    })
  })
}
