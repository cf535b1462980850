import t from 'tap'
import { MySqlRevocations } from '../../../lib/stores/mysql/revocations.ts'
import { testRevocations } from '../../../lib/testing/index.ts'
import type { Revocation } from '../../../types/revocations.ts'
import { reachMySql } from '../../helpers/mysql.ts'

const NOW = 1_763_640_000
const INVALID = { code: 'ERR_SESSION_OPTION_INVALID' }
const USABLE = { commits: 1, isRead: 1, sent: '😀', isFixed: 0 }

function entryOf(id: string, until = NOW + 60): Revocation {
  return { kind: 'session', id, until }
}

const mysql = await reachMySql(t)
if (mysql !== undefined) {
  t.teardown(() => mysql.end())
  const pool = mysql.pool()
  const clock = (): number => NOW * 1000
  const listOf = (table: string): MySqlRevocations => new MySqlRevocations({ pool, table, clock })
  await new MySqlRevocations({ pool }).migrate()

  t.test('it keeps the rules of a list', async (t) => {
    testRevocations({
      test: (name, run) => t.test(name, run),
      open: (clock) => new MySqlRevocations({ pool, clock }),
      close: () => undefined
    })
  })

  t.test('several processes may create the table at once, in a database of its own', async (t) => {
    const lists = [1, 2, 3].map(
      () => new MySqlRevocations({ pool, schema: mysql.database, table: 'It\'s "mine" `now`', clock })
    )
    await Promise.all(lists.map((list) => list.migrate()))
    await lists[0]?.migrate()
    await lists[0]?.add(entryOf('a'))
    t.same((await lists[1]?.since())?.entries, [entryOf('a')])
    t.same((await new MySqlRevocations({ pool, clock }).since()).entries.length > 0, true)
  })

  t.test('a table that is missing, or of somebody else, is told', async (t) => {
    const missing = listOf('missing')
    const UNAVAILABLE = { code: 'ERR_SESSION_STORE_UNAVAILABLE', message: /migrate\(\) of the MySqlRevocations/ }
    await t.rejects(missing.since(), UNAVAILABLE)
    await t.rejects(missing.add(entryOf('a')), UNAVAILABLE)
    await pool.query('CREATE TABLE foreign_one (a integer)')
    await t.rejects(listOf('foreign_one').migrate(), { ...INVALID, message: /Set the option table/ })
  })

  t.test('what is over makes room for what comes, and after a loss everything is read anew', async (t) => {
    let now = NOW
    const list = new MySqlRevocations({ pool, table: 'room', clock: () => now * 1000 })
    await list.migrate()
    for (let index = 0; index < 150; index++) await list.add(entryOf(String(index), NOW + 1))
    const numbers = async (): Promise<number> => ((await pool.query('SELECT number FROM room'))[0] as unknown[]).length
    now += 2
    await list.add(entryOf('new'))
    t.equal(await numbers(), 51)
    await list.add(entryOf('newer'))
    t.equal(await numbers(), 2)
    const { position, entries } = await list.since()
    t.same(entries, [entryOf('new'), entryOf('newer')])
    t.same(await list.since(position), { entries: [], position, hasMore: false })
    await pool.query('TRUNCATE room')
    t.same(await list.since(position), { entries: [], position, hasMore: false })
    for (let index = 0; index < 152; index++) await list.add(entryOf(`later ${index}`))
    t.equal((await list.since(position)).entries.length, 152, 'the number is there again, and another entry has it')
  })

  t.test('the newest entry stays when it is over, so that its position leads on', async (t) => {
    let now = NOW
    const list = new MySqlRevocations({ pool, table: 'stay', clock: () => now * 1000 })
    await list.migrate()
    await list.add(entryOf('a', NOW + 100))
    await list.add(entryOf('b', NOW + 1))
    const { position } = await list.since()
    now += 2
    await list.add(entryOf('c', NOW + 100))
    t.same((await list.since(position)).entries, [entryOf('c', NOW + 100)])
  })

  t.test('entries of several processes at once are read in their order', async (t) => {
    const lists = Array.from({ length: 4 }, () => new MySqlRevocations({ pool: mysql.pool(), table: 'order_', clock }))
    await lists[0]?.migrate()
    const seen: string[] = []
    const reader = listOf('order_')
    let { position } = await reader.since()
    const read = async (): Promise<void> => {
      const page = await reader.since(position)
      position = page.position
      for (const { id } of page.entries as readonly { id: string }[]) seen.push(id)
    }
    const writing = Promise.all(
      lists.map(async (list, number) => {
        for (let index = 0; index < 20; index++) await list.add(entryOf(`${number}-${index}`))
      })
    )
    let isWriting = true
    void writing.finally(() => {
      isWriting = false
    })
    while (isWriting) await read()
    await writing
    await read()
    t.equal(new Set(seen).size, 80)
    t.equal(seen.length, 80)
  })

  t.test('an entry that waits too long for others is refused', async (t) => {
    const held = {
      execute: async ({ sql }: { sql: string }) => [sql.includes('GET_LOCK') ? [{ got: 0 }] : [USABLE], undefined]
    }
    const connection = { ...held, release: () => {}, destroy: () => {} }
    const list = new MySqlRevocations({ pool: { getConnection: async () => connection } as never, clock })
    await t.rejects(list.add(entryOf('a')), { message: /took too long\. Nothing was written/ })
  })

  t.test('wrong options are refused', (t) => {
    t.throws(() => new MySqlRevocations({ pool: 'mysql://' as never }), {
      ...INVALID,
      message: /new MySqlRevocations\(/
    })
    t.throws(() => new MySqlRevocations({ pool, table: '' }), INVALID)
    t.throws(() => new MySqlRevocations({ pool, clock: 1 as never }), INVALID)
    t.throws(() => new MySqlRevocations({ pool, unlogged: true } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
    t.end()
  })
}
