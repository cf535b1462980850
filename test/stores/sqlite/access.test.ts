import { existsSync } from 'node:fs'
import t from 'tap'
import { SqliteAccess } from '../../../lib/stores/sqlite/access.ts'
import type { Handle } from '../../../lib/stores/sqlite/options.ts'
import { when } from '../../helpers/fake-time.ts'
import { newPath, sqliteLibraries } from '../../helpers/sqlite.ts'

function busy(): Error {
  return Object.assign(new Error('database is locked'), { code: 'SQLITE_BUSY' })
}

function within(milliseconds: number): { deadline: number } {
  return { deadline: performance.now() + milliseconds }
}

for (const library of await sqliteLibraries(t)) {
  const open = (path = ':memory:'): Handle => library.open(path) as unknown as Handle

  t.test(`with ${library.name}`, async (t) => {
    t.test('what finds no lock is done at once', async (t) => {
      const access = new SqliteAccess(open())
      const done: string[] = []
      access.write('write', undefined, () => done.push('write'))
      access.read('read', () => done.push('read'))
      access.remove('remove', within(1000), () => done.push('remove'))
      access.removeLate('remove', undefined, () => done.push('late'))
      t.same(done, ['write', 'read', 'remove', 'late'])
    })

    t.test('those who wait for a lock stand in line, and readers do not stand behind writers', async (t) => {
      const access = new SqliteAccess(open())
      let isLocked = true
      const attempts: number[] = []
      const step = (number: number) => (): number => {
        attempts.push(number)
        if (isLocked) throw busy()
        return number
      }
      const writes = Promise.all([1, 2, 3].map((number) => access.write('write', within(60_000), step(number))))
      await when(() => attempts.length > 5)
      t.same(new Set(attempts), new Set([1]), 'the first tries for all')
      t.equal(await access.read('read', () => 'read'), 'read')
      isLocked = false
      t.same(await writes, [1, 2, 3])
    })

    t.test('a lock that stays is an error when the time is over', async (t) => {
      const access = new SqliteAccess(open())
      const locked = (): never => {
        throw busy()
      }
      const expected = {
        message: 'The SqliteStore could not read: another connection was writing for too long (database is locked).'
      }
      let now = 0
      let step = 500
      t.intercept(performance, 'now', {
        value: () => {
          now += step
          return now
        }
      })
      for (const next of [500, 1100]) {
        now = 0
        step = next
        await t.rejects(access.read('read', locked), expected)
        t.ok(now >= 2000 && now < 5000, 'after two seconds, if nobody says how long')
      }
      await t.rejects(access.removeLate('read', { deadline: now }, locked), expected)
    })

    t.test('a write is not begun after its deadline, and a logout is', async (t) => {
      const access = new SqliteAccess(open())
      let steps = 0
      const step = (): number => steps++
      const expected = {
        message: 'The SqliteStore could not write: The store had no time left for a change. Nothing was written.'
      }
      await t.rejects(access.write('write', within(-1), step), expected)
      await t.rejects(access.remove('write', within(-1), step), expected)
      t.equal(steps, 0)
      t.equal(await access.removeLate('remove', within(-1), step), 0)
    })

    t.test('an open transaction of the application is an error', async (t) => {
      const database = open()
      const access = new SqliteAccess(database)
      database.exec('BEGIN')
      const expected = { message: /open transaction on the handle/ }
      t.throws(() => access.open(() => {}), expected)
      await t.rejects(
        access.read('read', () => {}),
        expected
      )
      database.exec('COMMIT')
      t.equal(
        access.open(() => 'open'),
        'open'
      )
    })

    t.test('opening a file makes its reserve', async (t) => {
      const path = newPath(t)
      new SqliteAccess(open(path)).open(() => {})
      t.ok(existsSync(`${path}-reserve`))
    })
  })
}
