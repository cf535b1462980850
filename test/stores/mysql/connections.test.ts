import type { Pool, RowDataPacket } from 'mysql2/promise'
import t from 'tap'
import { Connections, OvertakenError, secondsLeft } from '../../../lib/stores/mysql/connections.ts'
import { IN_TIME } from '../../../lib/stores/mysql/guard.ts'
import type { MySqlPool, TableName } from '../../../lib/stores/mysql/options.ts'
import type { StoreCall } from '../../../types/store.ts'
import { when } from '../../helpers/fake-time.ts'
import { reachMySql, startMySql } from '../../helpers/mysql.ts'
import { cannotTest } from '../../helpers/service.ts'

// Before the first test: what is tested has ended when no test is left.
const mysql = await reachMySql(t)
const frozen = await startMySql()

const TABLE: TableName = { table: 't', schema: null }
const USABLE = { commits: 1, isRead: 1, sent: '😀', isFixed: 0, now: 1_763_640_000_000_000, got: 1 }

function within(milliseconds: number): StoreCall {
  return { deadline: performance.now() + milliseconds }
}

async function isOver({ deadline }: StoreCall): Promise<void> {
  await when(() => performance.now() > deadline)
}

interface FakePool extends MySqlPool {
  /** How each connection was given back. */
  readonly ends: string[]
}

/** A pool of one connection that answers each statement but those about its settings by `run`. */
function fakePool(run: (sql: string) => Promise<unknown>): FakePool {
  const ends: string[] = []
  const connection = {
    execute: async ({ sql }: { sql: string }): Promise<[unknown, unknown]> => [
      sql.includes('@@autocommit') ? [USABLE] : await run(sql),
      undefined
    ],
    release: () => ends.push('release'),
    destroy: () => ends.push('destroy')
  }
  return { ends, getConnection: async () => connection }
}

function failure(errno: number, message = String(errno)): Error {
  return Object.assign(new Error(message), { errno, code: `E${errno}` })
}

t.test('a conflict with others is repeated, on a connection that stays', async (t) => {
  const answers = [failure(1213), failure(1205), failure(1020)]
  const pool = fakePool(async () => {
    const next = answers.shift()
    if (next !== undefined) throw next
    return [{ n: 1 }]
  })
  t.match(await new Connections(pool, TABLE).query('SELECT', []), { rows: [{ n: 1 }] })
  t.same(pool.ends, ['release', 'release', 'release', 'release'])
})

t.test('a step that others have overtaken is repeated', async (t) => {
  let attempts = 0
  const step = async (): Promise<number> => {
    if (++attempts < 3) throw new OvertakenError('others')
    return attempts
  }
  t.equal(
    await new Connections(
      fakePool(async () => []),
      TABLE
    ).run('key', undefined, step),
    3
  )
})

t.test('a conflict that does not end is told when the time is over', async (t) => {
  let attempts = 0
  const pool = fakePool(async (sql) => {
    if (sql.includes('AS now')) return [USABLE]
    attempts++
    throw failure(1213)
  })
  const connections = new Connections(pool, TABLE)
  let now = 0
  t.intercept(performance, 'now', {
    value: () => {
      now += 900
      return now
    }
  })
  const attemptsOf = async (call: Promise<unknown>): Promise<number> => {
    attempts = 0
    await t.rejects(call, { code: 'E1213' })
    return attempts
  }
  t.ok((await attemptsOf(connections.query('DELETE', [], { deadline: 4600 }))) > 3)
  t.equal(await attemptsOf(connections.query('SELECT', [])), 3, 'without a deadline, after two seconds')
  t.equal(await attemptsOf(connections.write('key', 'UPDATE', () => [], undefined)), 3)
})

t.test('any other failure is told at once, and its connection is given up', async (t) => {
  const pool = fakePool(async (sql) => {
    throw failure(Number(sql))
  })
  const connections = new Connections(pool, { table: 'a', schema: 'b' })
  await t.rejects(connections.query('1062', []), { code: 'E1062' })
  for (const errno of [1146, 1054]) {
    const expected = {
      code: 'ERR_SESSION_STORE_UNAVAILABLE',
      message: /`b`.`a` .* migrate\(\)/,
      cause: { code: `E${errno}` }
    }
    await t.rejects(connections.query(String(errno), []), expected)
  }
  t.same(pool.ends, ['destroy', 'destroy', 'destroy'])
  const broken = { getConnection: () => Promise.reject(new Error('connect')) }
  await t.rejects(new Connections(broken, TABLE).query('SELECT', []), { message: 'connect' })
})

