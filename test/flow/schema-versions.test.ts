import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import { z } from 'zod'
import { session } from '../../lib/index.ts'
import { PostgresStore } from '../../lib/stores/postgres/index.ts'
import { RedisStore } from '../../lib/stores/redis/index.ts'
import { createClient } from '../../lib/testing/create-client.ts'
import type { SessionStore } from '../../types/store.ts'
import { SECRET } from '../helpers/app.ts'
import { reachPostgres } from '../helpers/postgres.ts'
import { openRedis } from '../helpers/redis.ts'

const VISITORS = 8
/** Requests of each visitor in each phase, four at a time. */
const REQUESTS = 24
const AT_ONCE = 4

/** Which servers serve: a deploy, a roll-back, and the deploy again. */
const PHASES = [['v2'], ['v2', 'v3'], ['v3'], ['v3', 'v2'], ['v2'], ['v2', 'v3'], ['v3']] as const

const shape = {
  userId: z.number().optional(),
  visits: z.number().optional(),
  cart: z.record(z.string(), z.number()).optional(),
  name: z.string().optional()
}

/** Version 3 expands the shape by `fullName`. */
const VERSIONS = {
  v2: { schema: z.looseObject(shape), schemaVersion: 2, migrations: { 2: (data: object) => data } },
  v3: {
    schema: z.looseObject({ ...shape, fullName: z.string().optional() }),
    schemaVersion: 3,
    migrations: {
      2: (data: object) => data,
      3: (data: Record<string, unknown>) => ({ ...data, fullName: data.fullName ?? data.name })
    }
  }
} as const

async function createServer(store: SessionStore, version: keyof typeof VERSIONS): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(session, { secret: SECRET, store, storeTimeout: 30, ...VERSIONS[version] })
  app.get('/read', async ({ session }) => ({ userId: session.userId }))
  app.get('/visit', async ({ session }) => {
    await session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
    })
    return { userId: session.userId }
  })
  app.get<{ Params: { key: string } }>('/put/:key', async ({ session, params }) => {
    ;(session as unknown as Record<string, unknown>)[params.key] = 1
    return { userId: session.userId }
  })
  app.get('/all', async ({ session }) => ({ ...session }))
  return app
}

async function roll(t: Test, store: SessionStore): Promise<void> {
  const servers = { v2: await createServer(store, 'v2'), v3: await createServer(store, 'v3') }
  const clients = await Promise.all(
    Array.from({ length: VISITORS }, (_, id) =>
      createClient(servers.v2, { data: { userId: id, name: `visitor ${id}`, visits: 0, cart: { tea: id } } as never })
    )
  )
  const expected = clients.map(() => ({ visits: 0, keys: [] as string[] }))
  const statuses = new Set<number>()
  let strangers = 0
  let requests = 0

  const browse = async (visitor: number, phase: number, turn: number): Promise<void> => {
    const serving = PHASES[phase] as readonly ('v2' | 'v3')[]
    const server = servers[serving[turn % serving.length] as 'v2']
    const key = `key-${phase}-${turn}`
    const url = ['/read', '/visit', `/put/${key}`, '/visit'][(turn + visitor) % 4] as string
    const cookie = clients[visitor]?.jar.header('/') ?? ''
    const reply = await server.inject({ url, headers: { cookie } })
    requests++
    statuses.add(reply.statusCode)
    if (reply.json().userId !== visitor) strangers++
    const own = expected[visitor]
    if (own !== undefined && url === '/visit') own.visits++
    if (url.endsWith(key)) own?.keys.push(key)
  }

  for (let phase = 0; phase < PHASES.length; phase++) {
    await Promise.all(
      clients.map(async (_, visitor) => {
        for (let turn = 0; turn < REQUESTS; turn += AT_ONCE) {
          await Promise.all(Array.from({ length: AT_ONCE }, (_, index) => browse(visitor, phase, turn + index)))
        }
      })
    )
  }

  t.same([...statuses], [200], 'no 500')
  t.equal(strangers, 0, 'no logout')
  t.equal(requests, PHASES.length * VISITORS * REQUESTS)
  for (const [visitor, client] of clients.entries()) {
    const reply = await servers.v3.inject({ url: '/all', headers: { cookie: client.jar.header('/') } })
    const { visits, keys } = expected[visitor] as (typeof expected)[number]
    t.same(
      reply.json(),
      {
        userId: visitor,
        name: `visitor ${visitor}`,
        fullName: `visitor ${visitor}`,
        visits,
        cart: { tea: visitor },
        ...Object.fromEntries(keys.map((key) => [key, 1]))
      },
      'no lost key, no lost update'
    )
  }
  await Promise.all([servers.v2.close(), servers.v3.close()])
}

t.test('two versions of a schema side by side on one Redis lose nothing', async (t) => {
  const client = await openRedis(t, 'two versions of a schema on Redis')
  if (client !== undefined) await roll(t, new RedisStore({ client }))
})

t.test('two versions of a schema side by side on one PostgreSQL lose nothing', async (t) => {
  const postgres = await reachPostgres(t)
  if (postgres === undefined) return
  t.teardown(() => postgres.end())
  const store = new PostgresStore({ pool: postgres.pool(), pruneInterval: 0 })
  await store.migrate()
  await roll(t, store)
})
