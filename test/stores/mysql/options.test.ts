import mysql2 from 'mysql2'
import { createPool } from 'mysql2/promise'
import t from 'tap'
import type { MySqlPool, MySqlStoreOptions } from '../../../lib/stores/mysql/options.ts'
import { quoteTable, readOptions } from '../../../lib/stores/mysql/options.ts'

const pool: MySqlPool = { getConnection: () => Promise.reject(new Error('unused')) }

t.test('options are checked at once', async (t) => {
  for (const options of [
    ...['', 'x'.repeat(65), 'a\0b', 'a\0', 'a ', 'a😀', '😀a', '\ud800', 1, null].flatMap((name) => [
      { pool, table: name },
      { pool, schema: name }
    ]),
    { pool: undefined },
    { pool: { execute: () => {} } },
    { pool, pruneInterval: -1 },
    { pool, clock: 0 }
  ]) {
    t.throws(() => readOptions(options as never), { code: 'ERR_SESSION_OPTION_INVALID' }, JSON.stringify(options))
  }
  t.throws(() => readOptions({ pool, prefix: 'x' } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
  t.doesNotThrow(() => readOptions({ pool, table: 'x'.repeat(64), schema: 'ä'.repeat(64) }))
})

t.test('a connection string is not a pool, and does not get into the message', async (t) => {
  const text = 'mysql://ada:secret@db/app' as never
  t.throws(() => readOptions({ pool: text }), { code: 'ERR_SESSION_OPTION_INVALID', message: /^(?!.*secret)/ })
})

t.test('a pool with callbacks is told how to become one with promises', async (t) => {
  const callbacks = mysql2.createPool('mysql://root@127.0.0.1:1')
  t.throws(() => readOptions({ pool: callbacks as never }), {
    code: 'ERR_SESSION_OPTION_INVALID',
    message:
      'The option pool must be a Pool of mysql2/promise: new MySqlStore({ pool: createPool(…) }). This one takes callbacks: pass pool.promise().'
  })
  t.doesNotThrow(() => readOptions({ pool: callbacks.promise() }))
  t.doesNotThrow(() => readOptions({ pool: createPool('mysql://root@127.0.0.1:1') }))
})

t.test('a pool of another package is refused with what fits', async (t) => {
  // The shapes of mariadb 3.5 and mysql 2.18.
  const mariadb = { getConnection() {}, query() {}, execute() {}, batch() {}, importFile() {} }
  const mysql = { getConnection() {}, acquireConnection() {}, query() {} }
  for (const other of [mariadb, mysql]) {
    t.throws(() => readOptions({ pool: other as never }), {
      code: 'ERR_SESSION_OPTION_INVALID',
      message: /createPool\(…\) \}\)\. This one is of mariadb or mysql: install mysql2\.$/
    })
  }
})

t.test('the table is quoted, with its database if there is one', async (t) => {
  const tableOf = (options: Partial<MySqlStoreOptions>): string => quoteTable(readOptions({ pool, ...options }))
  t.equal(tableOf({}), '`sessions`')
  t.equal(tableOf({ table: 'a`b', schema: 'c`d' }), '`c``d`.`a``b`')
})

t.test('what is left out has a default', async (t) => {
  const { pruneInterval, clock } = readOptions({ pool })
  t.same([pruneInterval, Math.abs(clock() - Date.now()) < 1000], [3600, true])
})
