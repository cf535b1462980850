import t from 'tap'
import type { PostgresPool } from '../../../lib/stores/postgres/clients.ts'
import type { PostgresStoreOptions } from '../../../lib/stores/postgres/options.ts'
import { readOptions } from '../../../lib/stores/postgres/options.ts'

const pool: PostgresPool = { connect: () => Promise.reject(new Error('unused')) }

t.test('options are checked at once', async (t) => {
  for (const options of [
    ...['', 'x'.repeat(64), 'ä'.repeat(32), 'a\0b', '\ud800', 1, null].flatMap((name) => [
      { pool, table: name },
      { pool, schema: name }
    ]),
    { pool: undefined },
    { pool: { query: () => {} } },
    { pool, unlogged: 'yes' },
    { pool, pruneInterval: -1 },
    { pool, clock: 0 }
  ]) {
    t.throws(() => readOptions(options as never), { code: 'ERR_SESSION_OPTION_INVALID' }, String(options.pool))
  }
  t.throws(() => readOptions({ pool, prefix: 'x' } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
  t.doesNotThrow(() => readOptions({ pool, table: 'x'.repeat(63), schema: 'ä'.repeat(31) }))
})

t.test('a connection string is not a pool, and does not get into the message', async (t) => {
  const text = 'postgres://ada:secret@db/app' as never
  t.throws(() => readOptions({ pool: text }), { code: 'ERR_SESSION_OPTION_INVALID', message: /^(?!.*secret)/ })
})

t.test('the table is quoted, with its schema if there is one', async (t) => {
  const tableOf = (options: Partial<PostgresStoreOptions>): string => readOptions({ pool, ...options }).table
  t.equal(tableOf({}), '"sessions"')
  t.equal(tableOf({ table: 'a"b', schema: 'c"d' }), '"c""d"."a""b"')
})

t.test('what is left out has a default', async (t) => {
  const { unlogged, pruneInterval, clock } = readOptions({ pool })
  t.same([unlogged, pruneInterval, Math.abs(clock() - Date.now()) < 1000], [undefined, 3600, true])
})
