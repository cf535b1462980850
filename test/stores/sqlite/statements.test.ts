import t from 'tap'
import type { Handle } from '../../../lib/stores/sqlite/options.ts'
import { PRUNE_BATCH, prepare } from '../../../lib/stores/sqlite/statements.ts'
import { newPath, sqliteLibraries } from '../../helpers/sqlite.ts'

for (const library of await sqliteLibraries(t)) {
  const open = (path: string): Handle => library.open(path) as unknown as Handle

  t.test(`a table is made once, and belongs to the store, with ${library.name}`, async (t) => {
    const database = open(newPath(t))
    const { insert } = prepare(database, 'sessions')
    insert.run('key', '{}', 1, 1, 0, null, null, null, 10, 0)
    const { end, prune, find } = prepare(database, 'sessions')
    t.equal(Number(end.run('key', 11).changes), 0, 'what has expired has ended')
    t.equal(Number(end.run('key', 10).changes), 1)
    t.equal(find.get('key', 10), undefined)
    for (let index = 0; index <= PRUNE_BATCH; index++) insert.run(`${index}`, '{}', 1, 1, 0, null, null, null, 10, 0)
    t.equal(Number(prune.run(11).changes), PRUNE_BATCH)
  })

  t.test(`a table of somebody else is refused, and one half made is taken back, with ${library.name}`, async (t) => {
    const database = open(newPath(t))
    database.exec('CREATE TABLE sessions (id INTEGER); CREATE TABLE others_owner (id INTEGER)')
    t.throws(() => prepare(database, 'sessions'), { code: 'ERR_SESSION_OPTION_INVALID', message: /does not belong/ })
    t.throws(() => prepare(database, 'others'), { message: /already a table/ })
    t.equal(database.prepare("SELECT * FROM sqlite_schema WHERE name = 'others'").get(), undefined)
  })
}
