import t from 'tap'
import type { SessionStore } from '../../lib/index.ts'
import { MySqlStore } from '../../lib/stores/mysql/index.ts'
import { PostgresStore } from '../../lib/stores/postgres/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import { createApp } from '../helpers/app.ts'
import { localStores } from '../helpers/local-stores.ts'
import { reachMySql } from '../helpers/mysql.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { openRedis } from '../helpers/redis.ts'

const STORE_TIMEOUT = 0.6
const VISITORS = 8

/** The event loop stands still, as during a large computation. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

type Open = (clock: () => number) => SessionStore

function testStalls(name: string, open: Open): void {
  t.test(`${name}: answers that have come while the process stood still count`, async (t) => {
    const { app } = await createApp({ store: open, storeTimeout: STORE_TIMEOUT })
    app.get('/count', async ({ session }) => {
      session.visits = (session.visits ?? 0) + 1
      return session.visits
    })
    app.get('/update', async ({ session }) =>
      session.update((data) => {
        data.visits = (data.visits ?? 0) + 1
        return data.visits
      })
    )
    app.get('/renew', async ({ session }) => session.renew())
    const visitors = await Promise.all(Array.from({ length: VISITORS }, () => createClient(app)))
    await Promise.all(visitors.map((visitor) => visitor.get('/count')))
    for (const path of ['/count', '/update', '/renew']) {
      const replies = Promise.all(visitors.map((visitor) => visitor.get(path)))
      // The calls of the store are under way then.
      for (let turn = 0; turn < 3; turn++) await new Promise(setImmediate)
      block(STORE_TIMEOUT * 1500)
      const statuses = (await replies).map(({ statusCode }) => statusCode)
      t.same(new Set(statuses), new Set([200]), path)
    }
  })
}

const { FileStore, SqliteStore } = await localStores(t)
const client = await openRedis(t, 'RedisStore')
const postgres = await reachPostgres(t)
const pool = postgres?.pool()
if (pool !== undefined) {
  t.teardown(() => postgres?.end())
  await new PostgresStore({ pool, pruneInterval: 0 }).migrate()
}

const mysql = await reachMySql(t)
const mysqlPool = mysql?.pool()
if (mysqlPool !== undefined) {
  t.teardown(() => mysql?.end())
  await new MySqlStore({ pool: mysqlPool, pruneInterval: 0 }).migrate()
}

testStalls('FileStore', FileStore as Open)
testStalls('SqliteStore', SqliteStore as Open)
if (client !== undefined) testStalls('RedisStore', (clock) => new RedisStore({ client, clock }))
if (pool !== undefined) {
  testStalls('PostgresStore', (clock) => new PostgresStore({ pool, clock, pruneInterval: 0 }))
}
if (mysqlPool !== undefined) {
  testStalls('MySqlStore', (clock) => new MySqlStore({ pool: mysqlPool, clock, pruneInterval: 0 }))
}
