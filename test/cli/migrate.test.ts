import { join } from 'node:path'
import t from 'tap'
import { MySqlStore } from '../../lib/stores/mysql/index.ts'
import { PostgresStore } from '../../lib/stores/postgres/index.ts'
import { SqliteStore } from '../../lib/stores/sqlite/index.ts'
import { makeDirectory } from '../helpers/cli-stores.ts'
import { reachMySql } from '../helpers/mysql.ts'
import { read } from '../helpers/pages.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { run } from '../helpers/run-cli.ts'
import { openSqlite } from '../helpers/sqlite.ts'

t.test('migrate creates the table', async (t) => {
  const path = join(makeDirectory(t), 'sessions.db')
  for (let time = 1; time <= 2; time++) {
    t.match(await run(['migrate', '--store', `sqlite:${path}`]), { code: 0, out: 'The table is up to date.' })
  }
  t.match(await run(['sessions', 'ana', '--store', `sqlite:${path}`]), { code: 0, out: 'This owner has no sessions.' })
  t.match(await run(['migrate', '--store', `file:${makeDirectory(t)}`]), { code: 0, out: 'This store has no table.' })
})

t.test('--print prints statements that make the table of SqliteStore', async (t) => {
  const { code, out } = await run(['migrate', '--print', 'sqlite', '--table', 'shop'])
  t.equal(code, 0)
  const database = await openSqlite(join(makeDirectory(t), 'sessions.db'))
  const exec = (sql: string): void => void (database as unknown as { exec(sql: string): void }).exec(sql)
  exec(out)
  t.doesNotThrow(() => new SqliteStore({ database, table: 'shop', pruneInterval: 0 }))
  t.match(out, /^-- sqlite\nCREATE TABLE IF NOT EXISTS "shop" \(\n {2}key TEXT/)
  database.close()
})

t.test('--print prints all databases without a name', async (t) => {
  const { out } = await run(['migrate', '--print'])
  t.match(out, /^-- postgres\nCREATE TABLE "sessions" \(\n {2}key text COLLATE "C" PRIMARY KEY,\n/)
  t.match(out, /\n\n-- mysql\nCREATE TABLE `sessions` \(\n {2}`key` varbinary/)
  t.match(out, /\n\n-- sqlite\nCREATE TABLE/)
  t.notMatch(out, /[ \t]$/m)
})

t.test('the page of PostgresStore has the statements to paste', async (t) => {
  const { out } = await run(['migrate', '--print', 'postgres'])
  t.ok(read('docs/stores/postgres.md').includes(out.replace('-- postgres', '```sql')), out)
})

t.test('the page of MySqlStore has the statement to paste', async (t) => {
  const { out } = await run(['migrate', '--print', 'mysql'])
  t.ok(read('docs/stores/mysql.md').includes(out.replace('-- mysql', '```sql')), out)
})

t.test('a wrong command line is explained', async (t) => {
  t.match(await run(['migrate', '--print', 'oracle']), { code: 2, err: '--print takes postgres, mysql, sqlite.' })
  t.match(await run(['migrate', '--print', 'toString']), { code: 2, err: '--print takes postgres, mysql, sqlite.' })
  t.match(await run(['migrate', 'postgres']), { code: 2, err: 'migrate takes no argument without --print.' })
})

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())

  t.test('--print prints statements that make the table of PostgresStore', async (t) => {
    const { out } = await run(['migrate', '--print', 'postgres', '--schema', postgres.schema])
    const pool = postgres.pool()
    await pool.query(out)
    const store = new PostgresStore({ pool, schema: postgres.schema, pruneInterval: 0 })
    await store.migrate()
    t.same(await store.list('ana'), [])
  })
}

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())

  t.test('--print prints a statement that makes the table of MySqlStore', async (t) => {
    const { out } = await run(['migrate', '--print', 'mysql', '--schema', mysql.database])
    const pool = mysql.pool()
    await pool.query(out)
    const store = new MySqlStore({ pool, pruneInterval: 0 })
    await store.migrate()
    t.same(await store.list('ana'), [])
  })
}
