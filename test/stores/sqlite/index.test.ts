import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Database } from 'better-sqlite3'
import t from 'tap'
import { countEvery, endEvery } from '../../../lib/owners/every-session.ts'
import type { SqliteDatabase } from '../../../lib/stores/sqlite/index.ts'
import { SqliteStore } from '../../../lib/stores/sqlite/index.ts'
import { testRaces, testStore } from '../../../lib/testing/index.ts'
import { newKey, newRecord } from '../../../lib/testing/store-contract/bench.ts'
import type { SessionRecord } from '../../../types/store.ts'
import { mountDisk } from '../../helpers/disk.ts'
import { FakeTime, when } from '../../helpers/fake-time.ts'
import { newPath, sqliteLibraries } from '../../helpers/sqlite.ts'
import { ended, killAfter, startScript } from '../../helpers/writers.ts'

const NOW = 1_763_640_000
const LATER = NOW + 3600
const REAL_LATER = Math.floor(Date.now() / 1000) + 3600
const SET_A = { set: { a: '1' }, unset: [] }

// A handle of better-sqlite3 is one as it is; that of node:sqlite has no types on the oldest Node.js.
const isAssignable = (database: Database): SqliteDatabase => database

async function addTo(store: SqliteStore, record: Partial<SessionRecord> = {}, expiresAt = LATER): Promise<string> {
  const key = newKey()
  await store.create(key, newRecord(record), expiresAt)
  return key
}

function open(database: SqliteDatabase, clock: () => number = () => NOW * 1000): SqliteStore {
  return new SqliteStore({ database, clock, pruneInterval: 0 })
}

