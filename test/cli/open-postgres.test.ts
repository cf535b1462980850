import t from 'tap'
import { openPostgres, POSTGRES_CLIENTS } from '../../lib/cli/open-postgres.ts'
import { addressOf, addSession, checkEndAll } from '../helpers/cli-stores.ts'
import { when } from '../helpers/fake-time.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { freePort } from '../helpers/service.ts'

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  const { url, schema } = postgres
  t.teardown(() => postgres.end())

  for (const [name, load] of Object.entries(POSTGRES_CLIENTS)) {
    t.test(`all sessions of a table end, and expired ones are removed, by ${name}`, async (t) => {
      const opened = await openPostgres(addressOf(url, { schema, table: `by_${name}` }), { [name]: load })
      const other = await openPostgres(addressOf(url, { schema, table: `others_${name}` }), { [name]: load })
      await Promise.all([opened.migrate?.(), other.migrate?.()])
      await checkEndAll(t, opened, other)
      await addSession(opened.store, 'd', 'ana', -1)
      t.equal(await opened.prune?.(), 1)
      await Promise.all([opened.close(), other.close()])
    })

    t.test(`what the server notes is not printed, by ${name}`, async (t) => {
      const printed = t.capture(console, 'log')
      const talkative = `${url}?client_min_messages=debug1`
      const opened = await openPostgres(addressOf(talkative, { schema, table: `notes_${name}` }), { [name]: load })
      await opened.migrate?.()
      await opened.close()
      t.same(printed(), [])
    })

    t.test(`a server that is down is an error, by ${name}`, async (t) => {
      const port = await freePort()
      const opened = await openPostgres(addressOf(`postgres://nobody@127.0.0.1:${port}/none`), { [name]: load })
      await t.rejects(async () => opened.store.list('ana'), { code: 'ECONNREFUSED' })
      await opened.close()
    })
  }

  t.test('the end of an idle connection is no crash', async (t) => {
    const opened = await openPostgres(addressOf(url, { schema }))
    await opened.migrate?.()
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
