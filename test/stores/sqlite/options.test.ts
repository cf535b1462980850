import t from 'tap'
import { readOptions } from '../../../lib/stores/sqlite/options.ts'
import { sqliteLibraries } from '../../helpers/sqlite.ts'

for (const library of await sqliteLibraries(t)) {
  t.test(`options that cannot be are refused, with ${library.name}`, async (t) => {
    const database = library.open(':memory:')
    const closed = library.open(':memory:')
    closed.close()
    for (const options of [
      undefined,
      {},
      { database: 'sessions.db' },
      { database: {} },
      { database: closed },
      { database: { prepare: () => ({ get: () => [1] }) } },
      { database: { prepare: () => ({ get: () => ({ two: 1 }) }) } },
      { database, table: '' },
      { database, table: 'a"b' },
      { database, table: 'sqlite_x' },
      { database, table: 1 },
      { database, pruneInterval: 1.5 },
      { database, clock: 0 }
    ]) {
      // @ts-expect-error what people without types write
      t.throws(() => readOptions(options), { code: 'ERR_SESSION_OPTION_INVALID' })
    }
    // @ts-expect-error the same
    t.throws(() => readOptions({ database, path: 'x' }), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
  })

  t.test(`what is left out has a default, with ${library.name}`, async (t) => {
    const { table, pruneInterval, clock } = readOptions({ database: library.open(':memory:') })
    t.same([table, pruneInterval, Math.abs(clock() - Date.now()) < 1000], ['sessions', 3600, true])
  })
}
