import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import t from 'tap'
import type { ExpressSessionStore } from '../../lib/stores/express/index.ts'
import { ExpressStore } from '../../lib/stores/express/index.ts'
import { FileStore } from '../../lib/stores/file/index.ts'
import { MySqlStore } from '../../lib/stores/mysql/index.ts'
import { PostgresStore } from '../../lib/stores/postgres/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import { SqliteStore } from '../../lib/stores/sqlite/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { setCookieLines } from '../../lib/testing/set-cookie.ts'
import type { SessionStore } from '../../types/store.ts'
import { createApp, decisionsOf } from '../helpers/app.ts'
import { mountDisk, remountDisk } from '../helpers/disk.ts'
import { reachMySql } from '../helpers/mysql.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { startRedis } from '../helpers/redis.ts'
import { cannotTest, until } from '../helpers/service.ts'
import { newPath, openSqlite } from '../helpers/sqlite.ts'

// It has no types.
const require = createRequire(import.meta.url)
const expressSession: { MemoryStore: new () => ExpressSessionStore & { touch: unknown } } = require('express-session')

interface Refusing {
  readonly open: (clock: () => number) => SessionStore
  /** From now on the store refuses to write, and can be read. */
  refuse(): unknown
  /** From now on it writes again. */
  accept(): unknown
}

async function tellRefusal(t: Test, { open, refuse, accept }: Refusing): Promise<void> {
  const { app, clock, warnings } = await createApp({ store: open, storeTimeout: 1 })
  t.teardown(() => app.close())
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/untouched', async () => 'ok')
  app.get('/count', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return ''
  })
  const visitor = await createClient(app)
  t.equal((await visitor.get('/count')).statusCode, 200)
  await refuse()
  t.same((await visitor.get('/read')).json(), { visits: 1 })
  clock.advance(61)
  for (const path of ['/read', '/untouched']) {
    let response = await visitor.get(path)
    const decisions = await decisionsOf(async () => {
      response = await visitor.get(path)
    })
    t.equal(response.statusCode, 200, path)
    t.same(setCookieLines(response), [])
    t.same(decisions, ['open: opened', 'commit: store-unavailable'])
  }
  t.match(warnings(), [{ reason: 'store-unavailable' }])
  t.equal(warnings().length, 1)
  t.equal((await visitor.get('/count')).statusCode, 503)
  await accept()
  t.equal((await visitor.get('/count')).statusCode, 200)
  t.same((await visitor.get('/read')).json(), { visits: 2 }, 'and nothing was written late')
}

// tap ends the file when nothing runs while it waits for a server.
const server = await startRedis()
// Nobody can save to /proc, root neither.
const unsaving = await startRedis('--dir', '/proc', '--save', '3600 1')
const postgres = await reachPostgres(t)
if (postgres !== undefined) await new PostgresStore({ pool: postgres.pool() }).migrate()

if (server === undefined) cannotTest(t, 'a Redis that refuses writes', 'there is no redis-server to start')
else {
  const [port] = server.ports as [number]
  t.teardown(() => server.end())
  const client = new Redis({ port, host: '127.0.0.1' })
  t.teardown(() => client.disconnect())
  const open = (clock: () => number): SessionStore => new RedisStore({ client, clock })
  const configure = (name: string, value: string | number) => () => client.config('SET', name, value)

  t.test('pages that only read are served by a Redis without memory', (t) =>
    tellRefusal(t, { open, refuse: configure('maxmemory', 1), accept: configure('maxmemory', 0) })
  )
  t.test('pages that only read are served by a Redis that has lost its replicas', (t) =>
    tellRefusal(t, {
      open,
      refuse: configure('min-replicas-to-write', 1),
      accept: configure('min-replicas-to-write', 0)
    })
  )
  t.test('pages that only read are served by a read-only replica of Redis', (t) =>
    tellRefusal(t, {
      open,
      refuse: () => client.replicaof('127.0.0.1', 1),
      accept: () => client.replicaof('NO', 'ONE')
    })
  )

  const other = new Redis({ port: unsaving?.ports[0] as number, host: '127.0.0.1' })
  t.teardown(() => {
    other.disconnect()
    return unsaving?.end()
  })
  t.test('pages that only read are served by a Redis that cannot save (MISCONF)', (t) =>
    tellRefusal(t, {
      open: (clock) => new RedisStore({ client: other, clock }),
      async refuse() {
        await other.bgsave()
        await until(async () => {
          if (!(await other.info('persistence')).includes('rdb_last_bgsave_status:err')) throw new Error('still saving')
        })
      },
      accept: () => other.config('SET', 'stop-writes-on-bgsave-error', 'no')
    })
  )
}

if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  t.test('pages that only read are served by a read-only PostgreSQL', async (t) => {
    let pool = postgres.pool()
    const switched = { connect: () => pool.connect() }
    await tellRefusal(t, {
      open: (clock) => new PostgresStore({ pool: switched, clock, pruneInterval: 0 }),
      refuse() {
        pool = postgres.pool({ options: '-c default_transaction_read_only=on' })
      },
      accept() {
        pool = postgres.pool()
      }
    })
  })
}

t.test('pages that only read are served by a SQLite that somebody else has locked', async (t) => {
  const path = newPath(t)
  const [database, other] = [await openSqlite(path), await openSqlite(path)]
  t.teardown(() => {
    database.close()
    other.close()
  })
  database.exec('PRAGMA journal_mode = WAL')
  await tellRefusal(t, {
    open: (clock) => new SqliteStore({ database, clock, pruneInterval: 0 }),
    refuse: () => other.exec('BEGIN IMMEDIATE'),
    accept: () => other.exec('ROLLBACK')
  })
})

t.test('pages that only read are served from a directory of a read-only disk', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'session-readonly-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  if (!mountDisk(t, directory, '4m')) return
  await tellRefusal(t, {
    open: (clock) => new FileStore({ directory: join(directory, 'sessions'), clock, pruneInterval: 0 }),
    refuse: () => remountDisk(directory, 'ro'),
    accept: () => remountDisk(directory, 'rw')
  })
})

t.test('pages that only read are served by a store of express-session that cannot write', async (t) => {
  const wrapped = new expressSession.MemoryStore()
  const { set, touch } = wrapped
  const refuse = (...values: unknown[]): void => (values.at(-1) as (error: Error) => void)(new Error('read-only'))
  await tellRefusal(t, {
    open: (clock) => new ExpressStore({ store: wrapped, clock }),
    refuse: () => Object.assign(wrapped, { set: refuse, touch: refuse }),
    accept: () => Object.assign(wrapped, { set, touch })
  })
})

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  await new MySqlStore({ pool: mysql.pool() }).migrate()
  t.test('pages that only read are served by a MariaDB that only reads', async (t) => {
    let pool = mysql.pool()
    const switched = { getConnection: () => pool.getConnection() }
    await tellRefusal(t, {
      open: (clock) => new MySqlStore({ pool: switched, clock, pruneInterval: 0 }),
      refuse() {
        pool = mysql.pool({}, ['SET SESSION TRANSACTION READ ONLY'])
      },
      accept() {
        pool = mysql.pool()
      }
    })
  })
}
