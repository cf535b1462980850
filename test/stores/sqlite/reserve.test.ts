import { existsSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t from 'tap'
import type { Handle } from '../../../lib/stores/sqlite/options.ts'
import { Reserve } from '../../../lib/stores/sqlite/reserve.ts'
import { mountDisk } from '../../helpers/disk.ts'
import { newPath, sqliteLibraries } from '../../helpers/sqlite.ts'

const SIZE = 4 * 1024 * 1024

function full(): Error {
  return Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' })
}

for (const library of await sqliteLibraries(t)) {
  const open = (path: string): Handle => library.open(path) as unknown as Handle

  t.test(`with ${library.name}`, async (t) => {
    t.test('the reserve is a file beside the database that only its owner can read', async (t) => {
      const path = newPath(t)
      const reserve = new Reserve(open(path))
      reserve.make()
      const { size, mode } = statSync(`${path}-reserve`)
      t.same([size, mode & 0o777], [SIZE, 0o600])
    })

    t.test('a removal for which there is space leaves it alone', async (t) => {
      const path = newPath(t)
      const reserve = new Reserve(open(path))
      reserve.make()
      t.equal(
        reserve.spend(() => 'removed'),
        'removed'
      )
      t.throws(
        () =>
          reserve.spend(() => {
            throw new Error('of something else')
          }),
        { message: 'of something else' }
      )
      t.ok(existsSync(`${path}-reserve`))
    })

    t.test('a removal for which there is none gets it, and the log is emptied', async (t) => {
      const path = newPath(t)
      const database = open(path)
      const texts: string[] = []
      const reserve = new Reserve({
        exec: () => {},
        prepare: (sql) => {
          texts.push(sql)
          return database.prepare(sql)
        }
      })
      reserve.make()
      const answers = [full()]
      const remove = (): string => {
        const error = answers.pop()
        if (error !== undefined) throw error
        return 'removed'
      }
      t.equal(reserve.spend(remove), 'removed')
      t.notOk(existsSync(`${path}-reserve`))
      t.equal(texts.at(-1), 'PRAGMA wal_checkpoint(RESTART)')
      t.throws(
        () =>
          reserve.spend(() => {
            throw full()
          }),
        { message: /full/ },
        'it tries once more, not for ever'
      )
      reserve.assert()
      t.ok(existsSync(`${path}-reserve`), 'there is space again')
    })

    t.test('an error while the log is emptied does not keep the removal from another attempt', async (t) => {
      const database = open(newPath(t))
      const reserve = new Reserve({
        exec: () => {},
        prepare: (sql) => {
          if (sql.includes('checkpoint')) throw full()
          return database.prepare(sql)
        }
      })
      let attempts = 0
      const remove = (): number => {
        if (++attempts === 1) throw full()
        return attempts
      }
      t.equal(reserve.spend(remove), 2)
    })

    t.test('a database in memory needs none', async (t) => {
      const reserve = new Reserve(open(':memory:'))
      reserve.make()
      reserve.assert()
      t.throws(
        () =>
          reserve.spend(() => {
            throw full()
          }),
        { message: /full/ }
      )
    })

    t.test('where there is no space for it nothing may be written, until there is', async (t) => {
      const path = newPath(t)
      if (!mountDisk(t, dirname(path), '4m')) return
      const filler = join(dirname(path), 'filler')
      writeFileSync(filler, Buffer.alloc(1024 * 1024))
      let now = 0
      t.intercept(performance, 'now', { value: () => now })
      const reserve = new Reserve(open(path))
      reserve.make()
      t.throws(() => reserve.assert(), { code: 'ENOSPC' })
      t.notOk(existsSync(`${path}-reserve`), 'and nothing is left of the attempt')
      rmSync(filler)
      now = 200
      t.throws(() => reserve.assert(), { code: 'ENOSPC' }, 'it does not look each time')
      now = 300
      reserve.assert()
      t.equal(statSync(`${path}-reserve`).size, SIZE)
    })

    t.test('where it cannot be made for another reason, the store works without', async (t) => {
      const path = newPath(t)
      mkdirSync(`${path}-reserve`)
      const reserve = new Reserve(open(path))
      reserve.make()
      t.doesNotThrow(() => reserve.assert())
    })
  })
}
