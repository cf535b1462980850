import type { PreparedStatementInfo } from 'mysql2/promise'
import t from 'tap'
import type { Statements } from '../../../lib/stores/mysql/statements.ts'
import { writeStatements } from '../../../lib/stores/mysql/statements.ts'
import { MIGRATIONS } from '../../../lib/stores/mysql/table.ts'
import { reachMySql } from '../../helpers/mysql.ts'

const TABLE = '`one ``table```'

/** How many parameters each statement takes. */
const PARAMETERS: Readonly<Record<keyof Statements, number>> = {
  reserve: 18,
  activate: 6,
  load: 2,
  read: 2,
  commit: 9,
  touch: 5,
  destroy: 1,
  list: 2,
  candidates: 4,
  destroyAll: 4,
  count: 1,
  entries: 2,
  destroyEverything: 1,
  prune: 3
}

/** Each statement as text; `activate` for a session that ends no other. */
function textsOf(table: string): [name: keyof Statements, text: string][] {
  const { activate, entries, ...others } = writeStatements(table)
  return Object.entries({ ...others, activate: activate(0), entries: entries(10) }) as [keyof Statements, string][]
}

t.test('each statement takes its parameters', async (t) => {
  for (const [name, text] of textsOf(TABLE)) t.equal(text.split('?').length - 1, PARAMETERS[name], name)
  t.equal(writeStatements(TABLE).activate(3).split('?').length - 1, PARAMETERS.activate + 3)
})

t.test('a statement reads and writes the given table and no other', async (t) => {
  const others = Object.fromEntries(textsOf('`other`'))
  for (const [name, text] of textsOf(TABLE)) t.equal(text.replaceAll(TABLE, '`other`'), others[name], name)
})

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  const pool = mysql.pool({ connectionLimit: 1 })
  for (const write of MIGRATIONS) await pool.execute(write(TABLE))

  t.test('the server accepts each statement', async (t) => {
    for (const [name, text] of textsOf(TABLE)) {
      const connection = await pool.getConnection()
      const prepared: PreparedStatementInfo = await connection.prepare(text)
      await prepared.close()
      connection.release()
      t.pass(name)
    }
  })
}
