import { once } from 'node:events'
import { Redis } from 'ioredis'
import type pg from 'pg'
import { createClient } from 'redis'
import type * as Tap from 'tap'
import t from 'tap'
import { PostgresStore } from '../../../lib/stores/postgres/index.ts'
import { RedisStore } from '../../../lib/stores/redis/index.ts'
import type { SessionEndedEvent } from '../../../types/endings.ts'
import type { SessionStore } from '../../../types/store.ts'
import { when } from '../../helpers/fake-time.ts'
import type { KitApp } from '../../helpers/login-app.ts'
import { createKitApp, Member } from '../../helpers/login-app.ts'
import { reachPostgres } from '../../helpers/postgres.ts'
import { openRedis } from '../../helpers/redis.ts'

interface Made extends KitApp {
  readonly events: SessionEndedEvent[]
  /** Sends a request that ends with its session; resolves to why. */
  wait(who: Member): Promise<string>
  readonly waiting: () => number
}

/** An application with connections of its own, which hears of others. */
async function serve(t: Tap.Test, store: SessionStore): Promise<Made> {
  const made = await createKitApp({ store, clock: () => Date.now(), maxPerOwner: 1, signalInterval: 3600 })
  const { app } = made
  let waiting = 0
  app.get('/wait', async ({ session }) => {
    waiting++
    await once(session.signal, 'abort')
    waiting--
    return session.signal.reason.reason
  })
  app.post('/renew', async ({ session }) => session.renew())
  const events: SessionEndedEvent[] = []
  app.sessions.onEnded((event) => events.push(event))
  t.teardown(() => app.close())
  return {
    ...made,
    events,
    waiting: () => waiting,
    async wait(who) {
      const reply = await app.inject({ url: '/wait', headers: { cookie: who.jar.header() } })
      return reply.body
    }
  }
}

async function tellEachOther(t: Tap.Test, open: () => SessionStore): Promise<void> {
  const [here, there] = [await serve(t, open()), await serve(t, open())]
  const ana = new Member(here.app)
  const end = async (reason: string, run: () => Promise<unknown>): Promise<void> => {
    await ana.login(1)
    const ended = there.wait(ana)
    await when(() => there.waiting() === 1)
    await run()
    t.equal(await ended, reason)
  }
  // Until it listens, it looks, and has an hour for it.
  await when(async () => {
    await ana.login(1)
    await ana.submit('/logout')
    return there.events.length > 0
  })
  await end('destroyed', () => ana.submit('/logout'))
  await end('replaced', () => ana.login(2))
  await end('revoked', async () => here.app.sessions.revoke(await ana.read('/id')))
  await end('revoked', () => here.app.sessions.revokeAll('1'))
  await end('revoked', () => here.app.sessions.revokeEverything())
  await end('over-limit', () => new Member(here.app).login(1))
  await end('destroyed', async () => {
    await ana.submit('/renew')
    await when(() => there.events.some(({ reason, ownerId }) => reason === 'renewed' && ownerId === '1'))
    await ana.submit('/logout')
  })
}

const redis = await openRedis(t, 'signals between processes with Redis')
if (redis !== undefined) {
  const { host, port } = redis.options as { host: string; port: number }

  t.test('ioredis', async (t) => {
    const open = (own: boolean) => () => {
      const clients = [new Redis({ host, port }), new Redis({ host, port })] as const
      t.teardown(() => {
        for (const client of clients) client.disconnect()
      })
      return new RedisStore({ client: clients[0], ...(own && { subscriber: clients[1] }), prefix: `ioredis ${own} ` })
    }
    await tellEachOther(t, open(false))
    await tellEachOther(t, open(true))
  })

  t.test('node-redis', async (t) => {
    const all = await Promise.all([1, 2].map(() => createClient({ socket: { host, port } }).connect()))
    t.teardown(() => {
      for (const client of all) client.destroy()
    })
    const clients = [...all]
    await tellEachOther(t, () => new RedisStore({ client: clients.pop() as never, prefix: 'node-redis ' }))
  })
}

const postgres = await reachPostgres(t)
if (postgres !== undefined) {
  t.teardown(() => postgres.end())
  t.test('PostgreSQL', async (t) => {
    const pools: pg.Pool[] = []
    const open = (): PostgresStore => {
      const pool = postgres.pool({ max: 4 })
      pools.push(pool)
      return new PostgresStore({ pool, pruneInterval: 0 })
    }
    await open().migrate()
    await tellEachOther(t, open)
  })
}
