import type { ResultSetHeader, RowDataPacket } from 'mysql2/promise'
import t from 'tap'
import { IN_TIME, isLate, TIME, UNLIMITED } from '../../../lib/stores/mysql/guard.ts'
import { when } from '../../helpers/fake-time.ts'
import { reachMySql } from '../../helpers/mysql.ts'

t.test('an error of something else is not late', async (t) => {
  t.equal(isLate(new Error('the deadline')), false)
  t.equal(isLate(Object.assign(new Error(), { errno: 1213 })), false)
  t.equal(isLate(undefined), false)
})

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  const pool = mysql.pool({ connectionLimit: 3 })
  await pool.query('CREATE TABLE numbers (id INT PRIMARY KEY, version INT NOT NULL) ENGINE = InnoDB')
  await pool.query('INSERT INTO numbers VALUES (1, 0), (2, 0)')

  const write = async (limit: number, ids: readonly number[] = [1]): Promise<number> => {
    const marks = ids.map(() => '?').join(', ')
    const text = `UPDATE numbers SET version = version + 1 WHERE id IN (${marks}) AND ${IN_TIME}`
    return (await pool.execute<ResultSetHeader>(text, [...ids, limit]))[0].affectedRows
  }
  const serverTime = async (): Promise<number> =>
    Number((await pool.query<RowDataPacket[]>(`SELECT ${TIME} AS now`))[0][0]?.now)
  const versions = async (): Promise<unknown[]> =>
    (await pool.query<RowDataPacket[]>('SELECT version FROM numbers ORDER BY id'))[0].map(({ version }) => version)

  t.test('the time is that of the server, whatever its time zone', async (t) => {
    const now = await serverTime()
    t.ok(Math.abs(now / 1000 - Date.now()) < 60_000)
    const other = mysql.pool({}, ["SET time_zone = '+05:30'"])
    const [rows] = await other.query<RowDataPacket[]>(`SELECT ${TIME} AS now`)
    t.ok(Math.abs(Number(rows[0]?.now) - now) < 60_000_000)
  })

  t.test('a write is made until its time and never after it', async (t) => {
    const now = await serverTime()
    t.equal(await write(now + 60_000_000), 1)
    t.equal(await write(UNLIMITED), 1)
    const error: unknown = await write(now - 1).catch((error: unknown) => error)
    t.equal(isLate(error), true)
    t.match(error, { code: 'ER_DATA_OUT_OF_RANGE' })
    t.same(await versions(), [2, 0])
    t.equal(await write(now - 1, [7]), 0, 'where there is nothing to write, nothing is late')
  })

  t.test('no setting of sql_mode turns the error into a warning', async (t) => {
    const lax = mysql.pool({}, ["SET sql_mode = ''"])
    const late = lax.execute(`UPDATE numbers SET version = 9 WHERE id = 1 AND ${IN_TIME}`, [1])
    t.equal(await late.then(() => false, isLate), true)
    t.same(await versions(), [2, 0])
  })

  t.test('the time is that after all waiting, and all rows are taken back', async (t) => {
    const before = await versions()
    const other = await pool.getConnection()
    await other.query('START TRANSACTION')
    await other.query('SELECT * FROM numbers WHERE id = 2 FOR UPDATE')
    const limit = (await serverTime()) + 100_000
    const late = write(limit, [1, 2]).then(() => false, isLate)
    await when(async () => (await serverTime()) > limit)
    await other.query('COMMIT')
    other.release()
    t.equal(await late, true)
    t.same(await versions(), before)
  })
}
