import t from 'tap'
import { SqliteRevocations } from '../../../lib/stores/sqlite/revocations.ts'
import { testRevocations } from '../../../lib/testing/index.ts'
import type { Revocation } from '../../../types/revocations.ts'
import { newPath, sqliteLibraries } from '../../helpers/sqlite.ts'

const NOW = 1_763_640_000
const INVALID = { code: 'ERR_SESSION_OPTION_INVALID' }

function entryOf(id: string, until = NOW + 60): Revocation {
  return { kind: 'session', id, until }
}

for (const library of await sqliteLibraries(t)) {
  t.test(library.name, async (t) => {
    const clock = (): number => NOW * 1000

    t.test('two handles on one file keep the rules of a list', async (t) => {
      const path = newPath(t)
      const handles = [library.open(path), library.openWithBigints(path)] as const
      t.teardown(() => handles.map((handle) => handle.close()))
      let opened = 0
      testRevocations({
        test: (name, run) => t.test(name, run),
        open: (clock) => new SqliteRevocations({ database: handles[opened++ % 2] as (typeof handles)[0], clock })
      })
    })

    t.test('what is over makes room for what comes, and after a loss everything is read anew', async (t) => {
      let now = NOW
      const database = library.open(newPath(t))
      t.teardown(() => database.close())
      const list = new SqliteRevocations({ database, table: 'room', clock: () => now * 1000 })
      for (let index = 0; index < 150; index++) await list.add(entryOf(String(index), NOW + 1))
      now += 2
      await list.add(entryOf('new'))
      await list.add(entryOf('newer'))
      t.match(database.prepare('SELECT count(*) AS count FROM room').get(), { count: 2 })
      const { position, entries } = await list.since()
      t.same(entries, [entryOf('new'), entryOf('newer')])
      t.same(await list.since(position), { entries: [], position, hasMore: false })
      database.exec("DELETE FROM room; DELETE FROM sqlite_sequence WHERE name = 'room'")
      for (let index = 0; index < 152; index++) await list.add(entryOf(`later ${index}`))
      t.equal((await list.since(position)).entries.length, 152, 'another entry has the number')
    })

    t.test('a table of somebody else, and a handle that is closed, are told', async (t) => {
      const database = library.open(newPath(t))
      database.exec('CREATE TABLE mine (session TEXT)')
      t.throws(() => new SqliteRevocations({ database, table: 'mine' }), {
        ...INVALID,
        message: /Set the option table/
      })
      const list = new SqliteRevocations({ database, clock })
      database.close()
      await t.rejects(list.add(entryOf('a')), { message: /^The SqliteRevocations could not add an entry: / })
      await t.rejects(list.since(), { message: /^The SqliteRevocations could not read what is new: / })
    })

    t.test('wrong options are refused', async (t) => {
      const database = library.open(newPath(t))
      t.teardown(() => database.close())
      t.throws(() => new SqliteRevocations({ database: 'revocations.db' as never }), INVALID)
      t.throws(() => new SqliteRevocations({ database, table: 'a b' }), INVALID)
      t.throws(() => new SqliteRevocations({ database, clock: 1 as never }), INVALID)
      t.throws(() => new SqliteRevocations({ database, pruneInterval: 1 } as never), {
        code: 'ERR_SESSION_OPTION_UNKNOWN'
      })
    })
  })
}
