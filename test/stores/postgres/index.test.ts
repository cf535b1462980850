import { mock } from 'node:test'
import type pg from 'pg'
import t from 'tap'
import type { PostgresPool, PostgresStoreOptions } from '../../../lib/stores/postgres/index.ts'
import { PostgresStore } from '../../../lib/stores/postgres/index.ts'
import { writeStatements } from '../../../lib/stores/postgres/statements.ts'
import { testRaces, testStore } from '../../../lib/testing/index.ts'
import { newKey, newRecord } from '../../../lib/testing/store-contract/bench.ts'
import type { CreateResult, SessionChanges, SessionRecord } from '../../../types/store.ts'
import { when } from '../../helpers/fake-time.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

const NOW = 1_763_640_000
const LATER = NOW + 3600
const SET_A: SessionChanges = { set: { a: '1' }, unset: [] }

const unused: PostgresPool = { connect: () => Promise.reject(new Error('connect')) }

t.test('what the pool throws reaches the caller', async (t) => {
  const store = new PostgresStore({ pool: unused })
  const record = newRecord({ ownerId: 'ada' })
  await t.rejects(store.load(newKey()), { message: 'connect' })
  await t.rejects(store.create(newKey(), record, LATER, { max: 1, evict: true }), { message: 'connect' })
  await t.rejects(store.migrate(), { message: 'connect' })
})

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  const pool = postgres.pool({ max: 20 })
  let tables = 0

  /** A store with a table of its own. */
  const openStore = async (options: Partial<PostgresStoreOptions> = {}) => {
    const table = `sessions${tables++}`
    const store = new PostgresStore({ pool, table, clock: () => NOW * 1000, pruneInterval: 0, ...options })
    await store.migrate()
    const add = async (record: Partial<SessionRecord> = {}, expiresAt = LATER): Promise<string> => {
      const key = newKey()
      await store.create(key, newRecord(record), expiresAt)
      return key
    }
    return { store, table, add }
  }

  const select = async (text: string, values: unknown[] = []): Promise<Record<string, unknown>> =>
    (await pool.query(text, values)).rows[0]

  /** Runs `change` in a transaction that ends when `call` waits for it; gives what `call` gives. */
  const whileLocked = async <T>(change: string, key: string, call: () => Promise<T>): Promise<T> => {
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(change, [key])
    const { pid } = (await other.query('SELECT pg_backend_pid() AS pid')).rows[0]
    const result = call()
    await when(async () => {
      const { waits } = await select(
        'SELECT count(*) AS waits FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))',
        [pid]
      )
      return waits !== '0'
    })
    await other.query('COMMIT')
    other.release()
    return result
  }

  for (const unlogged of [false, true]) {
    t.test(`the contract, ${unlogged ? 'unlogged' : 'logged'}`, async (t) => {
      const { store, table } = await openStore({ unlogged })
      const { relpersistence } = await select('SELECT relpersistence FROM pg_class WHERE oid = to_regclass($1)', [
        table
      ])
      t.equal(relpersistence, unlogged ? 'u' : 'p')
      await store.close()
      testStore({
        test: (name, run) => t.test(name, run),
        open: (clock) => new PostgresStore({ pool, table, clock, pruneInterval: 0 })
      })
    })
  }

  t.test('a table in partitions is one table to the store', async (t) => {
    const { table: model } = await openStore()
    const table = `sessions${tables++}`
    await pool.query(`CREATE TABLE ${table} (LIKE ${model} INCLUDING ALL) PARTITION BY HASH (key)`)
    for (const remainder of [0, 1, 2]) {
      await pool.query(`CREATE TABLE ${table}_${remainder} PARTITION OF ${table}
        FOR VALUES WITH (MODULUS 3, REMAINDER ${remainder}) WITH (fillfactor = 90)`)
    }
    await pool.query(`COMMENT ON TABLE ${table} IS 'fastify-typed-session 1'`)
    const { add } = await openStore({ table })
    for (let count = 0; count < 30; count++) await add()
    t.match(await select(`SELECT count(DISTINCT tableoid) AS parts FROM ${table}`), { parts: '3' })
    testStore({
      test: (name, run) => t.test(name, run),
      open: (clock) => new PostgresStore({ pool, table, clock, pruneInterval: 0 })
    })
  })

  for (const isolation of ['repeatable read', 'serializable']) {
    t.test(`200 updates at once all count, with ${isolation} as the default`, async (t) => {
      const strict = postgres.pool({
        max: 20,
        options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`
      })
      const { store, add } = await openStore({ pool: strict })
      const key = await add({ json: '{"n":0}' })
      const increment = async (): Promise<void> => {
        for (;;) {
          const { json, version } = (await store.load(key)) ?? { json: '{}', version: 0 }
          const changes = { set: { n: String(JSON.parse(json).n + 1) }, unset: [] }
          const call = { deadline: performance.now() + 20_000 }
          if ((await store.commit(key, changes, LATER, version, call)) === 'committed') return
        }
      }
      const touch = (): Promise<boolean> => store.touch(key, LATER, NOW, { deadline: performance.now() + 20_000 })
      const calls = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? increment() : touch()))
      await Promise.all(calls)
      t.match(await store.load(key), { json: '{"n":100}', version: 100 })
    })
  }

  t.test('the races', async (t) => {
    const { store, table } = await openStore()
    await store.close()
    testRaces({
      test: (name, run) => t.test(name, run),
      open: (clock) => new PostgresStore({ pool, table, clock, pruneInterval: 0 })
    })
  })

  t.test('a login that waits for another one beyond its time ends nothing', async (t) => {
    const { store, table, add } = await openStore()
    const key = await add({ ownerId: 'ada' })
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(`SELECT pg_advisory_xact_lock(hashtextextended('ada', to_regclass($1)::oid::bigint))`, [table])
    const call = { deadline: performance.now() + 50 }
    const login = store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true }, call)
    const refused = t.rejects(login, /written too late|no time left/)
    await when(() => performance.now() > call.deadline)
    await other.query('COMMIT')
    other.release()
    await refused
    t.same(
      (await store.list('ada')).map((record) => record.key),
      [key]
    )
  })

  t.test('every method is one statement, but for a limit', async (t) => {
    const { table } = await openStore()
    const { pool: counting, queries } = count(pool)
    const store = new PostgresStore({ pool: counting, table, clock: () => NOW * 1000 })
    const key = newKey()
    const record = newRecord({ ownerId: 'ada' })
    const steps: [name: string, step: () => Promise<unknown>, statements: number][] = [
      ['create', () => store.create(key, record, LATER), 1],
      ['load', () => store.load(key), 1],
      ['commit', () => store.commit(key, SET_A, LATER), 1],
      ['conflict', () => store.commit(key, SET_A, LATER, 7), 1],
      ['gone', () => store.commit(newKey(), SET_A, LATER), 1],
      ['touch', () => store.touch(key, LATER, NOW), 1],
      ['list', () => store.list('ada'), 1],
      ['limit', () => store.create(newKey(), record, LATER, { max: 2, evict: true }), 4],
      ['limit without owner', () => store.create(newKey(), newRecord(), LATER, { max: 2, evict: true }), 1],
      ['destroyAll', () => store.destroyAll('ada', key), 1],
      ['destroy', () => store.destroy(key), 1]
    ]
    for (const [name, step, statements] of steps) {
      queries.length = 0
      await step()
      t.equal(queries.length, statements, name)
    }
    await store.close()
  })

  t.test('the table holds each member as JSON text, to be read in SQL', async (t) => {
    const { store, table, add } = await openStore()
    const key = await add({ json: '{"userId":42,"cart":{"z":1,"a":[]}}', permanent: true, ownerId: 'ada' })
    await store.commit(key, { set: { 'a"\0': '"\\u0000\\ud800"' }, unset: ['cart'] }, LATER)
    t.same(await select(`SELECT * FROM ${table} WHERE (data->>'userId')::jsonb = '42'`), {
      key,
      created_at: String(NOW),
      last_seen_at: String(NOW),
      expires_at: String(LATER),
      expires_hour: String(Math.floor(LATER / 3600)),
      version: 1,
      permanent: true,
      owner_id: 'ada',
      description: null,
      extensions: null,
      data: { userId: '42', 'a\\"\\u0000': '"\\u0000\\ud800"' }
    })
  })

  t.test('a member that is both set and removed is set', async (t) => {
    const { store, add } = await openStore()
    const key = await add({ json: '{"a":0}' })
    await store.commit(key, { set: { a: '1' }, unset: ['a'] }, LATER)
    t.equal((await store.load(key))?.json, '{"a":1}')
  })

  t.test('a commit that has to wait', async (t) => {
    const { store, table, add } = await openStore()
    const commit = (key: string, version?: number) => () => store.commit(key, SET_A, LATER, version)
    const steps: [name: string, change: string, version: number | undefined, result: string][] = [
      [
        'for another member keeps it',
        `UPDATE ${table} SET data = data || '{"b": "2"}' WHERE key = $1`,
        undefined,
        'committed'
      ],
      ['for another version is a conflict', `UPDATE ${table} SET version = 1 WHERE key = $1`, 0, 'conflict'],
      ['for a logout is gone', `DELETE FROM ${table} WHERE key = $1`, undefined, 'gone'],
      ['for a logout is gone, and no conflict', `DELETE FROM ${table} WHERE key = $1`, 0, 'gone'],
      ['for an end is gone', `UPDATE ${table} SET expires_at = ${NOW - 1} WHERE key = $1`, 0, 'gone']
    ]
    for (const [name, change, version, result] of steps) {
      const key = await add({ json: '{}' })
      t.equal(await whileLocked(change, key, commit(key, version)), result, name)
      if (result === 'committed') t.same(JSON.parse((await store.load(key))?.json ?? ''), { a: 1, b: 2 })
    }
  })

  t.test('a logout, a touch and an end of all wait for a commit and see what it did', async (t) => {
    const { store, table, add } = await openStore()
    const change = `UPDATE ${table} SET version = 1 WHERE key = $1`
    const [destroyed, ended, touched] = [await add(), await add({ ownerId: 'ada' }), await add()]
    await whileLocked(change, destroyed, () => store.destroy(destroyed))
    t.equal(await store.load(destroyed), undefined)
    t.equal(await whileLocked(change, ended, () => store.destroyAll('ada')), 1)
    t.equal(await store.load(ended), undefined)
    t.equal(await whileLocked(change, touched, () => store.touch(touched, LATER + 5)), true)
    t.match(await store.load(touched), { version: 1, expiresAt: LATER + 5 })
    t.equal(await whileLocked(`DELETE FROM ${table} WHERE key = $1`, touched, () => store.touch(touched, LATER)), false)
  })

  t.test('of two who take the key of an expired record, one gets it', async (t) => {
    const { store, table, add } = await openStore()
    const key = await add({}, NOW - 1)
    const change = `UPDATE ${table} SET expires_at = ${LATER} WHERE key = $1`
    t.equal(await whileLocked(change, key, () => store.create(key, newRecord(), LATER)), false)
  })

  t.test('20 connections: no change is lost', async (t) => {
    const { store, add } = await openStore()
    const key = await add({ json: '{"n":0}' })
    let conflicts = 0
    const increment = async (): Promise<void> => {
      for (;;) {
        const { json, version } = (await store.load(key)) ?? { json: '{}', version: 0 }
        const set = { n: String(JSON.parse(json).n + 1) }
        if ((await store.commit(key, { set, unset: [] }, LATER, version)) === 'committed') return
        conflicts++
      }
    }
    await Promise.all(Array.from({ length: 20 }, increment))
    t.match(await store.load(key), { json: '{"n":20}', version: 20 })
    t.ok(conflicts > 0, 'they did meet')
  })

  t.test('50 logins at once do not get past a limit', async (t) => {
    for (const evict of [true, false, true, false, true, false]) {
      const { store, add } = await openStore()
      await add({ ownerId: 'ada' })
      const login = (): Promise<CreateResult> =>
        store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 3, evict })
      const results = await Promise.all(Array.from({ length: 50 }, login))
      t.equal((await store.list('ada')).length, 3)
      t.equal(results.filter((result) => result === true).length, evict ? 50 : 2)
      t.equal(results.filter((result) => result === 'over-limit').length, evict ? 0 : 48)
    }
  })

  t.test('a limit holds where the default is another isolation', async (t) => {
    const strict = postgres.pool({ max: 10, options: '-c default_transaction_isolation=serializable' })
    const { store } = await openStore({ pool: strict })
    const login = (): Promise<CreateResult> =>
      store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 3, evict: false })
    await Promise.all(Array.from({ length: 20 }, login))
    t.equal((await store.list('ada')).length, 3)
  })

  t.test('a limit and a key that exists: nothing is written and nobody has to go', async (t) => {
    const { store, add } = await openStore()
    const [first, second] = [await add({ ownerId: 'ada' }), await add({ ownerId: 'ada' })]
    const record = newRecord({ ownerId: 'ada' })
    t.equal(await store.create(first, record, LATER, { max: 1, evict: true }), false)
    t.equal(await store.create(first, record, LATER, { max: 1, evict: false }), false)
    t.equal(await store.create(first, record, LATER, { max: 9, evict: false }), false)
    t.same((await store.list('ada')).map(({ key }) => key).sort(), [first, second].sort())
  })

  t.test('methods that remove many at once do not deadlock', async (t) => {
    const { store, table } = await openStore()
    const record = newRecord({ ownerId: 'ada' })
    for (let round = 0; round < 5; round++) {
      // The order of keys and that of ages are opposites, and so are those of the table and of the index.
      const keys = Array.from({ length: 60 }, (_, index) => `${String.fromCharCode(65 + index)}${newKey().slice(1)}`)
      for (const [index, key] of keys.entries()) {
        await store.create(key, newRecord({ ownerId: 'ada', createdAt: NOW - index }), LATER)
      }
      const key = keys[30] as string
      await Promise.all([
        store.create(newKey(), record, LATER, { max: 5, evict: true }),
        ...keys.map((key) => store.touch(key, LATER)),
        store.destroyAll('ada', key),
        pool.query(`UPDATE ${table} SET expires_at = ${NOW - 1} WHERE key = $1`, [keys[0]]),
        store.create(newKey(), record, LATER, { max: 4, evict: true }),
        store.prune(),
        store.destroyAll('ada'),
        ...keys.map((key) => store.commit(key, SET_A, LATER)),
        store.prune(),
        store.create(newKey(), record, LATER, { max: 3, evict: true })
      ])
      await store.destroyAll('ada')
      t.same(await store.list('ada'), [])
    }
  })

  t.test('prune removes what has expired, in steps, and nothing else', async (t) => {
    // In the middle of an hour.
    const now = NOW + 1800
    const { store, table, add } = await openStore({ clock: () => now * 1000 })
    const [last, live] = [await add({}, now), await add({}, now + 3600)]
    await pool.query(
      `INSERT INTO ${table} (key, data, created_at, last_seen_at, permanent, expires_at, version)
       SELECT i::text, '{}', 0, 0, false, ${now} - i, 0 FROM generate_series(1, 2500) AS i`
    )
    const { pool: counting, queries } = count(pool)
    const pruning = new PostgresStore({ pool: counting, table, clock: () => now * 1000 })
    t.equal(await pruning.prune(), 2500)
    t.equal(queries.length, 3)
    t.equal(await pruning.prune(), 0)
    await pruning.close()
    t.ok((await store.load(last)) && (await store.load(live)))
  })

  t.test('prune does not wait for anybody', async (t) => {
    const { store, table, add } = await openStore()
    const key = await add({}, NOW - 1)
    await add({}, NOW - 1)
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(`SELECT FROM ${table} WHERE key = $1 FOR UPDATE`, [key])
    t.equal(await store.prune(), 1)
    await other.query('COMMIT')
    other.release()
    t.equal(await store.prune(), 1)
  })

  t.test('prune is called soon and then every interval, until close', async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const { pool: counting, queries: calls } = count(pool)
    const { table } = await openStore()
    const store = new PostgresStore({ pool: counting, table, pruneInterval: 60 })
    mock.timers.tick(30_000)
    await when(() => calls.length === 1)
    t.match(calls[0], /DELETE/)
    await when(() => {
      mock.timers.tick(60_000)
      return calls.length === 2
    })
    await store.close()
    mock.timers.tick(60_000)
    t.equal(calls.length, 2)
  })

  t.test('one process at a time prunes a table, and nobody waits for one that was killed', async (t) => {
    const { store, table, add } = await openStore()
    const { store: beside, add: addBeside } = await openStore()
    await Promise.all([add({}, NOW - 1), addBeside({}, NOW - 1)])
    const other = await pool.connect()
    await other.query('BEGIN')
    // Another process in the middle of its statement, for a store with the same table.
    const statement = writeStatements(`"${table}"`).prune
    t.equal((await other.query(statement, [NOW - 10, 1000, `"${table}"`])).rowCount, 0)
    t.equal(await store.prune(), 0)
    t.equal(await beside.prune(), 1, 'another table is another matter')
    const login = store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true })
    t.equal(await login, true, 'and no login waits')
    other.release(true)
    await when(async () => (await store.prune()) === 1)
  })

  t.test('close leaves the pool open', async (t) => {
    const { store } = await openStore()
    await store.close()
    t.equal(await store.load(newKey()), undefined)
    t.notOk(pool.ending)
  })

  t.test('an update that moves the expiry writes to no index', async (t) => {
    const { table, add } = await openStore()
    for (let i = 0; i < 20; i++) await add({ ownerId: 'ada' }, NOW + 60)
    const other = await pool.connect()
    await other.query('BEGIN')
    await other.query(`UPDATE ${table} SET expires_at = ${NOW + 120}`)
    const { rows } = await other.query(
      'SELECT n_tup_upd AS all, n_tup_hot_upd AS hot FROM pg_stat_xact_user_tables WHERE relid = to_regclass($1)',
      [table]
    )
    await other.query('COMMIT')
    other.release()
    t.same(rows, [{ all: '20', hot: '20' }])
  })

  t.test('migrate may be called again, and by many at once', async (t) => {
    const stores = Array.from({ length: 10 }, () => new PostgresStore({ pool, table: 'many', pruneInterval: 0 }))
    await Promise.all(stores.map((store) => store.migrate()))
    await stores[0]?.create(newKey(), newRecord({ ownerId: 'ada' }), 2 ** 40)
    await stores[0]?.migrate()
    t.equal((await stores[0]?.list('ada'))?.length, 1, 'and loses nothing')
    const { comment } = await select("SELECT obj_description(to_regclass('many'), 'pg_class') AS comment")
    t.equal(comment, 'fastify-typed-session 1')
  })

  t.test('a table that is up to date asks for no rights', async (t) => {
    const { table } = await openStore()
    const { pool: counting, queries } = count(pool)
    await new PostgresStore({ pool: counting, table, pruneInterval: 0 }).migrate()
    t.notMatch(queries.join('\n'), /\b(CREATE|ALTER|COMMENT)\b/)
  })

  t.test('migrate refuses what is not its own, and leaves it alone', async (t) => {
    const refused = { code: 'ERR_SESSION_OPTION_INVALID' }
    await pool.query('CREATE TABLE foreign1 (sid text)')
    await t.rejects(new PostgresStore({ pool, table: 'foreign1' }).migrate(), { ...refused, message: /foreign1/ })
    await pool.query('CREATE VIEW foreign2 AS SELECT 1 AS key')
    await t.rejects(new PostgresStore({ pool, table: 'foreign2' }).migrate(), { ...refused, message: /foreign2/ })
    const { store, table } = await openStore()
    await pool.query(`COMMENT ON TABLE ${table} IS 'fastify-typed-session 99'`)
    await t.rejects(store.migrate(), { ...refused, message: /version 99.* supports 1\b/ })
    await pool.query(`COMMENT ON TABLE ${table} IS 'fastify-typed-session 1'`)
    await pool.query(`ALTER TABLE ${table} ALTER COLUMN version TYPE bigint, DROP COLUMN last_seen_at`)
    await t.rejects(store.migrate(), { ...refused, message: /(?=.*version integer)(?=.*last_seen_at bigint)/ })
    await t.rejects(store.load(newKey()), { code: 'ERR_SESSION_STORE_UNAVAILABLE', cause: { code: '42703' } })
  })

  t.test('a refused migration leaves nothing behind', async (t) => {
    const { pool: broken } = count(pool, (text) => {
      if (text.startsWith('COMMENT')) throw new Error('no comment')
    })
    await t.rejects(new PostgresStore({ pool: broken, table: 'half' }).migrate(), { message: 'no comment' })
    t.same(await select("SELECT to_regclass('half') AS half"), { half: null })
  })

  t.test('migrate makes a table logged or unlogged where the option says so', async (t) => {
    const { store, table, add } = await openStore({ unlogged: true })
    const key = await add()
    const persistence = async (unlogged: boolean | undefined): Promise<unknown> => {
      const other = new PostgresStore({
        pool,
        table,
        pruneInterval: 0,
        ...(unlogged === undefined ? {} : { unlogged })
      })
      await other.migrate()
      return (await select('SELECT relpersistence AS is FROM pg_class WHERE oid = to_regclass($1)', [table])).is
    }
    t.equal(await persistence(undefined), 'u')
    t.equal(await persistence(false), 'p')
    t.equal(await persistence(undefined), 'p')
    t.equal(await persistence(true), 'u')
    t.ok(await store.load(key))
  })

  t.test('without migrate every method says what to do', async (t) => {
    const store = new PostgresStore({ pool, table: 'never made', pruneInterval: 0 })
    const key = newKey()
    const record = newRecord({ ownerId: 'ada' })
    const calls: (() => Promise<unknown>)[] = [
      () => store.create(key, record, LATER),
      () => store.create(key, record, LATER, { max: 1, evict: true }),
      () => store.load(key),
      () => store.commit(key, SET_A, LATER),
      () => store.touch(key, LATER),
      () => store.destroy(key),
      () => store.list('ada'),
      () => store.destroyAll('ada'),
      () => store.prune()
    ]
    for (const call of calls) {
      const error = {
        code: 'ERR_SESSION_STORE_UNAVAILABLE',
        message: /"never made".*migrate\(\)/,
        cause: { code: '42P01' }
      }
      await t.rejects(call(), error, String(call))
    }
  })

  t.test('a server that only reads is not an empty one', async (t) => {
    const { store, table, add } = await openStore()
    const key = await add({ ownerId: 'ada' })
    const reading = new PostgresStore({
      pool: postgres.pool({ options: '-c default_transaction_read_only=on' }),
      table,
      clock: () => NOW * 1000,
      pruneInterval: 0
    })
    const calls: (() => Promise<unknown>)[] = [
      () => reading.create(newKey(), newRecord(), LATER),
      () => reading.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true }),
      () => reading.commit(key, SET_A, LATER),
      () => reading.touch(key, LATER),
      () => reading.destroy(key),
      () => reading.destroyAll('ada')
    ]
    for (const call of calls) {
      await t.rejects(call(), { code: '25006' }, String(call))
    }
    t.ok(await reading.load(key))
    t.equal((await store.list('ada')).length, 1)
  })

  t.test('names cannot inject', async (t) => {
    await pool.query('CREATE TABLE y (n integer)')
    await pool.query(`CREATE SCHEMA "${postgres.schema}""; --"`)
    for (const [table, schema] of [
      ['x"; drop table y; --'],
      ["x'; drop table y; --"],
      ['x"."y'],
      ['"'],
      ['\\'],
      ['$1'],
      ['select'],
      ['Sessions 😀'],
      ['x'.repeat(63)],
      ['x"; drop table y; --', postgres.schema],
      ['sessions', `${postgres.schema}"; --`]
    ] as [table: string, schema?: string][]) {
      const named = { pool, table, ...(schema === undefined ? {} : { schema }) }
      const store = new PostgresStore({ ...named, clock: () => NOW * 1000, pruneInterval: 0 })
      await store.migrate()
      await store.migrate()
      const key = newKey()
      const limit = { max: 1, evict: true }
      t.equal(await store.create(key, newRecord({ ownerId: 'o\'hara"; --' }), LATER, limit), true, table)
      t.equal(await store.commit(key, SET_A, LATER, 0), 'committed')
      t.equal((await store.list('o\'hara"; --')).length, 1)
      t.equal(await store.prune(), 0)
      const { found } = await select(
        'SELECT count(*) AS found FROM pg_tables WHERE tablename = $1 AND schemaname = $2',
        [table, schema ?? postgres.schema]
      )
      t.equal(found, '1', `a table is really named ${table}`)
    }
    t.same(await select('SELECT count(*) AS rows FROM y'), { rows: '0' })
    await pool.query(`DROP SCHEMA "${postgres.schema}""; --" CASCADE`)
  })

  t.test('a connection that breaks in a login breaks nothing else', async (t) => {
    const { table, store } = await openStore()
    const { pool: breaking } = count(pool, async (text, client) => {
      if (!text.includes('pg_advisory_xact_lock')) return
      const { pid } = (await client.query('SELECT pg_backend_pid() AS pid')).rows[0]
      // Not by `once` of node:events, which would listen to errors as well.
      const ended = new Promise<void>((resolve) => client.once('end', () => resolve()))
      await pool.query('SELECT pg_terminate_backend($1)', [pid])
      // Between two queries nobody but the store listens to its errors.
      await ended
    })
    const late = new PostgresStore({ pool: breaking, table, clock: () => NOW * 1000, pruneInterval: 0 })
    const login = late.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: false })
    await t.rejects(login, { message: /terminat|not queryable|closed/i })
    t.equal(await store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: false }), true)
  })

  t.test('a login leaves its connection as it was', async (t) => {
    const single = postgres.pool({ max: 1 })
    const { store, table } = await openStore({ pool: single })
    const login = (): Promise<CreateResult> =>
      store.create(newKey(), newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: false })
    t.equal(await login(), true)
    t.equal(await login(), 'over-limit')
    const client = await single.connect()
    const listeners = client.listenerCount('error')
    client.release()
    for (let i = 0; i < 3; i++) await login()
    const again = await single.connect()
    t.equal(again, client)
    t.equal(again.listenerCount('error'), listeners)
    again.release()
    await single.query(`ALTER TABLE ${table} ADD CHECK (owner_id <> 'eve')`)
    const refused = store.create(newKey(), newRecord({ ownerId: 'eve' }), LATER, { max: 1, evict: false })
    await t.rejects(refused, { code: '23514' })
    t.equal((await store.list('ada')).length, 1, 'and no transaction is left open')
  })
}

/** A pool that notes what it is asked. `before` runs before each query of a connection. */
function count(
  pool: pg.Pool,
  before: (text: string, client: pg.PoolClient) => unknown = () => {}
): { pool: PostgresPool; queries: string[] } {
  const queries: string[] = []
  const counting: PostgresPool = {
    connect: async () => {
      const client = await pool.connect()
      return {
        query: async (text, values) => {
          queries.push(text)
          await before(text, client)
          return client.query(text, values)
        },
        on: (event, listener) => client.on(event, listener),
        removeListener: (event, listener) => client.removeListener(event, listener),
        release: (destroy) => client.release(destroy)
      }
    }
  }
  return { pool: counting, queries }
}
