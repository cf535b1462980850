import t from 'tap'
import { COMMENT, PAGE, writeStatements } from '../../../lib/stores/mysql/revocation-statements.ts'
import { INSPECT } from '../../../lib/stores/mysql/table.ts'
import { reachMySql } from '../../helpers/mysql.ts'

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  t.test('the statements of a list do what they say', async (t) => {
    const pool = mysql.pool()
    const sql = writeStatements('`a``b`')
    const run = async (statement: string, values: (string | number | null)[] = []): Promise<unknown> =>
      (await pool.execute(statement, values))[0]
    await run(sql.create)
    t.same(await run(INSPECT, [null, 'a`b']), [{ comment: COMMENT }])
    const look = async (session: string | null, now: number): Promise<unknown> =>
      ((await run(sql.look, [session, now])) as unknown[])[0]
    t.same(await look('x', 5), { known: null, newest: null })
    await run(sql.insert, ['a', 'x', 5, 'entry a'])
    t.same(await look('x', 5), { known: 'entry a', newest: 1 })
    t.same(await look('X', 5), { known: null, newest: 1 }, 'ids differ by case')
    t.same(await look('x', 6), { known: null, newest: 1 }, 'that one is over')
    await run(sql.insert, ['c', 'x', 9, 'entry c'])
    await run(sql.insert, ['d', null, 9, 'entry d'])
    t.same(await look(null, 6), { known: null, newest: 3 })
    const since = async (number: number, mark: string, now: number): Promise<unknown[]> =>
      ((await run(sql.since, [now, number, mark])) as { entry: unknown }[]).map(({ entry }) => entry)
    t.same(await since(0, '-', 6), [null, 'entry c', 'entry d'])
    t.same(await since(2, 'c', 6), ['entry d'])
    t.same(await since(2, 'other', 10), [null, null, null], 'another entry had the number')
    await run(sql.remove, [6, 3])
    t.same(await since(0, '-', 6), ['entry c', 'entry d'], 'what is over makes room')
    await run(sql.remove, [10, 3])
    t.same(await since(0, '-', 10), [null], 'the newest stays')
    await run(sql.remove, [10, null])
    t.same(await since(0, '-', 10), [null])
    t.equal(PAGE, 1000)
  })
}
