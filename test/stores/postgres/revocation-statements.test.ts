import t from 'tap'
import { COMMENT, PAGE, writeStatements } from '../../../lib/stores/postgres/revocation-statements.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.test('the statements of a list do what they say', async (t) => {
    const pool = postgres.pool()
    const sql = writeStatements(`"a'b"`)
    t.same((await pool.query(sql.inspect)).rows, [])
    await pool.query(sql.create)
    t.same((await pool.query(sql.inspect)).rows, [{ comment: COMMENT }])
    t.match((await pool.query(sql.channel)).rows, [{ channel: /^session_revocations_\d+$/ }])
    await pool.query(sql.lock)
    const add = async (mark: string, session: string | null, last: number, now = 5): Promise<unknown> =>
      (await pool.query(sql.add, [mark, session, last, `entry ${mark}`, now])).rows[0].known
    t.equal(await add('a', 'x', 5), null)
    t.equal(await add('b', 'x', 5), 'entry a')
    t.equal(await add('c', 'x', 9, 6), null, 'that one is over')
    t.equal(await add('d', null, 9), null)
    t.equal(await add('e', null, 9), null)
    const since = async (number: number, mark: string, now: number): Promise<unknown[]> =>
      (await pool.query(sql.since, [number, mark, now])).rows.map(({ entry }) => entry)
    t.same(await since(0, '-', 6), [null, 'entry c', 'entry d', 'entry e'])
    t.same(await since(2, 'c', 6), ['entry d', 'entry e'])
    t.same(await since(2, 'other', 10), [null, null, null, null], 'another entry had the number')
    await add('f', null, 9, 7)
    t.same(await since(0, '-', 6), ['entry c', 'entry d', 'entry e', 'entry f'], 'what is over makes room')
    t.equal(PAGE, 1000)
  })
}
