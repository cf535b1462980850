import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openSqlite } from '../../lib/cli/open-sqlite.ts'
import { addressOf, addSession, checkEndAll, makeDirectory } from '../helpers/cli-stores.ts'

t.test('all sessions of a table end, and expired ones are removed', async (t) => {
  const path = join(makeDirectory(t), 'sessions.db')
  const opened = await openSqlite(addressOf(path))
  const other = await openSqlite(addressOf(path, { table: 'others' }))
  await opened.migrate?.()
  await checkEndAll(t, opened, other)
  await addSession(opened.store, 'd', 'ana', -1)
  t.equal(await opened.prune?.(), 1)
  await Promise.all([opened.close(), other.close()])
})

t.test('a command that only looks creates neither a file nor a table', async (t) => {
  const path = join(makeDirectory(t), 'sessions.db')
  await t.rejects(openSqlite(addressOf(path, { mayCreate: false })), { message: /a file that does not exist/ })
  t.notOk(existsSync(path))
  await (await openSqlite(addressOf(path))).close()
  await (await openSqlite(addressOf(path, { mayCreate: false }))).close()
  const typo = addressOf(path, { mayCreate: false, table: 'sesions' })
  await t.rejects(openSqlite(typo), { exitCode: 2, message: /no table "sesions"/ })
  await t.rejects(openSqlite(addressOf(path, { table: 'a"b' })), { code: 'ERR_SESSION_OPTION_INVALID' })
})