t.test('a connection is looked at once', async (t) => {
  let looks = 0
  const inner = {}
  const pool: MySqlPool = {
    getConnection: async () => ({
      connection: inner,
      execute: async ({ sql }) => {
        if (sql.includes('@@autocommit')) looks++
        return [[USABLE], undefined]
      },
      release: () => {},
      destroy: () => {}
    })
  }
  const connections = new Connections(pool, TABLE)
  for (let count = 0; count < 3; count++) await connections.query('SELECT', [])
  t.equal(looks, 1)
})

t.test('the server is asked for its time again after ten seconds', async (t) => {
  let now = 0
  t.intercept(performance, 'now', { value: () => now })
  let asked = 0
  const pool = fakePool(async (sql) => {
    if (sql.includes('AS now')) asked++
    return [{ now: (1_763_640_000_000 + now) * 1000 }]
  })
  const connections = new Connections(pool, TABLE)
  const counts: number[] = []
  const limits: number[] = []
  const values = (limit: number): number[] => {
    limits.push(limit)
    return []
  }
  for (const at of [0, 9000, 10_500, 20_000, 21_000]) {
    now = at
    await connections.write('key', 'UPDATE', values, { deadline: now + 100 })
    counts.push(asked)
  }
  t.same(counts, [1, 1, 2, 2, 3])
  t.equal(limits[0], 1_763_640_000_100_000)
  await connections.write('key', 'UPDATE', values, undefined)
  t.equal(asked, 3, 'a write without a deadline needs no time')
  t.equal(limits.at(-1), Number.MAX_SAFE_INTEGER)
})

t.test('a lock is waited for as long as the call has time, in whole seconds', async (t) => {
  t.equal(secondsLeft(undefined), 2)
  t.equal(secondsLeft(within(500)), 1)
  t.equal(secondsLeft(within(1900)), 2)
  t.equal(secondsLeft(within(-500)), 0)
})

if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  testServer(mysql.pool({ connectionLimit: 1 }), mysql.pool())

  for (const isolation of ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE']) {
    t.test(`200 updates at once all count, with ${isolation}`, async (t) => {
      const pool = mysql.pool({ connectionLimit: 20 }, [`SET SESSION TRANSACTION ISOLATION LEVEL ${isolation}`])
      const connections = new Connections(pool, TABLE)
      const table = `\`counts ${isolation}\``
      await connections.query(`CREATE TABLE ${table} AS SELECT 0 AS n, 0 AS version`, [])
      const update = `UPDATE ${table} SET n = n + 1 WHERE ${IN_TIME}`
      const add = () => connections.write('n', update, (limit) => [limit], within(20_000))
      await Promise.all(Array.from({ length: 200 }, add))
      const { rows } = await connections.query(`SELECT n, @@tx_isolation AS isolation FROM ${table}`, [])
      t.same(rows, [{ n: 200, isolation: isolation.replace(' ', '-') }])
    })
  }

  t.test('two tables, subjects or databases have locks of their own', async (t) => {
    const pool = mysql.pool()
    const locksOf = (table: string, schema: string | null = null) => new Connections(pool, { table, schema })
    const get = (connections: Connections, subject: string, inside: () => Promise<unknown> = async () => {}) =>
      connections.locked(subject, 0, undefined, async () => {
        await inside()
        return 'got'
      })
    await get(locksOf('t'), 'a', async () => {
      t.equal(await get(locksOf('t'), 'a'), undefined)
      t.equal(await get(locksOf('t', mysql.database), 'a'), undefined, 'the same database by its name')
      t.equal(await get(locksOf('t'), 'b'), 'got')
      t.equal(await get(locksOf('u'), 'a'), 'got')
      t.equal(await get(locksOf('t', 'test'), 'a'), 'got')
    })
    t.equal(await get(locksOf('t'), 'a'), 'got', 'and it is free afterwards')
  })

  t.test('a lock is free after a failure', async (t) => {
    const connections = new Connections(mysql.pool(), TABLE)
    const fail = connections.locked('a', 0, undefined, () => Promise.reject(new Error('inside')))
    await t.rejects(fail, { message: 'inside' })
    t.equal(await connections.locked('a', 5, undefined, async () => 'got'), 'got')
  })
}

