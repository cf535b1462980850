import t from 'tap'
import { PostgresRevocations } from '../../../lib/stores/postgres/revocations.ts'
import { testRevocations } from '../../../lib/testing/index.ts'
import type { Revocation } from '../../../types/revocations.ts'
import { when } from '../../helpers/fake-time.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

const NOW = 1_763_640_000
const INVALID = { code: 'ERR_SESSION_OPTION_INVALID' }

function entryOf(id: string, until = NOW + 60): Revocation {
  return { kind: 'session', id, until }
}

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  const pool = postgres.pool()
  const clock = (): number => NOW * 1000
  const listOf = (table: string): PostgresRevocations => new PostgresRevocations({ pool, table, clock })
  await new PostgresRevocations({ pool }).migrate()

  t.test('it keeps the rules of a list', async (t) => {
    testRevocations({
      test: (name, run) => t.test(name, run),
      open: (clock) => new PostgresRevocations({ pool, clock }),
      close: () => undefined
    })
  })

  t.test('several processes may create the table at once, in a schema of their own', async (t) => {
    const { schema } = postgres
    const lists = [1, 2, 3].map(() => new PostgresRevocations({ pool, schema, table: `It's "mine"`, clock }))
    await Promise.all(lists.map((list) => list.migrate()))
    await lists[0]?.migrate()
    await lists[0]?.add(entryOf('a'))
    t.same((await lists[1]?.since())?.entries, [entryOf('a')])
    t.same((await new PostgresRevocations({ pool, clock }).since()).entries.length > 0, true)
  })

  t.test('a table that is missing, or of somebody else, is told', async (t) => {
    const missing = listOf('missing')
    const UNAVAILABLE = { code: 'ERR_SESSION_STORE_UNAVAILABLE', message: /migrate\(\) of the PostgresRevocations/ }
    await t.rejects(missing.since(), UNAVAILABLE)
    await t.rejects(missing.add(entryOf('a')), UNAVAILABLE)
    await t.rejects(async () =>
      missing.listen(
        () => {},
        () => {}
      )
    )
    await pool.query('CREATE TABLE foreign_one (a integer)')
    await t.rejects(listOf('foreign_one').migrate(), { ...INVALID, message: /Set the option table/ })
  })

  t.test('it says once when its connection breaks, and gives none back that hears', async (t) => {
    const own = postgres.pool({ max: 3 })
    const list = new PostgresRevocations({ pool: own, clock })
    const heard: Revocation[] = []
    let losses = 0
    const listen = () =>
      list.listen(
        (entry) => heard.push(entry),
        () => losses++
      )
    await listen()
    await list.add(entryOf('heard'))
    await when(() => heard.length === 1)
    await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN %'")
    await when(() => losses === 1)
    const stop = await listen()
    await list.add(entryOf('heard again'))
    await when(() => heard.length === 2)
    await pool.query('NOTIFY session_revocations_0')
    const before = own.totalCount
    stop()
    t.equal(own.totalCount, before - 1)
    await list.add(entryOf('not heard'))
    t.equal(heard.length, 2)
    t.equal(losses, 1)
  })

  t.test('what is over makes room for what comes, and after a loss everything is read anew', async (t) => {
    let now = NOW
    const list = new PostgresRevocations({ pool, table: 'room', clock: () => now * 1000 })
    await list.migrate()
    for (let index = 0; index < 150; index++) await list.add(entryOf(String(index), NOW + 1))
    const count = async (): Promise<number> => Number((await pool.query('SELECT count(*) FROM room')).rows[0].count)
    now += 2
    await list.add(entryOf('new'))
    await list.add(entryOf('newer'))
    t.equal(await count(), 2)
    const { position, entries } = await list.since()
    t.same(entries, [entryOf('new'), entryOf('newer')])
    t.same(await list.since(position), { entries: [], position, hasMore: false })
    await pool.query('TRUNCATE room RESTART IDENTITY')
    t.same(await list.since(position), { entries: [], position, hasMore: false })
    for (let index = 0; index < 152; index++) await list.add(entryOf(`later ${index}`))
    t.equal((await list.since(position)).entries.length, 152, 'the number is there again, and another entry has it')
  })

  t.test('wrong options are refused', (t) => {
    t.throws(() => new PostgresRevocations({ pool: 'postgres://' as never }), {
      ...INVALID,
      message: /new PostgresRevocations\(/
    })
    t.throws(() => new PostgresRevocations({ pool, table: '' }), INVALID)
    t.throws(() => new PostgresRevocations({ pool, clock: 1 as never }), INVALID)
    t.throws(() => new PostgresRevocations({ pool, unlogged: true } as never), { code: 'ERR_SESSION_OPTION_UNKNOWN' })
    t.end()
  })
}
