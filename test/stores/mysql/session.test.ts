import { mock } from 'node:test'
import t from 'tap'
import type { MySqlConnection } from '../../../lib/stores/mysql/options.ts'
import { Session } from '../../../lib/stores/mysql/session.ts'
import { reachMySql, startMySql } from '../../helpers/mysql.ts'
import { cannotTest } from '../../helpers/service.ts'

// Before the first test: what is tested has ended when no test is left.
const mysql = await reachMySql(t)
const fixed = await startMySql('--sysdate-is-now')

t.test('a connection that owes an answer for too long is not waited for', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  const silent: MySqlConnection = { execute: () => new Promise(() => {}), release: () => {}, destroy: () => {} }
  const session = new Session(silent)
  const [usual, long] = [session.run('SELECT 1'), session.run('SELECT 1', [], 20_000)]
  const refused = t.rejects(usual, { message: 'The server did not answer within 10 s.' })
  const refusedLater = t.rejects(long, { message: 'The server did not answer within 20 s.' })
  mock.timers.tick(10_000)
  await refused
  mock.timers.tick(10_000)
  await refusedLater
})

if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  const sessionOf = async (...options: Parameters<typeof mysql.pool>): Promise<Session> =>
    new Session(await mysql.pool(...options).getConnection())

  t.test('the settings of a pool for rows do not matter', async (t) => {
    for (const options of [
      { rowsAsArray: true },
      { typeCast: false },
      { nestTables: true },
      { supportBigNumbers: true, bigNumberStrings: true },
      { namedPlaceholders: true },
      { flags: ['-FOUND_ROWS'] }
    ]) {
      const session = await sessionOf(options)
      await session.assertUsable('MySqlStore')
      t.match(await session.run('SELECT ? AS a, ? AS b', ['x', undefined]), { rows: [{ a: 'x', b: null }] })
      t.ok(Math.abs((await session.time()) - Date.now()) < 60_000)
      await session.run('CREATE TEMPORARY TABLE n (n BIGINT)')
      t.match(await session.run('INSERT INTO n VALUES (LAST_INSERT_ID(7))'), { rows: [], affectedRows: 1 })
      t.match(await session.run('UPDATE n SET n = LAST_INSERT_ID(n * 2)'), { affectedRows: 1, insertId: 14 })
    }
  })

  t.test('connections that would lose something are refused', async (t) => {
    const cases: [Promise<Session>, RegExp][] = [
      [sessionOf({}, ['SET autocommit = 0']), /autocommit is off/],
      [sessionOf({ charset: 'latin1' }), /charset is not utf8mb4/],
      [sessionOf({ charset: 'utf8' }), /charset is not utf8mb4/],
      [sessionOf({}, ['SET character_set_results = latin1']), /charset is not utf8mb4/]
    ]
    for (const [session, message] of cases) {
      const usable = (await session).assertUsable('MySqlStore')
      await t.rejects(usable, { code: 'ERR_SESSION_STORE_UNAVAILABLE', message })
    }
    await t.resolves((await sessionOf()).assertUsable('MySqlStore'))
  })
}

if (fixed === undefined) cannotTest(t, 'MariaDB with --sysdate-is-now', 'it is not installed')
else {
  t.teardown(() => fixed.end())
  t.test('a server whose clock stands still during a statement is refused', async (t) => {
    const session = new Session(await fixed.pool().getConnection())
    await t.rejects(session.assertUsable('MySqlStore'), {
      code: 'ERR_SESSION_STORE_UNAVAILABLE',
      message: /sysdate-is-now/
    })
  })
}
