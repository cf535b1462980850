import type { RowDataPacket } from 'mysql2/promise'
import t from 'tap'
import {
  COLUMNS,
  COMMENT,
  INSPECT,
  INSPECT_COLUMNS,
  MIGRATIONS,
  migrationsFrom,
  missingFrom,
  readVersion
} from '../../../lib/stores/mysql/table.ts'
import { reachMySql } from '../../helpers/mysql.ts'

const INVALID = 'ERR_SESSION_OPTION_INVALID'
const CURRENT = MIGRATIONS.length

t.test('the comment of a table tells its version', async (t) => {
  t.equal(readVersion('`t`', undefined), 0, 'there is none')
  t.equal(readVersion('`t`', `${COMMENT} 1`), 1)
  for (const comment of ['', 'a table', `${COMMENT} x`, `my ${COMMENT} 1`]) {
    t.throws(() => readVersion('`t`', comment), { code: INVALID, message: 'did not create it' })
  }
  t.throws(() => readVersion('`t`', `${COMMENT} ${CURRENT + 1}`), {
    code: INVALID,
    message: `The table \`t\` has version ${CURRENT + 1}; this version of the package supports ${CURRENT}. Update the package.`
  })
})

t.test('the way to the current version is its steps', async (t) => {
  t.same(
    migrationsFrom(0, '`t`'),
    MIGRATIONS.map((write) => write('`t`'))
  )
  t.same(migrationsFrom(CURRENT, '`t`'), [], 'there is nothing to do')
})

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  const pool = mysql.pool()
  const select = async (text: string, table: string): Promise<RowDataPacket[]> =>
    (await pool.execute<RowDataPacket[]>(text, [null, table]))[0]

  t.test('the migrations make a table with all columns and the current version', async (t) => {
    t.same(await select(INSPECT, 'made'), [])
    for (const statement of migrationsFrom(0, '`made`')) await pool.execute(statement)
    const [found] = await select(INSPECT, 'made')
    t.equal(readVersion('`made`', found?.comment), CURRENT)
    t.equal(missingFrom((await select(INSPECT_COLUMNS, 'made')) as never), '')
    await pool.query('ALTER TABLE made DROP COLUMN description, MODIFY version BIGINT NOT NULL')
    t.same(missingFrom((await select(INSPECT_COLUMNS, 'made')) as never), 'version int, description longtext')
  })

  t.test('what is not indexed changes without a write to an index', async (t) => {
    for (const write of MIGRATIONS) await pool.execute(write('`lean`'))
    const [indexes] = await pool.query<RowDataPacket[]>('SHOW INDEX FROM lean')
    t.same(indexes.map(({ Column_name }) => Column_name).sort(), ['expires_hour', 'key', 'owner_id'])
    await pool.query(`INSERT INTO lean (\`key\`, created_at, last_seen_at, expires_at, version, permanent, data)
      VALUES ('k', 1, 1, 7200, 0, 0, '{}')`)
    await pool.query('UPDATE lean SET expires_at = 7300')
    t.match((await pool.query('SELECT expires_hour AS hour FROM lean'))[0], [{ hour: 2 }])
  })

  t.test('keys and owners are bytes, of the longest id that there may be', async (t) => {
    t.match(
      COLUMNS.filter(([name]) => name === 'key' || name === 'owner_id'),
      [
        ['key', 'varbinary', /^\(43\)/],
        ['owner_id', 'varbinary', '(1020)']
      ]
    )
  })
}
