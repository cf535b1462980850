// The stores with the oldest and the newest versions of the clients that the package allows, and other clients, which it refuses.
// Each is installed elsewhere: `npm run test:clients`. It needs redis-server, PostgreSQL, MariaDB and a
// registry.

import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { MySqlStore } from '../../lib/stores/mysql/index.ts'
import { PostgresStore } from '../../lib/stores/postgres/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import { SqliteStore } from '../../lib/stores/sqlite/index.ts'
import { testRaces, testStore } from '../../lib/testing/index.ts'
import { startMySql } from '../helpers/mysql.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { startRedis } from '../helpers/redis.ts'
import { until } from '../helpers/service.ts'
import { install, run } from './npm.mjs'

const { peerDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const NAMES = [
  'ioredis',
  'iovalkey',
  'redis',
  '@valkey/valkey-glide',
  'pg',
  'postgres',
  '@electric-sql/pglite',
  'mysql2'
]
/** It is compiled, which takes minutes: the newest one is that of the other tests. */
const COMPILED = 'better-sqlite3'
const COMPILES_FOR = 900_000
const FOLDERS = {
  oldest: Object.fromEntries([...NAMES, COMPILED].map((name) => [name, oldestOf(name)])),
  newest: Object.fromEntries(NAMES.map((name) => [name, 'latest'])),
  others: {
    redis: '4',
    '@upstash/redis': 'latest',
    'ioredis-mock': 'latest',
    ioredis: '5',
    pg: 'latest',
    mysql2: 'latest',
    mariadb: 'latest',
    mysql: 'latest'
  }
}

const directory = mkdtempSync(join(tmpdir(), 'session-clients-'))
const [redis, postgres, mysql] = [await startRedis(), await startPostgres(), await startMySql()]
after(async () => {
  await redis?.end()
  await postgres?.end()
  await mysql?.end()
  rmSync(directory, { recursive: true, force: true })
})
if (redis === undefined || postgres === undefined || mysql === undefined) {
  throw new Error('Install redis-server, PostgreSQL and MariaDB.')
}
const url = `redis://127.0.0.1:${redis.ports[0]}`

for (const [folder, dependencies] of Object.entries(FOLDERS)) await install(join(directory, folder), dependencies)
await run('npm', ['rebuild', COMPILED], { cwd: join(directory, 'oldest'), timeout: COMPILES_FOR })

for (const age of ['oldest', 'newest']) {
  const require = createRequire(join(directory, age, 'x.js'))
  // Not by `require`: not every package exports its package.json.
  const titleOf = (name) => {
    const file = join(directory, age, 'node_modules', name, 'package.json')
    return `${name} ${JSON.parse(readFileSync(file, 'utf8')).version}`
  }

  for (const name of ['ioredis', 'iovalkey']) {
    test(titleOf(name), async (t) => {
      const { default: Redis } = require(name)
      const client = new Redis(url)
      await runSuites(t, (clock) => new RedisStore({ client, clock, prefix: `${age}:${name}:` }))
      client.disconnect()
    })
  }

  for (const method of ['createClient', 'createClientPool']) {
    test(`${method} of ${titleOf('redis')}`, async (t) => {
      const redis = require('redis')
      const client = redis[method]({ url })
      await client.connect()
      // A pool cannot open one more connection, on which messages are heard.
      const subscriber = method === 'createClientPool' ? await redis.createClient({ url }).connect() : undefined
      await runSuites(t, (clock) => new RedisStore({ client, subscriber, clock, prefix: `${age}:` }))
      client.destroy()
      subscriber?.destroy()
    })
  }

  test(titleOf('@valkey/valkey-glide'), async (t) => {
    const { GlideClient, Logger } = require('@valkey/valkey-glide')
    Logger.setLoggerConfig('off')
    const { default: Redis } = require('ioredis')
    const addresses = [{ host: '127.0.0.1', port: redis.ports[0] }]
    const client = await GlideClient.createClient({ addresses, requestTimeout: 10_000 })
    const subscriber = new Redis(url)
    await runSuites(t, (clock) => new RedisStore({ client, subscriber, clock, prefix: `${age}:glide:` }))
    subscriber.disconnect()
    client.close()
  })

  test(titleOf('pg'), async (t) => {
    const { Pool } = require('pg')
    const pool = new Pool({ connectionString: postgres.url })
    const table = `sessions_${age}`
    const open = (clock) => new PostgresStore({ pool, table, clock, pruneInterval: 0 })
    await open().migrate()
    await runSuites(t, open)
    await pool.end()
  })

  test(titleOf('postgres'), async (t) => {
    const pool = require('postgres')(postgres.url, { onnotice: () => {} })
    const table = `sessions_js_${age}`
    const open = (clock) => new PostgresStore({ pool, table, clock, pruneInterval: 0 })
    await open().migrate()
    await runSuites(t, open)
    // postgres.js 3.0.0 hears again and does not say so.
    let losses = 0
    const stop = await open().listen(
      () => {},
      () => losses++
    )
    await pool`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%'`
    await until(async () => assert.equal(losses, 1))
    stop()
    await pool.end({ timeout: 1 })
  })

  test(titleOf('@electric-sql/pglite'), async (t) => {
    const { PGlite } = require('@electric-sql/pglite')
    const pool = new PGlite()
    const open = (clock) => new PostgresStore({ pool, clock, pruneInterval: 0 })
    await open().migrate()
    await runSuites(t, open)
    await pool.close()
  })

  test(titleOf('mysql2'), async (t) => {
    const { createPool } = require('mysql2/promise')
    const pool = createPool(mysql.url)
    const table = `sessions_${age}`
    const open = (clock) => new MySqlStore({ pool, table, clock, pruneInterval: 0 })
    await open().migrate()
    await runSuites(t, open)
    await pool.end()
  })
}

test(`${COMPILED} ${oldestOf(COMPILED)}`, async (t) => {
  const Database = createRequire(join(directory, 'oldest', 'x.js'))(COMPILED)
  const database = new Database(join(directory, 'oldest.db'))
  await runSuites(t, (clock) => new SqliteStore({ database, clock, pruneInterval: 0 }))
  database.close()
})

test('other clients are refused at once', async () => {
  const require = createRequire(join(directory, 'others', 'x.js'))
  const { Redis } = require('@upstash/redis')
  const mock = new (require('ioredis-mock'))()
  const { createClient, createCluster } = require('redis')
  const refused = { code: 'ERR_SESSION_OPTION_INVALID' }
  for (const client of [
    new Redis({ url: 'https://nobody.example', token: 'none' }),
    mock,
    createClient(),
    createCluster({ rootNodes: [{ url }] })
  ]) {
    assert.throws(() => new RedisStore({ client }), refused)
  }
  const { Client } = require('pg')
  assert.throws(() => new PostgresStore({ pool: new Client() }), refused)
  const { hostname: host, port, username: user } = new URL(mysql.url)
  for (const name of ['mysql2', 'mariadb', 'mysql']) {
    const pool = require(name).createPool({ host, port: Number(port), user, connectionLimit: 1 })
    assert.throws(() => new MySqlStore({ pool }), refused)
    await pool.end(() => {})
  }
  mock.disconnect()
})

/** The oldest version of a client that the package allows, in full. */
function oldestOf(name) {
  return peerDependencies[name].replace('>=', '')
}

/**
 * Both suites, as tests of a test. No store may prune by the clock of the system: to that, the sessions of the suites have
 * expired.
 */
async function runSuites(t, open) {
  const running = []
  const suite = { test: (name, run) => running.push(t.test(name, run)), open, close: () => {} }
  testStore(suite)
  testRaces(suite)
  await Promise.all(running)
}
