import t from 'tap'
import { admission } from '../../../lib/stores/admission.ts'
import type { Statements } from '../../../lib/stores/postgres/statements.ts'
import { writeStatements } from '../../../lib/stores/postgres/statements.ts'
import { MIGRATIONS } from '../../../lib/stores/postgres/table.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

const NOW = 1_763_640_000
const LATER = NOW + 3600
/** No time after which a write is too late. */
const UNLIMITED = Number.POSITIVE_INFINITY
const TABLE = '"one ""table"""'

const statements = writeStatements(TABLE)

/** How many parameters each statement takes. */
const PARAMETERS: Readonly<Record<keyof Statements, number>> = {
  create: 11,
  lockOwner: 2,
  createWithin: 14,
  load: 2,
  commit: 9,
  commitVersion: 10,
  touch: 5,
  destroy: 1,
  list: 2,
  destroyAll: 4,
  count: 1,
  entries: 3,
  destroyEverything: 3,
  prune: 3,
  channel: 0,
  publish: 1
}

t.test('each statement uses each of its parameters', async (t) => {
  for (const [name, text] of Object.entries(statements)) {
    const used = new Set([...text.matchAll(/\$(\d+)/g)].map(([, number]) => Number(number)))
    const count = PARAMETERS[name as keyof Statements]
    t.same(
      [...used].sort((a, b) => a - b),
      Array.from({ length: count }, (_, index) => index + 1),
      name
    )
  }
})

t.test('a statement reads and writes the given table and no other', async (t) => {
  const other = writeStatements('"other"')
  for (const [name, text] of Object.entries(statements)) {
    t.equal(text.replaceAll(TABLE, '"other"'), other[name as keyof Statements], name)
  }
})

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  const pool = postgres.pool({ max: 1 })
  for (const write of MIGRATIONS) await pool.query(write(TABLE))

  t.test('PostgreSQL accepts each statement', async (t) => {
    for (const [name, text] of Object.entries(statements)) {
      await t.resolves(pool.query(`PREPARE "${name}" AS ${text}`), name)
      const { rows } = await pool.query(
        'SELECT cardinality(parameter_types) AS count FROM pg_prepared_statements WHERE name = $1',
        [name]
      )
      t.equal(rows[0].count, PARAMETERS[name as keyof Statements], name)
    }
  })

  t.test('a limit decides as in every store', async (t) => {
    const keys = ['a', 'b', 'c', 'd']
    const create = (owner: string, key: string, createdAt: number): unknown[] => [
      ...[`${owner}${key}`, '{}', createdAt, createdAt, false, owner, null, null, LATER, NOW]
    ]
    for (const max of [1, 2, 3, 4, 5]) {
      for (const evict of [true, false]) {
        for (const replaced of [undefined, 'a', 'c']) {
          const owner = JSON.stringify([max, evict, replaced])
          const live = keys.map((key, index) => ({
            key: `${owner}${key}`,
            createdAt: [30, 7, 20, 100][index] as number
          }))
          for (const [index, key] of keys.entries()) {
            await pool.query(statements.create, [...create(owner, key, live[index]?.createdAt as number), UNLIMITED])
          }
          const replacing = replaced && `${owner}${replaced}`
          const { rows } = await pool.query(statements.createWithin, [
            ...create(owner, 'n', 200),
            max,
            evict,
            replacing,
            UNLIMITED
          ])
          const expected = admission(live, { max, evict }, replacing)
          t.equal(rows[0].outcome, expected === 'refuse' ? 'over-limit' : 'created', owner)
          const left = (await pool.query(statements.list, [owner, NOW])).rows.map(({ key }) => key)
          const wanted =
            expected === 'refuse'
              ? live.map(({ key }) => key)
              : [...live.filter((record) => !expected.includes(record)).map(({ key }) => key), `${owner}n`]
          t.same(left.sort(), wanted.sort(), owner)
        }
      }
    }
  })

  t.test('a key that exists is told from a limit', async (t) => {
    const values = ['key', '{}', NOW, NOW, false, 'eve', null, null, LATER, NOW]
    await pool.query(statements.create, [...values, UNLIMITED])
    for (const evict of [true, false]) {
      const { rows } = await pool.query(statements.createWithin, [...values, 1, evict, null, UNLIMITED])
      t.match(rows, [{ outcome: 'exists' }])
    }
  })
}
