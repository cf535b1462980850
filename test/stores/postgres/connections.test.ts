import type pg from 'pg'
import t from 'tap'
import type { PostgresClient, PostgresPool, PostgresResult } from '../../../lib/stores/postgres/clients.ts'
import { Connections } from '../../../lib/stores/postgres/connections.ts'
import type { Statement } from '../../../lib/stores/postgres/driver.ts'
import { endInTime, inTime } from '../../../lib/stores/postgres/guard.ts'
import { fromPg } from '../../../lib/stores/postgres/pg.ts'
import type { StoreCall } from '../../../types/store.ts'
import { when } from '../../helpers/fake-time.ts'
import { reachPostgres, startPostgres } from '../../helpers/postgres.ts'
import { cannotTest } from '../../helpers/service.ts'

// Before the first test: what is tested has ended when no test is left.
const postgres = await reachPostgres(t)
const frozen = await startPostgres()

const LOCK: Statement = { text: 'LOCK', values: ['ada'] }
const NONE: PostgresResult = { rows: [], rowCount: 0 }

function within(milliseconds: number): StoreCall {
  return { deadline: performance.now() + milliseconds }
}

async function isOver({ deadline }: StoreCall): Promise<void> {
  await when(() => performance.now() > deadline)
}

/** A pool whose connections do what `query` says; `released` has what each was released with. */
function fakePool(query: (text: string) => Promise<PostgresResult>): PostgresPool & { released: unknown[] } {
  const released: unknown[] = []
  const client: PostgresClient = {
    query,
    on: () => {},
    removeListener: () => {},
    release: (destroy) => released.push(destroy)
  }
  return { released, connect: async () => client }
}

function failure(code: string, message = code): Error {
  return Object.assign(new Error(message), { code })
}

t.test('a conflict with others is repeated, on a connection that stays', async (t) => {
  const answers = [failure('40001'), failure('40P01'), failure('40001')]
  const pool = fakePool(async () => {
    const next = answers.shift()
    if (next !== undefined) throw next
    return NONE
  })
  t.equal(await new Connections(fromPg(pool), '"t"').query('SELECT', []), NONE)
  t.same(pool.released, [false, false, false, false])
})

t.test('a conflict that does not end is told when the time is over', async (t) => {
  let attempts = 0
  const pool = fakePool(async () => {
    attempts++
    throw failure('40001')
  })
  const connections = new Connections(fromPg(pool), '"t"')
  let now = 0
  t.intercept(performance, 'now', {
    value: () => {
      now += 900
      return now
    }
  })
  const attemptsOf = async (call: Promise<unknown>): Promise<number> => {
    attempts = 0
    await t.rejects(call, { code: '40001' })
    return attempts
  }
  t.equal(await attemptsOf(connections.query('DELETE', [], { deadline: 4600 })), 5)
  t.equal(await attemptsOf(connections.query('SELECT', [])), 3, 'without a deadline, after two seconds')
  t.equal(await attemptsOf(connections.write('UPDATE', [], undefined)), 3)
})

t.test('a transaction that failed is begun again on another connection', async (t) => {
  let attempts = 0
  const texts: string[] = []
  const pool = fakePool(async (text) => {
    texts.push(text)
    return NONE
  })
  const connections = new Connections(fromPg(pool), '"t"')
  const run = async (): Promise<number> => {
    if (++attempts === 1) throw failure('40P01')
    return attempts
  }
  t.equal(await connections.transact(run), 2)
  t.same(pool.released, [true, false])
  t.match(texts, [/^BEGIN/, /^BEGIN/, 'COMMIT'])
})

t.test('a transaction is not committed when its time is over', async (t) => {
  const texts: string[] = []
  const pool = fakePool(async (text) => {
    texts.push(text)
    return { rows: [{ now: 0 }], rowCount: 1 }
  })
  const call = within(60_000)
  const write = (): Statement => {
    Object.assign(call, { deadline: performance.now() - 1 })
    return LOCK
  }
  await t.rejects(new Connections(fromPg(pool), '"t"').locked(LOCK, write, call), { message: /no time left/ })
  t.notOk(texts.includes('COMMIT'))
})

