import t from 'tap'
import type { PostgresClient, PostgresPool } from '../../../lib/stores/postgres/clients.ts'
import { fromPg } from '../../../lib/stores/postgres/pg.ts'
import { when } from '../../helpers/fake-time.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

const BEGIN = 'BEGIN ISOLATION LEVEL READ COMMITTED'
const ONE = { text: 'ONE', values: [1] }
const TWO = { text: 'TWO', values: [2] }

/** A pool that notes what happens. Statements with a code as their text fail with it. */
function fakePool(): { pool: PostgresPool; log: unknown[]; listeners: Set<unknown> } {
  const log: unknown[] = []
  const listeners = new Set<unknown>()
  const client: PostgresClient = {
    async query(text) {
      log.push(text)
      if (/^[0-9A-Z]{5}$/.test(text)) throw Object.assign(new Error(text), { code: text })
      return { rows: [text], rowCount: 1 }
    },
    on: (_event, listener) => listeners.add(listener),
    removeListener: (_event, listener) => listeners.delete(listener),
    release: (destroy) => log.push(destroy ? 'destroyed' : 'released')
  }
  return { pool: { connect: async () => client }, log, listeners }
}

t.test('a connection goes back after use, without our listener', async (t) => {
  const { pool, log, listeners } = fakePool()
  t.match(await fromPg(pool).use((query) => query('ONE')), { rows: ['ONE'] })
  t.same([log, listeners.size], [['ONE', 'released'], 0])
})

t.test('it also goes back after an error that leaves it usable, and unused', async (t) => {
  const { pool, log } = fakePool()
  const { use } = fromPg(pool)
  await t.rejects(use((query) => query('40001')))
  await t.rejects(
    use(async () => {
      throw new Error('too late')
    })
  )
  await t.rejects(use((query) => query('23505')))
  t.same(log, ['40001', 'released', 'released', '23505', 'destroyed'])
})

t.test('a connection that is given up keeps its listener: an error without one would end the process', async (t) => {
  const { pool, listeners } = fakePool()
  await t.rejects(fromPg(pool).use((query) => query('23505')))
  t.equal(listeners.size, 1)
  for (const listener of listeners) t.doesNotThrow(() => (listener as () => void)())
})

t.test('statements of a batch are one transaction, which has the result of the last', async (t) => {
  const { pool, log } = fakePool()
  t.match(await fromPg(pool).batch([ONE, TWO], () => {}), { rows: ['TWO'] })
  t.same(log, [BEGIN, 'ONE', 'TWO', 'COMMIT', 'released'])
})

t.test('a batch is not begun, and not committed, when its time is over', async (t) => {
  for (const [looks, expected] of [
    [0, ['released']],
    [1, [BEGIN, 'ONE', 'TWO', 'destroyed']]
  ] as const) {
    const { pool, log } = fakePool()
    let left: number = looks
    const assertInTime = (): void => {
      if (left-- === 0) throw new Error('late')
    }
    await t.rejects(fromPg(pool).batch([ONE, TWO], assertInTime), { message: 'late' })
    t.same(log, expected)
  }
})

t.test('a transaction that fails ends with its connection', async (t) => {
  const { pool, log } = fakePool()
  const { transact } = fromPg(pool)
  t.match(await transact((query) => query('ONE')), { rows: ['ONE'] })
  await t.rejects(transact((query) => query('40001')))
  t.same(log, [BEGIN, 'ONE', 'COMMIT', 'released', BEGIN, '40001', 'destroyed'])
})

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())

  t.test('it hears what is sent', async (t) => {
    const pool = postgres.pool({ max: 2 })
    const heard: string[] = []
    const stop = await fromPg(pool).hear(
      "SELECT 'of_pg' AS channel",
      (message) => heard.push(message),
      () => t.fail('lost')
    )
    await pool.query("NOTIFY of_pg, 'yes'")
    await when(() => heard.length === 1)
    stop()
  })
}
