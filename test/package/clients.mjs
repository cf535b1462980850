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
import { testRaces, testStore } from '../../lib/testing/index.ts'
import { startMySql } from '../helpers/mysql.ts'
import { startPostgres } from '../helpers/postgres.ts'
import { startRedis } from '../helpers/redis.ts'
import { install } from './npm.mjs'

const { peerDependencies } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
const NAMES = ['ioredis', 'iovalkey', 'redis', 'pg', 'postgres', '@electric-sql/pglite', 'mysql2']
const FOLDERS = {
  oldest: Object.fromEntries(NAMES.map((name) => [name, peerDependencies[name].replace('>=', '')])),
  newest: Object.fromEntries(NAMES.map((name) => [name, 'latest'])),
  others: {
    redis: '4',
    '@upstash/redis': 'latest',
    'ioredis-mock': 'latest',
    ioredis: '5',
    pg: 'latest',
    mysql2: 'latest'
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

  test(titleOf('pg'), async (t) => {
    const { Pool } = require('pg')
    const pool = new Pool({ connectionString: postgres.url })
    const table = `sessions_${age}`
    await new PostgresStore({ pool, table }).migrate()
    await runSuites(t, (clock) => new PostgresStore({ pool, table, clock, pruneInterval: 0 }))
    await pool.end()
  })

  test(titleOf('postgres'), async (t) => {
    const pool = require('postgres')(postgres.url, { onnotice: () => {} })
    const table = `sessions_js_${age}`
    await new PostgresStore({ pool, table }).migrate()
    await runSuites(t, (clock) => new PostgresStore({ pool, table, clock, pruneInterval: 0 }))
    await pool.end({ timeout: 1 })
  })

  test(titleOf('@electric-sql/pglite'), async (t) => {
    const { PGlite } = require('@electric-sql/pglite')
    const pool = new PGlite()
    await new PostgresStore({ pool }).migrate()
    await runSuites(t, (clock) => new PostgresStore({ pool, clock, pruneInterval: 0 }))
    await pool.close()
  })

  test(titleOf('mysql2'), async (t) => {
    const { createPool } = require('mysql2/promise')
    const pool = createPool(mysql.url)
    const table = `sessions_${age}`
    await new MySqlStore({ pool, table }).migrate()
    await runSuites(t, (clock) => new MySqlStore({ pool, table, clock, pruneInterval: 0 }))
    await pool.end()
  })
}

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
  const callbacks = require('mysql2').createPool(mysql.url)
  assert.throws(() => new MySqlStore({ pool: callbacks }), refused)
  mock.disconnect()
})

/** Both suites, as tests of a test. */
async function runSuites(t, open) {
  const running = []
  const suite = { test: (name, run) => running.push(t.test(name, run)), open, close: () => {} }
  testStore(suite)
  testRaces(suite)
  await Promise.all(running)
}