t.test('any other failure is told at once, and its connection is given up', async (t) => {
  const pool = fakePool(async (text) => {
    throw failure(text)
  })
  const connections = new Connections(fromPg(pool), '"t"')
  await t.rejects(connections.query('23505', []), { code: '23505' })
  for (const code of ['42P01', '42703']) {
    const expected = { code: 'ERR_SESSION_STORE_UNAVAILABLE', message: /"t" .* migrate\(\)/, cause: { code } }
    await t.rejects(connections.query(code, []), expected)
  }
  t.same(pool.released, [true, true, true])
})

t.test('a connection may break between two queries: the next one reports it', async (t) => {
  const listeners: ((error: Error) => void)[] = []
  const pool = fakePool(async () => {
    for (const listener of listeners) listener(failure('57P01'))
    throw failure('57P01')
  })
  const connect = async (): Promise<PostgresClient> => ({
    ...(await pool.connect()),
    on: (_event, listener) => listeners.push(listener)
  })
  await t.rejects(new Connections(fromPg({ connect }), '"t"').query('SELECT', []), { code: '57P01' })
  t.same([listeners.length, pool.released], [1, [true]])
})

t.test('the server is asked for its time again after ten seconds', async (t) => {
  let now = 0
  t.intercept(performance, 'now', { value: () => now })
  let asked = 0
  const pool = fakePool(async (text) => {
    if (text.includes('AS now')) asked++
    return { rows: [{ now: 1_763_640_000_000 + now }], rowCount: 1 }
  })
  const connections = new Connections(fromPg(pool), '"t"')
  const counts: number[] = []
  for (const at of [0, 9000, 10_500, 20_000, 21_000]) {
    now = at
    await connections.write('UPDATE', [], { deadline: now + 100 })
    counts.push(asked)
  }
  t.same(counts, [1, 1, 2, 2, 3])
  await connections.write('UPDATE', [], undefined)
  t.equal(asked, 3, 'a write without a deadline needs no time')
})

if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  testServer(postgres.pool({ max: 1 }), postgres.pool())

  for (const isolation of ['read committed', 'repeatable read', 'serializable']) {
    t.test(`200 updates at once all count, with ${isolation} as the default`, async (t) => {
      const options = `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`
      const connections = new Connections(fromPg(postgres.pool({ max: 20, options })), '"counts"')
      const table = `"counts ${isolation}"`
      await connections.query(`CREATE TABLE ${table} AS SELECT 0 AS n`, [])
      const update = `UPDATE ${table} SET n = n + 1 RETURNING ${inTime(1)}`
      await Promise.all(Array.from({ length: 200 }, () => connections.write(update, [], within(20_000))))
      const { rows } = await connections.query(`SELECT n, current_setting('transaction_isolation') FROM ${table}`, [])
      t.same(rows, [{ n: 200, current_setting: isolation }])
    })
  }
}

if (frozen === undefined) cannotTest(t, 'a frozen PostgreSQL', 'it is not installed')
else {
  t.teardown(() => frozen.end())
  const pool = frozen.pool({ max: 1 })

  t.test('what a frozen server has received is not applied when it goes on too late', async (t) => {
    const connections = new Connections(fromPg(pool), '"names"')
    await connections.query("CREATE TABLE names AS SELECT 'old' AS name", [])
    const write = `UPDATE names SET name = $1 RETURNING ${inTime(2)}`
    await connections.write(write, ['first'], within(60_000))
    const { rows } = await connections.query('SELECT pg_backend_pid() AS pid', [])
    const [{ pid }] = rows as [{ pid: number }]
    process.kill(pid, 'SIGSTOP')
    const call = within(30)
    const late = t.rejects(connections.write(write, ['late'], call), { message: /written too late/ })
    await isOver(call)
    process.kill(pid, 'SIGCONT')
    await late
    t.match(await connections.query('SELECT name FROM names', []), { rows: [{ name: 'first' }] })
  })
}

