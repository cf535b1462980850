import t from 'tap'
import type { Handle } from '../../../lib/stores/sqlite/options.ts'
import { assertNoTransaction, inTransaction } from '../../../lib/stores/sqlite/transaction.ts'
import { newPath, sqliteLibraries } from '../../helpers/sqlite.ts'

for (const library of await sqliteLibraries(t)) {
  t.test(`a transaction is kept whole or not at all, with ${library.name}`, async (t) => {
    const path = newPath(t)
    const database = library.open(path) as unknown as Handle
    const other = library.open(path)
    database.exec('PRAGMA journal_mode = WAL; CREATE TABLE numbers (n INTEGER)')
    other.exec('PRAGMA busy_timeout = 0')
    const work = (): string => {
      database.exec('INSERT INTO numbers VALUES (1)')
      t.throws(() => other.exec('BEGIN IMMEDIATE'), 'nobody else writes meanwhile')
      t.throws(() => assertNoTransaction(database), { message: /open transaction/ })
      return 'done'
    }
    t.equal(inTransaction(database, work), 'done')
    t.throws(
      () =>
        inTransaction(database, () => {
          work()
          throw new Error('of the work')
        }),
      { message: 'of the work' }
    )
    assertNoTransaction(database)
    t.match(database.prepare('SELECT count(*) AS count FROM numbers').get(), { count: 1 })
  })

  t.test(`an error that has rolled back is told, with ${library.name}`, async (t) => {
    const database = library.open(newPath(t)) as unknown as Handle
    const work = (): void => {
      database.exec('ROLLBACK')
      throw new Error('of the work')
    }
    t.throws(() => inTransaction(database, work), { message: 'of the work' })
  })
}
