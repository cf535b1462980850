import t from 'tap'
import type { Inspection } from '../../../lib/stores/postgres/table.ts'
import {
  COLUMNS,
  COMMENT,
  INSPECT,
  MIGRATIONS,
  migrationsFrom,
  readVersion
} from '../../../lib/stores/postgres/table.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

const INVALID = 'ERR_SESSION_OPTION_INVALID'

function found(comment: string | null): Inspection {
  return { comment, unlogged: false, missing: '' }
}

t.test('the comment of a table tells its version', async (t) => {
  t.equal(readVersion('"t"', undefined), 0, 'there is none')
  t.equal(readVersion('"t"', found(`${COMMENT} 1`)), 1)
  for (const comment of [null, '', 'a table', `${COMMENT} x`, `my ${COMMENT} 1`]) {
    t.throws(() => readVersion('"t"', found(comment)), { code: INVALID, message: 'did not create it' })
  }
  t.throws(() => readVersion('"t"', found(`${COMMENT} ${MIGRATIONS.length + 1}`)), {
    code: INVALID,
    message: `The table "t" has version ${MIGRATIONS.length + 1}; this version of the package supports ${MIGRATIONS.length}. Update the package.`
  })
})

t.test('the way to the current version is its steps and the comment that tells it', async (t) => {
  const comment = `COMMENT ON TABLE "t" IS '${COMMENT} ${MIGRATIONS.length}'`
  t.same(migrationsFrom(0, '"t"'), [...MIGRATIONS.map((write) => write('"t"')), comment])
  t.same(migrationsFrom(MIGRATIONS.length, '"t"'), [], 'there is nothing to do')
  t.equal(readVersion('"t"', found(`${COMMENT} ${MIGRATIONS.length}`)), MIGRATIONS.length)
})

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  const pool = postgres.pool()
  const inspect = async (table: string): Promise<Inspection | undefined> =>
    (await pool.query(INSPECT, [table, COLUMNS.map(([name, type]) => `${name} ${type}`)])).rows[0]

  t.test('the migrations make a table with all columns', async (t) => {
    t.equal(await inspect('"made"'), undefined)
    for (const write of MIGRATIONS) await pool.query(write('"made"'))
    t.same(await inspect('"made"'), { comment: null, unlogged: false, missing: '' })
    await pool.query('ALTER TABLE "made" DROP COLUMN description, ALTER COLUMN version TYPE bigint')
    await pool.query(`ALTER TABLE "made" SET UNLOGGED`)
    await pool.query(`COMMENT ON TABLE "made" IS '${COMMENT} 1'`)
    const { comment, unlogged, missing } = (await inspect('"made"')) as Inspection
    t.same(
      [comment, unlogged, missing.split(', ').sort()],
      [`${COMMENT} 1`, true, ['description text', 'version integer']]
    )
  })

  t.test('an update of what is not indexed writes to no index', async (t) => {
    for (const write of MIGRATIONS) await pool.query(write('"hot"'))
    await pool.query(`INSERT INTO "hot" (key, created_at, last_seen_at, expires_at, version, permanent, data)
      VALUES ('k', 1, 1, 7200, 0, false, '{}')`)
    const { rows } = await pool.query(`SELECT attname FROM pg_index, pg_attribute
      WHERE indrelid = '"hot"'::regclass AND attrelid = indrelid AND attnum = ANY(indkey) ORDER BY attname`)
    t.same(
      rows.map(({ attname }) => attname),
      ['expires_hour', 'key', 'owner_id']
    )
    await pool.query('UPDATE "hot" SET expires_at = 7300')
    t.same((await pool.query('SELECT expires_hour FROM "hot"')).rows, [{ expires_hour: '2' }])
  })
}