if (frozen === undefined) cannotTest(t, 'a frozen MariaDB', 'it is not installed')
else {
  t.teardown(() => frozen.end())

  t.test('what a frozen server has received is not applied when it goes on too late', async (t) => {
    const connections = new Connections(frozen.pool({ connectionLimit: 1 }), TABLE)
    await connections.query("CREATE TABLE names AS SELECT 'old' AS name, 0 AS version", [])
    const write = (name: string, call: StoreCall) =>
      connections.write('name', `UPDATE names SET name = ? WHERE ${IN_TIME}`, (limit) => [name, limit], call)
    await write('new', within(60_000))
    frozen.service?.pause()
    const call = within(30)
    const late = t.rejects(write('bad', call), { message: /written too late/ })
    await isOver(call)
    frozen.service?.resume()
    await late
    t.match(await connections.query('SELECT name FROM names', []), { rows: [{ name: 'new' }] })
  })
}

/** `single`: a pool of one connection. */
function testServer(single: Pool, others: Pool): void {
  const connections = new Connections(single, TABLE)
  const name = async (): Promise<unknown> =>
    (await others.query<RowDataPacket[]>('SELECT name FROM names WHERE id = 1'))[0][0]?.name
  const sql = `UPDATE names SET name = ? WHERE id = 1 AND ${IN_TIME}`
  const write = (value: string, call: StoreCall, by = connections) =>
    by.write('name', sql, (limit) => [value, limit], call)

  t.before(async () => {
    await others.query('CREATE TABLE names (id INT PRIMARY KEY, name TEXT, version INT NOT NULL DEFAULT 0)')
    await others.query("INSERT INTO names (id, name) VALUES (1, 'old')")
  })

  t.test('a write that waited for a connection beyond its time is not sent', async (t) => {
    const held = await single.getConnection()
    const call = within(20)
    const late = t.rejects(write('late', call), { message: /no time left/ })
    await isOver(call)
    await others.query("UPDATE names SET name = 'new' WHERE id = 1")
    held.release()
    await late
    t.equal(await name(), 'new')
    const again = await single.getConnection()
    t.equal(again.connection, held.connection, 'and the connection is still good')
    again.release()
  })

  t.test('a write that waited for a lock beyond its time is taken back, whatever the other did', async (t) => {
    for (const [change, end] of [
      ['SELECT * FROM names WHERE id = 1 FOR UPDATE', 'COMMIT'],
      ["UPDATE names SET name = 'other' WHERE id = 1", 'ROLLBACK'],
      ["UPDATE names SET name = 'new' WHERE id = 1", 'COMMIT']
    ] as const) {
      const other = await others.getConnection()
      await other.query('START TRANSACTION')
      await other.query(change)
      const call = within(50)
      const late = t.rejects(write('late', call), { message: /written too late|no time left/ }, change)
      await isOver(call)
      await other.query(end)
      other.release()
      await late
      t.equal(await name(), 'new')
    }
  })

  t.test('a wrong idea of the time of the server is corrected', async (t) => {
    let wrongAnswers = Number.POSITIVE_INFINITY
    const pool: MySqlPool = {
      getConnection: async () => {
        const connection = await single.getConnection()
        return {
          execute: async (statement, values) => {
            const [found, fields] = await connection.execute<RowDataPacket[]>(statement, values)
            if (statement.sql.includes('AS now') && wrongAnswers-- > 0) {
              return [[{ now: Number(found[0]?.now) - 3_600_000_000 }], fields]
            }
            return [found, fields]
          },
          release: () => connection.release(),
          destroy: () => connection.destroy()
        }
      }
    }
    const misled = new Connections(pool, TABLE)
    await t.rejects(write('late', within(100), misled), { message: /too late|no time left/ })
    t.equal(await name(), 'new')
    wrongAnswers = 0
    await write('in time', within(60_000), misled)
    wrongAnswers = 1
    await write('in time, too', within(60_000), new Connections(pool, TABLE))
    t.equal(await name(), 'in time, too')
  })

  t.test('a connection that the server ends is replaced', async (t) => {
    const { rows } = await connections.query('SELECT CONNECTION_ID() AS id', [])
    const [{ id }] = rows as [{ id: number }]
    const running = t.rejects(connections.query('SELECT SLEEP(20) AS slept', []))
    await when(async () => {
      const [found] = await others.query<RowDataPacket[]>(
        "SELECT 1 FROM information_schema.PROCESSLIST WHERE ID = ? AND INFO LIKE 'SELECT SLEEP%'",
        [id]
      )
      return found.length === 1
    })
    await others.query(`KILL ${id}`)
    await running
    t.match(await connections.query('SELECT 1 AS one', []), { rows: [{ one: 1 }] })
  })
}
