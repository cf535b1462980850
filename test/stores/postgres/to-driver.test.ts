import pg from 'pg'
import postgres from 'postgres'
import t from 'tap'
import { toDriver } from '../../../lib/stores/postgres/to-driver.ts'

const INVALID = 'ERR_SESSION_OPTION_INVALID'
const EXPECTED =
  'The option pool must be a Pool of pg, as in new PostgresStore({ pool: new pg.Pool() }), what postgres() of postgres.js has returned, or a PGlite.'

t.test('a client is known by its methods', async (t) => {
  for (const pool of [new pg.Pool(), { connect: () => {} }, postgres({ max: 1 })]) {
    t.type(toDriver(pool, 'PostgresStore').use, 'function')
  }
  // To open a PGlite takes seconds.
  const members = ['query', 'exec', 'transaction', 'listen'].map((name) => [name, () => {}])
  t.type(toDriver(Object.fromEntries(members), 'PostgresStore').use, 'function')
})

t.test('a client of pg is one connection, and no pool', async (t) => {
  const message = `${EXPECTED} It is a Client, which is one connection.`
  t.throws(() => toDriver(new pg.Client(), 'PostgresStore'), { code: INVALID, message })
})

t.test('anything else is refused, and does not get into the message', async (t) => {
  for (const pool of [undefined, null, 'postgres://ada:secret@db/app', () => {}, { query: () => {} }, postgres]) {
    t.throws(() => toDriver(pool, 'PostgresStore'), { code: INVALID, message: EXPECTED }, String(pool))
  }
})