function pragma(database: SqliteDatabase, name: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${name}`).get() as object)[0]
}

/** The same handle; `onRead` is called after each row that was read. */
function watchReads(database: SqliteDatabase, onRead: () => void): SqliteDatabase {
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = database.prepare(sql)
      return {
        get: (...values) => {
          const row = statement.get(...values)
          onRead()
          return row
        },
        all: (...values) => statement.all(...values),
        run: (...values) => statement.run(...values)
      }
    }
  }
}

for (const library of await sqliteLibraries(t)) {
  t.test(library.name, async (t) => {
    t.test('the contract', async (t) => {
      const database = library.open(newPath(t))
      testStore({ test: (name, run) => t.test(name, run), open: (clock) => new SqliteStore({ database, clock }) })
    })

    t.test('the races, with two handles', async (t) => {
      const path = newPath(t)
      const [one, two] = [library.open(path), library.open(path)]
      testRaces({
        test: (name, run) => t.test(name, run),
        open: (clock, other) => new SqliteStore({ database: other === undefined ? one : two, clock })
      })
    })

    t.test('the contract, in memory and with integers as bigint', async (t) => {
      const database = library.openWithBigints(':memory:')
      testStore({ test: (name, run) => t.test(name, run), open: (clock) => new SqliteStore({ database, clock }) })
    })

    t.test('it sets the journal and how commits reach the disk, and that nothing waits in SQLite', async (t) => {
      const database = library.open(newPath(t))
      database.exec('PRAGMA busy_timeout = 70')
      open(database)
      const values = ['journal_mode', 'synchronous', 'busy_timeout'].map((name) => pragma(database, name))
      t.same(values, ['wal', 1, 0])
    })

    t.test('the table is made once, with indices for what is searched', async (t) => {
      const database = library.open(newPath(t))
      const [first, second] = [open(database), open(database)]
      const key = await addTo(first, { json: '{"a":1}' })
      t.equal((await second.load(key))?.json, '{"a":1}')
      const schema = database.prepare('SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL').all()
      t.match(JSON.stringify(schema), /STRICT/)
      const plan = (sql: string): string => JSON.stringify(database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all())
      t.match(plan("SELECT * FROM sessions WHERE owner = 'x' AND expires_at >= 1"), /INDEX sessions_owner/)
      t.match(plan('SELECT rowid FROM sessions WHERE expires_at < 1'), /INDEX sessions_expires_at/)
    })

    t.test('many sessions are counted and ended in several steps', async (t) => {
      const database = library.open(newPath(t))
      const store = new SqliteStore({ database, clock: () => 0, pruneInterval: 0 })
      database.exec(`WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 10001)
        INSERT INTO sessions SELECT printf('%05d', n), '{}', 0, 0, 0, NULL, NULL, NULL, 9, 0 FROM number`)
      t.same(await store.count(undefined), { found: 10_000, next: '10000' })
      t.same(await store.count('10000'), { found: 1, next: undefined })
      t.same(await store.destroyEverything(), { found: 500, next: 'more' })
      t.equal(await countEvery(store), 9501)
      t.equal(await endEvery(store), 9501)
      t.equal(await countEvery(store), 0)
    })

    t.test('a damaged owner is an error that does not quote it, and its session can end', async (t) => {
      const database = library.open(newPath(t))
      const store = open(database)
      const key = await addTo(store, { ownerId: 'ada' })
      database.exec("UPDATE sessions SET owner = 'hunter2'")
      const error = (await store.load(key).catch((error: unknown) => error)) as Error & { code: string }
      t.equal(error.code, 'ERR_SESSION_UNREADABLE')
      t.notMatch(error.message + String(error.cause), 'hunter2')
      t.same(await store.list('ada'), [])
      await store.destroy(key)
      t.equal(await store.load(key), undefined)
    })

    t.test('a table may have a name that is a word of SQL', async (t) => {
      const database = library.open(newPath(t))
      const store = new SqliteStore({ database, table: 'order', clock: () => NOW * 1000, pruneInterval: 0 })
      const key = await addTo(store, { ownerId: 'ada' })
      t.equal(await store.commit(key, SET_A, LATER), 'committed')
      t.equal((await store.list('ada')).length, 1)
    })

    t.test('a table of somebody else is refused, and left alone', async (t) => {
      const database = library.open(newPath(t))
      database.exec('CREATE TABLE sessions (id INTEGER, data TEXT)')
      t.throws(() => open(database), {
        code: 'ERR_SESSION_OPTION_INVALID',
        message: 'The table "sessions" exists, but it does not belong to the SqliteStore.'
      })
      const other = library.open(newPath(t))
      other.exec('CREATE TABLE sessions_owner (id INTEGER)')
      t.throws(() => open(other), { message: /^The SqliteStore could not begin: there is already a table/ })
      const tables = other.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all()
      t.match(tables, [{ name: 'sessions_owner' }], 'and nothing is half made')
      t.equal(tables.length, 1)
    })

    t.test('owners come back as they were, whatever they contain', async (t) => {
      const store = open(library.open(':memory:'))
      for (const ownerId of ['a\0b', '\ud800', '\ud801', '"', 'null']) {
        const key = await addTo(store, { ownerId })
        t.same(
          (await store.list(ownerId)).map((record) => [record.key, record.ownerId]),
          [[key, ownerId]]
        )
      }
    })

    t.test('a key that exists makes nobody give way', async (t) => {
      const store = open(library.open(':memory:'))
      const [key, other] = [await addTo(store, { ownerId: 'eve' }), await addTo(store, { ownerId: 'ada' })]
      t.equal(await store.create(key, newRecord({ ownerId: 'ada' }), LATER, { max: 1, evict: true }), false)
      t.not(await store.load(other), undefined)
    })

    t.test('inside a transaction of the application it does nothing, and says so', async (t) => {
      const database = library.open(newPath(t))
      const store = open(database)
      const key = await addTo(store, { ownerId: 'ada' })
      const message = /the application has an open transaction on the handle/
      database.exec('BEGIN')
      t.throws(() => open(database), { message })
      for (const attempt of [
        (): Promise<unknown> => store.load(key),
        () => store.commit(key, SET_A, LATER),
        () => store.touch(key, LATER),
        () => store.destroy(key),
        () => addTo(store),
        () => store.list('ada'),
        () => store.destroyAll('ada'),
        () => store.prune()
      ]) {
        await t.rejects(attempt, { message })
      }
      database.exec('COMMIT')
      t.equal((await store.load(key))?.version, 0)
    })

    t.test('while another connection writes, it reads, and the process goes on', async (t) => {
      const path = newPath(t)
      const [database, other] = [library.open(path), library.open(path)]
      const store = open(database)
      const [key, ended] = [await addTo(store, { json: '{"a":0}' }), await addTo(store)]
      other.exec('BEGIN IMMEDIATE')
      let ticks = 0
      const ticking = setInterval(() => ticks++, 1)
      t.teardown(() => clearInterval(ticking))
      const call = { deadline: performance.now() + 60_000 }
      let isSettled = false
      const calls = Promise.all([
        store.commit(key, SET_A, LATER, 0, call),
        store.touch(key, LATER, NOW, call),
        store.destroy(ended, call)
      ]).finally(() => {
        isSettled = true
      })
      await when(() => ticks >= 20)
      t.equal((await store.load(key))?.json, '{"a":0}')
      t.doesNotThrow(() => open(database), 'another store finds its table')
      t.equal(isSettled, false)
      other.exec('ROLLBACK')
      t.same(await calls, ['committed', true, undefined])
      t.equal(await store.load(ended), undefined)
    })

    t.test('a call gives up when its time is over', async (t) => {
      const path = newPath(t)
      const [database, other] = [library.open(path), library.open(path)]
      const store = open(database)
      const key = await addTo(store, { json: '{"a":0}' })
      other.exec('BEGIN IMMEDIATE')
      const message = /^The SqliteStore could not write a session: another connection was writing for too long/
      await t.rejects(store.commit(key, SET_A, LATER, 0, { deadline: performance.now() + 20 }), {
        message,
        cause: Error
      })
      await t.rejects(store.destroy(key, { deadline: performance.now() + 20 }), { message: /for too long/ })
      other.exec('ROLLBACK')
      t.equal((await store.load(key))?.json, '{"a":0}')
      t.equal(await store.commit(key, SET_A, LATER), 'committed')
    })

    t.test('nobody writes between what a commit reads and what it writes', async (t) => {
      const path = newPath(t)
      const [database, other] = [library.open(path), library.open(path)]
      let onRead = (): void => {}
      const store = open(watchReads(database, () => onRead()))
      const key = await addTo(store, { json: '{"a":0}' })
      other.exec('PRAGMA busy_timeout = 0')
      const attempts: string[] = []
      onRead = () => {
        try {
          other.exec("UPDATE sessions SET data = '{}'")
          attempts.push('written')
        } catch {
          attempts.push('refused')
        }
      }
      t.equal(await store.commit(key, SET_A, LATER), 'committed')
      t.same(attempts, ['refused'])
      onRead = () => {
        throw new Error('of the library')
      }
      await t.rejects(store.commit(key, SET_A, LATER), { message: /write a session: of the library\.$/ })
      onRead = () => {}
      t.doesNotThrow(() => other.exec('BEGIN IMMEDIATE; ROLLBACK'), 'a commit that fails ends its transaction')
      t.equal((await store.load(key))?.version, 1)
    })

    t.test('a commit that fails leaves the old session whole, and the handle without a transaction', async (t) => {
      const database = library.open(newPath(t))
      const store = open(database)
      const key = await addTo(store, { json: '{"a":0}', ownerId: 'ada' })
      database.exec(`PRAGMA max_page_count = ${pragma(database, 'page_count')}`)
      const large = { set: { a: JSON.stringify('x'.repeat(100_000)) }, unset: [] }
      const expected = { message: 'The SqliteStore could not write a session: database or disk is full.', code: String }
      await t.rejects(store.commit(key, large, LATER), expected)
      await t.rejects(
        store.create(newKey(), newRecord({ ownerId: 'ada', json: large.set.a }), LATER, { max: 1, evict: true }),
        { message: /is full/ }
      )
      t.equal((await store.load(key))?.json, '{"a":0}', 'nobody made room for what could not be written')
      t.equal(await store.commit(key, SET_A, LATER), 'committed')
      t.equal((await store.load(key))?.json, '{"a":1}')
      database.close()
      await t.rejects(store.load(key), { message: /^The SqliteStore could not read a session: / })
    })

    t.test('on a full disk sessions stay whole and can be ended, and nothing else is written', async (t) => {
      const path = newPath(t)
      if (!mountDisk(t, dirname(path), '12m')) return
      const store = open(library.open(path))
      const keys: string[] = []
      const fill = async (): Promise<void> => {
        for (;;) keys.push(await addTo(store, { ownerId: 'ada', json: JSON.stringify({ text: 'x'.repeat(5000) }) }))
      }
      await t.rejects(fill(), { message: 'The SqliteStore could not create a session: database or disk is full.' })
      const key = keys[0] as string
      const large = { set: { text: JSON.stringify('y'.repeat(50_000)) }, unset: [] }
      await t.rejects(store.commit(key, large, LATER), { message: /disk is full/ })
      t.equal((await store.load(key))?.version, 0)
      t.equal((await store.list('ada')).length, keys.length)
      const [first = '', second = '', third = '', ...rest] = keys
      await store.destroy(first)
      // Somebody else takes the space that has become free.
      t.throws(() => writeFileSync(join(dirname(path), 'filler'), Buffer.alloc(12 * 1024 * 1024)), { code: 'ENOSPC' })
      t.equal(await store.commit(second, { set: {}, unset: [] }, NOW - 1), 'committed')
      t.equal(await store.touch(third, NOW - 1), true)
      for (const ended of [first, second, third]) t.equal(await store.load(ended), undefined)
      await t.rejects(addTo(store), { code: 'ENOSPC' }, 'what is left is for removals')
      await t.rejects(store.touch(key, LATER), { code: 'ENOSPC' })
      for (const ended of rest.slice(0, 100)) await store.destroy(ended)
      t.equal(await store.destroyAll('ada'), keys.length - 103)
      t.same(await store.list('ada'), [])
    })

    t.test('a disk that others fill is no different, and each way to end a session may come first', async (t) => {
      const ways: ((store: SqliteStore, key: string) => Promise<unknown>)[] = [
        (store, key) => store.destroy(key),
        (store, key) => store.commit(key, { set: {}, unset: [] }, NOW - 1),
        (store, key) => store.touch(key, NOW - 1),
        (store) => store.destroyAll('bob')
      ]
      for (const first of ways) {
        const path = newPath(t)
        if (!mountDisk(t, dirname(path), '8m')) return
        const store = open(library.open(path))
        const bob = await addTo(store, { ownerId: 'bob' })
        const keys: string[] = []
        for (let index = 0; index < 50; index++) keys.push(await addTo(store, { json: `{"a":"${'x'.repeat(5000)}"}` }))
        const fill = (name: string): void => {
          const bytes = Buffer.alloc(8 * 1024 * 1024)
          t.throws(() => writeFileSync(join(dirname(path), name), bytes), { code: 'ENOSPC' })
        }
        fill('one')
        await first(store, bob)
        t.equal(await store.load(bob), undefined)
        fill('two')
        for (const key of keys) await store.destroy(key)
        t.equal(await store.load(keys[0] as string), undefined)
      }
    })

    t.test('a process that starts on a full disk can end sessions', async (t) => {
      const path = newPath(t)
      if (!mountDisk(t, dirname(path), '12m')) return
      const before = library.open(path)
      const key = await addTo(open(before))
      before.close()
      t.throws(() => writeFileSync(join(dirname(path), 'filler'), Buffer.alloc(12 * 1024 * 1024)), { code: 'ENOSPC' })
      const store = open(library.open(path))
      t.ok(await store.load(key))
      await store.destroy(key)
      t.equal(await store.load(key), undefined)
    })

    t.test('prune removes what has expired, many or few, and gives others their turn', async (t) => {
      let now = NOW
      const database = library.open(newPath(t))
      const store = open(database, () => now * 1000)
      for (let index = 0; index < 1100; index++) await addTo(store, {}, NOW + 10)
      const kept = await addTo(store, {}, NOW + 11)
      now += 11
      let turns = 0
      const count = setInterval(() => turns++, 0)
      t.equal(await store.prune(), 1100)
      clearInterval(count)
      t.equal(await store.prune(), 0)
      t.not(await store.load(kept), undefined)
      t.match(database.prepare('SELECT count(*) AS count FROM sessions').get(), { count: 1 })
    })

    t.test('close ends the timer and leaves the handle open', async (t) => {
      const time = new FakeTime(t)
      let now = NOW
      const database = library.open(':memory:')
      const store = new SqliteStore({ database, clock: () => now * 1000 })
      const count = (): unknown => database.prepare('SELECT count(*) AS count FROM sessions').get()
      for (const wait of [30_000, 3_600_000]) {
        await addTo(store, {}, now + 1)
        now += 2
        time.advance(wait)
        await when(() => time.pending === 1)
        t.match(count(), { count: 0 })
      }
      await store.close()
      t.equal(time.pending, 0)
      t.equal(await store.load(newKey()), undefined)
    })

    t.test('several processes write to one session, and nothing that was acknowledged is lost', async (t) => {
      const path = newPath(t)
      const database = library.open(path)
      const store = new SqliteStore({ database, pruneInterval: 0 })
      const key = await addTo(store, {}, REAL_LATER)
      const start = (name: string) => startScript('store-writer.ts', ['sqlite', path, key, name, '25'])
      const children = ['one', 'two', 'three'].map(start)
      for (const child of children) child.stdout?.resume()
      t.same(await Promise.all(children.map(ended)), [0, 0, 0])
      const { json = '', version } = (await store.load(key)) ?? {}
      t.match(JSON.parse(json), { one: 25, two: 25, three: 25, all: 75 })
      t.equal(version, 150)
    })

    t.test('several processes may make the file at once', async (t) => {
      const path = newPath(t)
      const children = ['one', 'two', 'three', 'four'].map((name) =>
        startScript('store-writer.ts', ['sqlite', path, 'new', name, '1'])
      )
      for (const child of children) child.stdout?.resume()
      t.same(await Promise.all(children.map(ended)), [0, 0, 0, 0])
    })

    t.test('a process may be killed at any time', async (t) => {
      const path = newPath(t)
      const store = new SqliteStore({ database: library.open(path), pruneInterval: 0 })
      const key = await addTo(store, {}, REAL_LATER)
      for (let index = 0; index < 6; index += 2) {
        const pair = [`writer${index}`, `writer${index + 1}`]
        const acknowledged = await Promise.all(
          pair.map((name, second) =>
            killAfter(startScript('store-writer.ts', ['sqlite', path, key, name, '0']), 1 + index + second * 7)
          )
        )
        t.equal(await store.commit(key, { set: { mine: String(index) }, unset: [] }, REAL_LATER), 'committed')
        const data = JSON.parse((await store.load(key))?.json ?? '{}')
        for (const [second, name] of pair.entries()) {
          const last = acknowledged[second] as number
          t.ok(last > 0)
          t.ok(data[name] === last || data[name] === last + 1, `${name}: ${data[name]} of ${last} acknowledged`)
          t.equal(data[`${name} text`], String(data[name] % 10).repeat(20_000 + data[name]), 'whole')
        }
      }
    })
  })
}

t.test('the types of a handle fit', async (t) => {
  t.type(isAssignable, 'function')
})
