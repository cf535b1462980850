import postgresJs from 'postgres'
import t from 'tap'
import { PostgresRevocations, PostgresStore } from '../../../lib/stores/postgres/index.ts'
import { fromPostgresJs, isPostgresJs } from '../../../lib/stores/postgres/postgres-js.ts'
import { testRaces, testRevocations, testStore } from '../../../lib/testing/index.ts'
import { newKey, newRecord } from '../../../lib/testing/store-contract/bench.ts'
import type { Revocation } from '../../../types/revocations.ts'
import { when } from '../../helpers/fake-time.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

type Options = NonNullable<Parameters<typeof postgresJs>[1]>

const NOW = 1_763_640_000
const LATER = NOW + 3600
const INVALID = 'ERR_SESSION_OPTION_INVALID'
const LIMIT = { max: 1, evict: false }
const NOTHING = (): void => {}

t.test('it is known by its methods', async (t) => {
  t.ok(isPostgresJs(postgresJs()))
  for (const other of [undefined, {}, () => {}, postgresJs]) t.notOk(isPostgresJs(other))
})

t.test('a transform that changes rows or our columns is refused', async (t) => {
  // Without an interval: nobody ends these clients, and a connection that pruning opens would keep the process.
  const open = (transform: NonNullable<Options['transform']>) =>
    new PostgresStore({ pool: postgresJs({ transform }), pruneInterval: 0 })
  const refused = { code: INVALID, message: /transform/ }
  for (const transform of [
    postgresJs.pascal,
    { column: (name: string) => name.toUpperCase() },
    { column: { from: (name: string) => name.toLowerCase() } },
    { row: (row: object) => row }
  ]) {
    t.throws(() => open(transform), refused, JSON.stringify(transform))
  }
  t.throws(() => new PostgresRevocations({ pool: postgresJs({ transform: postgresJs.pascal }) }), refused)
  for (const transform of [postgresJs.camel, postgresJs.kebab, postgresJs.toCamel, { undefined: null }]) {
    t.doesNotThrow(() => open(transform as NonNullable<Options['transform']>))
  }
})

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  const admin = postgres.pool()
  const opened: { end(options: { timeout: number }): Promise<void> }[] = []
  t.teardown(async () => {
    await Promise.all(opened.map((sql) => sql.end({ timeout: 1 })))
    await postgres.end()
  })
  const open = (options: Options = {}) => {
    const connection = { search_path: postgres.schema, ...options.connection }
    const sql = postgresJs(postgres.url, { max: 5, onnotice: NOTHING, ...options, connection })
    opened.push(sql)
    return sql
  }
  let tables = 0
  const openStore = async (options: Options = {}) => {
    const pool = open(options)
    const table = `js${tables++}`
    const clock = (): number => NOW * 1000
    const store = new PostgresStore({ pool, table, clock, pruneInterval: 0 })
    await store.migrate()
    return { pool, table, store }
  }
  /** Ends the connections of a client, as a restart of the server does. */
  const cut = (name: string) =>
    admin.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1', [name])

  const everything = { value: { from: (value: unknown) => value ?? undefined }, undefined: null }
  for (const [title, options] of Object.entries({
    'its defaults': {},
    'no prepared statements and no types of arrays, as for PgBouncer': { prepare: false, fetch_types: false },
    'one connection, BigInt, transforms and serializable transactions': {
      max: 1,
      types: { bigint: postgresJs.BigInt },
      transform: { ...postgresJs.camel, ...everything },
      connection: { default_transaction_isolation: 'serializable' }
    }
  } as Record<string, Options>)) {
    t.test(`the contract with ${title}`, async (t) => {
      const { pool, table } = await openStore(options)
      testStore({
        test: (name, run) => t.test(name, run),
        open: (clock) => new PostgresStore({ pool, table, clock, pruneInterval: 0 })
      })
      t.test('and a list', async (t) => {
        const list = new PostgresRevocations({ pool, table: `${table}_list`, clock: () => NOW * 1000 })
        await list.migrate()
        const entry: Revocation = { kind: 'session', id: "it's", until: LATER }
        t.equal(await list.add(entry), undefined)
        t.same(await list.add({ ...entry, until: LATER + 1 }), entry, 'it has that session')
        t.equal(await list.add({ kind: 'session', id: 'over', until: NOW - 1 }), undefined)
        t.match(await list.since(), { entries: [entry], hasMore: false })
      })
    })
  }

  t.test('the rules of a list', async (t) => {
    const pool = open()
    await new PostgresRevocations({ pool, table: 'list_js' }).migrate()
    testRevocations({
      test: (name, run) => t.test(name, run),
      open: (clock) => new PostgresRevocations({ pool, table: 'list_js', clock }),
      close: () => undefined
    })
  })

  t.test('the races', async (t) => {
    const { pool, table } = await openStore()
    testRaces({
      test: (name, run) => t.test(name, run),
      open: (clock) => new PostgresStore({ pool, table, clock, pruneInterval: 0 })
    })
  })

  t.test('a reserved connection and a transaction are one connection, and refused', async (t) => {
    const sql = open()
    const assertRefused = (pool: unknown): void => {
      for (const Class of [PostgresStore, PostgresRevocations]) {
        t.throws(() => new Class({ pool: pool as typeof sql }), { code: INVALID, message: /^The option pool must be/ })
      }
    }
    const reserved = await sql.reserve()
    assertRefused(reserved)
    reserved.release()
    await sql.begin(async (transaction) => {
      assertRefused(transaction)
      await transaction.savepoint(async (inner) => assertRefused(inner))
    })
  })

  t.test('several processes may migrate at once, and a refused migration leaves nothing behind', async (t) => {
    const stores = Array.from(
      { length: 5 },
      () => new PostgresStore({ pool: open(), table: 'many_js', pruneInterval: 0 })
    )
    await Promise.all(stores.map((store) => store.migrate()))
    const { transact } = fromPostgresJs(open())
    const failing = transact(async (query) => {
      await query('CREATE TABLE half_js (a integer); CREATE TABLE half_js (a integer)')
    })
    await t.rejects(failing, { code: '42P07' })
    t.match((await admin.query("SELECT to_regclass('half_js') AS half")).rows, [{ half: null }])
  })

  t.test('a batch is one transaction: all of it, or nothing', async (t) => {
    const { batch } = fromPostgresJs(open())
    await admin.query('CREATE TABLE batches (n integer)')
    const insert = (n: unknown) => ({ text: 'INSERT INTO batches VALUES ($1::integer)', values: [n] })
    const count = { text: 'SELECT count(*)::integer AS count FROM batches', values: [] }
    t.match(await batch([insert(1), count], NOTHING), { rows: [{ count: 1 }] })
    await t.rejects(batch([insert(2), insert('no')], NOTHING), { code: '22P02' })
    const late = (): void => {
      throw new Error('late')
    }
    await t.rejects(batch([insert(3)], late), { message: 'late' })
    t.match(await batch([count], NOTHING), { rows: [{ count: 1 }] })
  })

  t.test('a write whose time is over when the server gets it is refused', async (t) => {
    const { pool, table, store } = await openStore({ max: 1 })
    const key = newKey()
    await store.create(key, newRecord(), LATER)
    const other = await admin.connect()
    await other.query('BEGIN')
    await other.query(`SELECT FROM ${table} WHERE key = $1 FOR UPDATE`, [key])
    const call = { deadline: performance.now() + 100 }
    const late = t.rejects(
      store.commit(key, { set: { a: '1' }, unset: [] }, LATER, undefined, call),
      /written too late/
    )
    await when(() => performance.now() > call.deadline)
    await other.query('COMMIT')
    other.release()
    await late
    t.match(await store.load(key), { version: 0 })
    await pool`SELECT 1`
  })

  t.test('a connection that breaks fails its request, and not the process', async (t) => {
    const name = 'session_test_cut'
    let closed = 0
    const onclose = (): void => void closed++
    const { pool, store, table } = await openStore({
      ...{ max: 1, backoff: () => 0, onclose },
      connection: { application_name: name }
    })
    const record = newRecord({ ownerId: 'ada' })
    /** Cuts and waits until postgres.js knows it: what it sends in between can be stuck for ever (3.4.9). */
    const cutAndWait = async (): Promise<void> => {
      const before = closed
      await cut(name)
      await when(() => closed > before)
    }
    const isOpenAgain = (): Promise<boolean> =>
      pool.unsafe('SELECT 1').then(
        () => true,
        () => false
      )
    for (const request of [
      () => store.load(newKey()),
      () => store.create(newKey(), record, LATER, { max: 2, evict: true })
    ]) {
      const other = await admin.connect()
      await other.query('BEGIN')
      await other.query(`LOCK TABLE ${table}`)
      const failed = t.rejects(request() as Promise<unknown>, { code: /CONNECTION_CLOSED|ECONNRESET|57P01/ })
      const waiting = 'SELECT FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = $2'
      await when(async () => (await admin.query(waiting, [name, 'Lock'])).rowCount === 1)
      await cutAndWait()
      await failed
      await other.query('COMMIT')
      other.release()
      // It tells the next statement of the end of the old connection.
      await when(isOpenAgain)
    }
    await cutAndWait()
    await when(isOpenAgain)
    t.equal(await store.create(newKey(), record, LATER, LIMIT), true)
  })

  t.test('it hears on a connection beside the pool, also while that has only one', async (t) => {
    const { store } = await openStore({ max: 1 })
    const heard: string[] = []
    const stop = await store.listen(
      (message) => heard.push(message),
      () => t.fail('lost')
    )
    await store.publish('one')
    await when(() => heard.length === 1)
    stop()
    await store.publish('two')
    const again = await store.listen(
      (message) => heard.push(message),
      () => t.fail('lost')
    )
    await store.publish('three')
    await when(() => heard.includes('three'))
    t.same(heard, ['one', 'three'])
    again()
  })

  t.test('a loss is told once, when it hears again', async (t) => {
    const name = 'session_test_hear'
    const { store } = await openStore({ backoff: () => 0, connection: { application_name: name } })
    const heard: string[] = []
    let losses = 0
    await store.listen(
      (message) => heard.push(message),
      () => losses++
    )
    await cut(name)
    await when(() => losses === 1)
    await when(() =>
      store.publish('to nobody').then(
        () => true,
        () => false
      )
    )
    const stop = await store.listen(
      (message) => heard.push(message),
      () => losses++
    )
    await store.publish('again')
    await when(() => heard.includes('again'))
    t.same(heard.filter((message) => message === 'again').length, 1)
    stop()
    await cut(name)
    await when(() =>
      store.publish('to nobody').then(
        () => true,
        () => false
      )
    )
    t.equal(losses, 1)
  })

  t.test('a server that does not answer cannot be heard, and to stop when it is gone is no failure', async (t) => {
    const clientOf = (listen: () => Promise<{ unlisten(): Promise<void> }>) =>
      fromPostgresJs(
        Object.assign(() => {}, {
          options: { transform: {} },
          unsafe: async () => [{ channel: 'a' }],
          begin: async () => {},
          listen
        })
      )
    const silent = clientOf(() => Promise.reject(new Error('no connection')))
    await t.rejects(silent.hear('SELECT', NOTHING, NOTHING), { message: 'no connection' })
    const gone = clientOf(async () => ({ unlisten: () => Promise.reject(new Error('gone')) }))
    const stop = await gone.hear('SELECT', NOTHING, NOTHING)
    t.doesNotThrow(stop)
  })
}
