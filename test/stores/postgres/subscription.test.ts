import t from 'tap'
import type { PostgresPool } from '../../../lib/stores/postgres/clients.ts'
import { hear } from '../../../lib/stores/postgres/subscription.ts'
import { when } from '../../helpers/fake-time.ts'
import { reachPostgres } from '../../helpers/postgres.ts'

const CHANNEL = "SELECT 'a_channel' AS channel"

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  const pool = postgres.pool({ max: 3 })

  t.test('it hears its channel, and gives no connection back that hears', async (t) => {
    const own = postgres.pool({ max: 3 })
    const heard: string[] = []
    let losses = 0
    const stop = await hear(
      own,
      CHANNEL,
      (message) => heard.push(message),
      () => losses++
    )
    await pool.query("NOTIFY another_channel, 'no'")
    await pool.query("NOTIFY a_channel, 'yes'")
    await when(() => heard.length === 1)
    const before = own.totalCount
    stop()
    stop()
    t.equal(own.totalCount, before - 1)
    t.same(heard, ['yes'])
    t.equal(losses, 0)
  })

  t.test('it says once that its connection is lost', async (t) => {
    let losses = 0
    const stop = await hear(
      postgres.pool({ max: 3 }),
      CHANNEL,
      () => {},
      () => losses++
    )
    await pool.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN a_channel'")
    await when(() => losses === 1)
    stop()
    t.equal(losses, 1)
  })

  t.test('a channel that cannot be named is an error, and the connection is given up', async (t) => {
    const own = postgres.pool({ max: 3 })
    await t.rejects(
      hear(
        own,
        'SELECT nothing',
        () => {},
        () => t.fail('it never heard')
      )
    )
    await when(() => own.totalCount === 0)
  })
}

t.test('a pool of one connection is left to those who store', async (t) => {
  const single = { options: { max: 1 }, connect: () => t.fail('it is taken') } as unknown as PostgresPool
  await t.rejects(
    hear(
      single,
      CHANNEL,
      () => {},
      () => {}
    ),
    { code: 'ERR_SESSION_OPTION_INVALID', message: /one connection/ }
  )
  const unknown = { connect: async () => Promise.reject(new Error('asked')) }
  await t.rejects(
    hear(
      unknown,
      CHANNEL,
      () => {},
      () => {}
    ),
    { message: 'asked' }
  )
})