/** `single`: a pool of one connection. */
function testServer(single: pg.Pool, others: pg.Pool): void {
  const connections = new Connections(fromPg(single), '"names"')
  const name = async (): Promise<unknown> => (await others.query('SELECT name FROM names WHERE id = 1')).rows[0].name
  const write = `UPDATE names SET name = $1 WHERE id = 1 RETURNING ${inTime(2)}`

  t.before(async () => {
    await others.query('CREATE TABLE names (id integer PRIMARY KEY, name text)')
    await others.query("INSERT INTO names VALUES (1, 'old')")
  })

  t.test('a write that waited for a connection beyond its time is not sent', async (t) => {
    const held = await single.connect()
    const call = within(20)
    const late = t.rejects(connections.write(write, ['late'], call), { message: /no time left/ })
    await isOver(call)
    await others.query("UPDATE names SET name = 'new' WHERE id = 1")
    held.release()
    await late
    t.equal(await name(), 'new')
    const again = await single.connect()
    t.equal(again, held, 'and the connection is still good')
    again.release()
  })

  t.test('a write that waited for a lock beyond its time is taken back, whatever the other did', async (t) => {
    for (const [change, end] of [
      ['SELECT FROM names WHERE id = 1 FOR UPDATE', 'COMMIT'],
      ["UPDATE names SET name = 'other' WHERE id = 1", 'ROLLBACK'],
      ["UPDATE names SET name = 'new' WHERE id = 1", 'COMMIT']
    ] as const) {
      const other = await others.connect()
      await other.query('BEGIN')
      await other.query(change)
      const call = within(50)
      const late = t.rejects(connections.write(write, ['late'], call), /written too late|no time left/, change)
      await isOver(call)
      await other.query(end)
      other.release()
      await late
      t.equal(await name(), 'new')
    }
  })

  /** The pool of one connection, with something that happens before or after each query. */
  const watched = (
    before: (text: string) => Promise<unknown>,
    after: (text: string, result: pg.QueryResult) => void = () => {}
  ): PostgresPool => ({
    connect: async () => {
      const client = await single.connect()
      return {
        query: async (text, values) => {
          await before(text)
          const result = await client.query(text, values)
          after(text, result)
          return result
        },
        on: (event, listener) => client.on(event, listener),
        removeListener: (event, listener) => client.removeListener(event, listener),
        release: (destroy) => client.release(destroy)
      }
    }
  })

  t.test('a packet that comes late is not applied, also if it is a COMMIT', async (t) => {
    for (const delayed of [write, 'COMMIT']) {
      const call = within(100)
      const pool = watched(async (text) => text.includes(delayed) && isOver(call))
      const end = `WITH done AS (${write}) SELECT ${endInTime(2)} FROM (SELECT count(*) FROM done) AS done`
      const statement = (limit: number): Statement => ({ text: end, values: ['late', limit] })
      const lock = { text: 'SELECT $1::text', values: ['ada'] }
      await t.rejects(new Connections(fromPg(pool), '"names"').locked(lock, statement, call), delayed)
      t.equal(await name(), 'new')
    }
  })

  t.test('a wrong idea of the time of the server is corrected', async (t) => {
    let wrongAnswers = Number.POSITIVE_INFINITY
    const pool = watched(
      async () => {},
      (text, { rows }) => {
        if (text.includes('AS now') && wrongAnswers-- > 0) rows[0].now -= 3_600_000
      }
    )
    const connections = new Connections(fromPg(pool), '"names"')
    await t.rejects(connections.write(write, ['late'], within(100)), /too late|no time left/)
    t.equal(await name(), 'new')
    wrongAnswers = 0
    await connections.write(write, ['in time'], within(60_000))
    wrongAnswers = 1
    await new Connections(fromPg(pool), '"names"').write(write, ['in time, too'], within(60_000))
    t.equal(await name(), 'in time, too')
  })
}
