import { PGlite } from '@electric-sql/pglite'
import t from 'tap'
import { PostgresRevocations, PostgresStore } from '../../../lib/stores/postgres/index.ts'
import { fromPGlite, isPGlite } from '../../../lib/stores/postgres/pglite.ts'
import { testRaces, testRevocations, testStore } from '../../../lib/testing/index.ts'
import { when } from '../../helpers/fake-time.ts'

const NOTHING = (): void => {}

const database = await PGlite.create()
t.teardown(() => database.close())

t.test('it is known by its methods', async (t) => {
  t.ok(isPGlite(database))
  for (const other of [undefined, null, {}, { query: NOTHING }]) t.notOk(isPGlite(other))
})

t.test('the contract', async (t) => {
  const store = new PostgresStore({ pool: database, pruneInterval: 0 })
  await Promise.all([store.migrate(), store.migrate()])
  await store.migrate()
  testStore({
    test: (name, run) => t.test(name, run),
    open: (clock) => new PostgresStore({ pool: database, clock, pruneInterval: 0 })
  })
})

t.test('the races', async (t) => {
  await new PostgresStore({ pool: database, table: 'races', pruneInterval: 0 }).migrate()
  testRaces({
    test: (name, run) => t.test(name, run),
    open: (clock) => new PostgresStore({ pool: database, table: 'races', clock, pruneInterval: 0 })
  })
})

t.test('the rules of a list', async (t) => {
  await new PostgresRevocations({ pool: database }).migrate()
  testRevocations({
    test: (name, run) => t.test(name, run),
    open: (clock) => new PostgresRevocations({ pool: database, clock }),
    close: () => undefined
  })
})

t.test('a batch is one transaction: all of it, or nothing', async (t) => {
  const { batch, transact } = fromPGlite(database)
  await database.exec('CREATE TABLE batches (n integer)')
  const insert = (n: unknown) => ({ text: 'INSERT INTO batches SELECT $1::text::integer', values: [n] })
  const count = { text: 'SELECT count(*)::integer AS count FROM batches', values: [] }
  t.match(await batch([insert('1'), count], NOTHING), { rows: [{ count: 1 }] })
  await t.rejects(batch([insert('2'), insert('no')], NOTHING), { code: '22P02' })
  for (const looks of [0, 1]) {
    let left = looks
    const assertInTime = (): void => {
      if (left-- === 0) throw new Error('late')
    }
    await t.rejects(batch([insert('3')], assertInTime), { message: 'late' })
  }
  await t.rejects(
    transact(async (query) => {
      await query('INSERT INTO batches VALUES (4); INSERT INTO batches VALUES (5)')
      throw new Error('no')
    }),
    { message: 'no' }
  )
  t.match(await batch([count], NOTHING), { rows: [{ count: 1 }] })
})

t.test('it hears until it stops', async (t) => {
  const store = new PostgresStore({ pool: database, pruneInterval: 0 })
  const heard: string[] = []
  const listen = (): Promise<() => void> =>
    store.listen(
      (message) => heard.push(message),
      () => t.fail('lost')
    )
  const stop = await listen()
  await store.publish('one')
  await when(() => heard.length === 1)
  stop()
  await store.publish('two')
  const last = await listen()
  await store.publish('three')
  await when(() => heard.includes('three'))
  last()
  t.same(heard, ['one', 'three'])
})

t.test('to stop when the database is closed is no failure', async (t) => {
  const closed = {
    query: async () => ({ rows: [] }),
    exec: async () => [{ rows: [{ channel: 'a' }] }],
    transaction: async () => {},
    listen: async () => () => Promise.reject(new Error('closed'))
  }
  const driver = fromPGlite(closed)
  t.match(await driver.use((query) => query('SELECT', [])), { rowCount: null })
  const stop = await driver.hear('SELECT', NOTHING, NOTHING)
  t.doesNotThrow(stop)
})
