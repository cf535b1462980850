import t from 'tap'
import { endInTime, inTime, isLate } from '../../../lib/stores/postgres/guard.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

const SECONDS = 'extract(epoch FROM clock_timestamp())'

t.test('an error of something else is not late', async (t) => {
  t.equal(isLate(new Error('the deadline')), false)
  t.equal(isLate('written too late: never'), false)
})

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  const pool = postgres.pool({ max: 2 })
  await pool.query('CREATE TABLE numbers (n integer)')
  const write = (limit: number | string) =>
    pool.query(`INSERT INTO numbers VALUES (1) RETURNING ${inTime(1)} AS "inTime"`, [limit])
  const serverTime = async (): Promise<number> => (await pool.query(`SELECT ${SECONDS}::float8 AS now`)).rows[0].now

  t.test('a write is made until its time and never after it', async (t) => {
    const now = await serverTime()
    t.same((await write(now + 60)).rows, [{ inTime: true }])
    t.same((await write(Number.POSITIVE_INFINITY)).rows, [{ inTime: true }])
    const error: unknown = await write(now - 0.001).catch((error: unknown) => error)
    t.equal(isLate(error), true)
    t.match(error, { code: '22P02' })
    t.equal((await pool.query('SELECT * FROM numbers')).rowCount, 2)
  })

  t.test('a write that is prepared once is judged each time', async (t) => {
    const text = `UPDATE numbers SET n = n RETURNING ${inTime(1)}`
    const client = await pool.connect()
    const values = [(await serverTime()) + 60]
    for (let index = 0; index < 8; index++) await client.query({ name: 'write', text, values })
    await t.rejects(client.query({ name: 'write', text, values: [(values[0] as number) - 120] }), { code: '22P02' })
    client.release()
  })

  t.test('a transaction that does not end in time is taken back', async (t) => {
    const client = await pool.connect()
    const ended = new Promise((resolve) => client.once('error', resolve))
    await client.query('BEGIN')
    await client.query('INSERT INTO numbers VALUES (7)')
    await client.query(`SELECT ${endInTime(1)}`, [(await serverTime()) + 0.02])
    t.match(await ended, { code: '25P03' })
    client.release(true)
    t.equal((await pool.query('SELECT FROM numbers WHERE n = 7')).rowCount, 0)
  })

  t.test('one whose time is over, or has no end, has a limit that PostgreSQL accepts', async (t) => {
    const setting = async (limit: number): Promise<string> =>
      (await pool.query(`SELECT ${endInTime(1)} AS setting`, [limit])).rows[0].setting
    t.equal(await setting(1), '1ms')
    t.equal(await setting(Number.POSITIVE_INFINITY), '2147483647ms')
  })
}
