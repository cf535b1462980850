import t from 'tap'
import { inline } from '../../../lib/stores/postgres/inline.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

const TEXTS = ['', "it's", "\\'; DROP TABLE x; --", '$1', '$$', 'ä😀', '\n\t', "E'\\x'", '"', 'NULL']

t.test('a value takes the place of its parameter', async (t) => {
  const values = ["a'b", 5, true, false, null, undefined, Number.POSITIVE_INFINITY]
  t.equal(
    inline({ text: 'SELECT $1, $2, $3, $4, $5, $6, $7, $1', values }),
    "SELECT convert_from(decode('612762', 'hex'), 'UTF8'), '5', '1', '0', NULL, NULL, 'Infinity', convert_from(decode('612762', 'hex'), 'UTF8')"
  )
})

t.test('names and texts of the statement stay as they are', async (t) => {
  const text = `SELECT "$1", "a""$1", '$1', 'it''s $1'`
  t.equal(inline({ text, values: ['no'] }), text)
})

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())

  t.test('PostgreSQL reads each text as it was, whatever its settings', async (t) => {
    for (const setting of ['on', 'off']) {
      const pool = postgres.pool({ options: `-c standard_conforming_strings=${setting}`, max: 1 })
      for (const text of TEXTS) {
        const { rows } = await pool.query(inline({ text: 'SELECT $1::text AS found', values: [text] }))
        t.same(rows, [{ found: text }], text)
      }
    }
  })

  t.test('the types of the other values are those of their places', async (t) => {
    const text = 'SELECT $1::bigint AS a, $2::boolean AS b, $3::boolean AS c, $4::text AS d, $5::float8 AS e'
    const { rows } = await postgres.pool().query(inline({ text, values: [2 ** 40, true, false, undefined, 0.5] }))
    t.same(rows, [{ a: String(2 ** 40), b: true, c: false, d: null, e: 0.5 }])
  })
}
