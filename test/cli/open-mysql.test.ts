import type { RowDataPacket } from 'mysql2/promise'
import t from 'tap'
import { openMySql } from '../../lib/cli/open-mysql.ts'
import { addressOf, addSession, checkEndAll } from '../helpers/cli-stores.ts'
import { reachMySql } from '../helpers/mysql.ts'

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  const { url } = mysql
  t.teardown(() => mysql.end())

  t.test('all sessions of a table end, and expired ones are removed', async (t) => {
    const opened = await openMySql(addressOf(url.replace('mysql:', 'mariadb:'), { schema: mysql.database }))
    const other = await openMySql(addressOf(url, { table: 'others' }))
    await Promise.all([opened.migrate?.(), other.migrate?.()])
    await checkEndAll(t, opened, other)
    await addSession(opened.store, 'd', 'ana', -1)
    t.equal(await opened.prune?.(), 1)
    await Promise.all([opened.close(), other.close()])
  })

  t.test('the end of an idle connection is no crash', async (t) => {
    const opened = await openMySql(addressOf(url))
    await opened.store.list('ana')
    const pool = mysql.pool()
    const [rows] = await pool.query<RowDataPacket[]>(
      "SELECT ID AS id FROM information_schema.PROCESSLIST WHERE COMMAND = 'Sleep' AND DB = ?",
      [mysql.database]
    )
    t.ok(rows.length > 0)
    for (const { id } of rows) await pool.query(`KILL ${id}`)
    await Promise.resolve(opened.store.list('ana')).catch(() => {})
    t.same(await opened.store.list('ana'), [])
    await opened.close()
  })
}
