import t from 'tap'
import { openPostgres } from '../../lib/cli/open-postgres.ts'
import { addressOf, addSession, checkEndAll } from '../helpers/cli-stores.ts'
import { when } from '../helpers/fake-time.ts'
import { reachPostgres } from '../helpers/postgres.ts'

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  const { url, schema } = postgres
  t.teardown(() => postgres.end())

  t.test('all sessions of a table end, and expired ones are removed', async (t) => {
    const opened = await openPostgres(addressOf(url, { schema }))
    const other = await openPostgres(addressOf(url, { schema, table: 'others' }))
    await Promise.all([opened.migrate?.(), other.migrate?.()])
    await checkEndAll(t, opened, other)
    await addSession(opened.store, 'd', 'ana', -1)
    t.equal(await opened.prune?.(), 1)
    await Promise.all([opened.close(), other.close()])
  })

  t.test('the end of an idle connection is no crash', async (t) => {
    const opened = await openPostgres(addressOf(url, { schema }))
    await opened.store.list('ana')
    const pool = postgres.pool()
    const { rowCount } = await pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state = 'idle' AND query LIKE $1",
      [`%${schema}%owner_id = %`]
    )
    t.equal(rowCount, 1)
    // A statement may still meet the connection that ends, and fails with it.
    const listed = async (): Promise<unknown[]> => opened.store.list('ana')
    await when(() =>
      listed().then(
        ({ length }) => length === 0,
        () => false
      )
    )
    await opened.close()
  })
}
