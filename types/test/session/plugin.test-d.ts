import { readFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import fastify from 'fastify'
import byDefault, {
  MemoryStore,
  type OwnedSession,
  type Session,
  type SessionEntry,
  type SessionOptions,
  type SessionPage,
  type SessionRouteConfig,
  type SessionStore,
  type Sessions,
  type StoredRecord,
  type StoreStep,
  session
} from 'fastify-typed-session'
import inspector, {
  type InspectorOptions,
  inspectSession,
  type SessionInspection
} from 'fastify-typed-session/inspector'
import { ExpressStore, Store } from 'fastify-typed-session/stores/express'
import { FileStore } from 'fastify-typed-session/stores/file'
import { MySqlStore, type MySqlStoreOptions } from 'fastify-typed-session/stores/mysql'
import { PostgresStore, type PostgresStoreOptions } from 'fastify-typed-session/stores/postgres'
import { RedisStore } from 'fastify-typed-session/stores/redis'
import { SqliteStore } from 'fastify-typed-session/stores/sqlite'
import { type StoreSuite, testRaces, testStore } from 'fastify-typed-session/testing'
import { Redis } from 'ioredis'
import { Redis as Valkey, Cluster as ValkeyCluster } from 'iovalkey'
import postgres from 'postgres'
import { createClient } from 'redis'
import { same, typed } from '../expect.ts'

same<typeof byDefault, typeof session>(true)

const secret = process.env.SESSION_SECRET
const key = readFileSync('key')

// HTTP/1, HTTPS, HTTP/2 with and without TLS, with await and without.
const app = fastify()
await app.register(session, { secret })
app.register(byDefault, { secret })
const https = fastify({ https: { key, cert: key } })
await https.register(session, { secret })
const http2 = fastify({ http2: true })
await http2.register(session, { secret })
const http2s = fastify({ http2: true, https: { key, cert: key } })
await http2s.register(session, { secret })
await fastify({ logger: true }).register(session, { secret }).register(session, { secret, prefix: '/in' })

app.get('/', async (request) => {
  same<typeof request.session, Session>(true)
  return request.session.visits ?? 0
})
https.get('/', async (request) => {
  same<typeof request.session.visits, number | undefined>(true)
  request.session.visits = 1
  return request.session
})
http2.get('/', async (request) => {
  same<typeof request.session, Session>(true)
  request.session = null
  return 'bye'
})
http2s.get('/', (request, reply) => reply.send(request.session.visits))
app.get<{ Params: { id: string } }>('/:id', async (request) => {
  request.session.name = request.params.id
  return { ...request.session }
})
app.addHook('preHandler', async (request) => {
  same<typeof request.session.visits, number | undefined>(true)
})

// What a route says about sessions.
app.get('/off', { config: { session: false } }, async () => 'ok')
app.get('/poll', { config: { session: { touch: false } } }, async (request) => {
  typed<SessionRouteConfig | undefined>(request.routeOptions.config.session)
  return request.session.visits
})
app.route({ method: 'GET', url: '/poll2', config: { session: { touch: true } }, handler: async () => 'ok' })

// Every option.
const all: SessionOptions = {
  secret: ['x'.repeat(32), new Uint8Array(32), key],
  encrypt: true,
  cookieName: 'sid',
  cookie: {
    path: '/app',
    domain: 'example.com',
    httpOnly: true,
    sameSite: 'strict',
    secure: 'auto',
    partitioned: false,
    priority: 'high'
  },
  idleTimeout: 1800,
  absoluteTimeout: 86_400,
  maxIdleTimeout: 86_400,
  maxAbsoluteTimeout: 86_400,
  refreshAfter: 0,
  permanent: true,
  decorator: 'admin',
  debug: 'always',
  clock: Date.now
}
await app.register(session, all)
await app.register(session, () => all)
await app.register(session, { secret: undefined })
await app.register(session, { secret, cookie: { domain: process.env.DOMAIN, secure: app.prefix === '' } })
for (const sameSite of ['lax', 'strict', 'none'] as const) typed<SessionOptions>({ secret, cookie: { sameSite } })

// Sessions on the server.
const store: SessionStore = new MemoryStore({ maxSessions: 10, maxBytes: 1000, pruneInterval: 0, clock: Date.now })
const stored: SessionOptions = {
  secret,
  store,
  encrypt: false,
  storeTimeout: 0.5,
  maxPerOwner: 3,
  maxPerOwnerPolicy: 'refuse',
  describe: (request) => ({ agent: request.headers['user-agent'], address: request.ip })
}
await app.register(session, stored)
await app.register(session, { secret, store: undefined })
await app.register(session, { secret, store: secret === undefined ? undefined : store, cookieName: '__Host-sid' })
app.get('/news', { config: { session: { onStoreError: 'anonymous' } } }, async () => 'ok')
app.get('/more', { config: { session: { touch: false, onStoreError: 'anonymous' } } }, async () => 'ok')
same<typeof app.sessions, Sessions>(true)
typed<OwnedSession[]>(await http2.sessions.list('ada', { current: 'handle' }))
typed<number>(await https.sessions.revokeAll('ada', { except: 'handle' }))
same<Awaited<ReturnType<Sessions['revoke']>>, void>(true)
same<Awaited<ReturnType<Sessions['revokeEverything']>>, void>(true)
typed<number>(await app.sessions.count())
const everybody = await app.sessions.entries({ cursor: undefined, limit: 50, current: 'handle' })
same<typeof everybody, SessionPage>(true)
same<typeof everybody.cursor, string | undefined>(true)
same<(typeof everybody.entries)[number], SessionEntry>(true)
same<SessionEntry['ownerId'], string | undefined>(true)
typed<OwnedSession>({} as SessionEntry)
const step: Awaited<ReturnType<NonNullable<SessionStore['entries']>>> = await new MemoryStore().entries(undefined, 5)
typed<StoreStep<StoredRecord[]>>(step)
typed<StoredRecord | undefined>(await store.load('key'))

// The other stores take the real clients.
typed<SessionStore[]>([
  new FileStore({ directory: '/var/lib/sessions' }),
  new SqliteStore({ database: new Database('sessions.db') }),
  new RedisStore({ client: new Redis() }),
  new RedisStore({ client: new Valkey() }),
  new RedisStore({ client: new ValkeyCluster([]) }),
  new RedisStore({ client: createClient() }),
  new PostgresStore({ pool: postgres() }),
  new PostgresStore({ pool: postgres({ types: { bigint: postgres.BigInt } }) })
])
// The types of `pg` and valkey-glide do not compile under TypeScript 5.5, and those of PGlite not without DOM: test/stores/postgres/
// and test/stores/redis/ have real ones.
declare const pool: PostgresStoreOptions['pool']
typed<SessionStore>(new PostgresStore({ pool, table: 'logins', schema: 'auth', unlogged: true }))
declare const mysqlPool: MySqlStoreOptions['pool']
typed<SessionStore>(new MySqlStore({ pool: mysqlPool, table: 'logins', schema: 'auth' }))
class MyExpressStore extends Store {}
typed<SessionStore>(new ExpressStore({ store: new MyExpressStore() as never }))
const suite: StoreSuite = { test: (_name, run) => run(), open: (clock) => new MemoryStore({ clock }) }
testStore(suite)
testRaces(suite)

// The prefixes of names, with what they allow.
typed<SessionOptions[]>([
  { secret, cookieName: '__Host-sid' },
  { secret, cookieName: '__Host-sid', cookie: { secure: true, path: '/', sameSite: 'none' } },
  { secret, cookieName: '__Host-Http-sid', cookie: { httpOnly: true } },
  { secret, cookieName: '__Secure-sid', cookie: { domain: 'example.com', path: '/app', secure: true } },
  { secret, cookieName: '__Http-sid', cookie: { domain: 'example.com', httpOnly: true } },
  { secret, cookieName: '_sid', cookie: { secure: false } },
  { secret, cookieName: '$sid', cookie: { domain: 'example.com' } },
  { secret, cookieName: secret ?? 'sid' },
  { secret, cookieName: secret ?? 'sid', cookie: { sameSite: 'strict', secure: true } }
])

// The inspector, on every kind of server.
await app.register(inspector)
const inspectorOptions: InspectorOptions = {
  path: '/debug',
  decorator: 'admin',
  allowOutsideDevelopment: true,
  layout: async (content, request, reply) => {
    reply.header('x-url', request.url)
    return content
  }
}
await http2s.register(inspector, inspectorOptions)
app.get('/why', async (request) => {
  same<ReturnType<typeof inspectSession>, SessionInspection>(true)
  return inspectSession(request).decisions[0]?.committed === 'too-large'
})
https.get('/why', async (request) => inspectSession(request, 'admin').session.idleExpiresAt)
http2.get('/why', async (request) => inspectSession(request).cookie?.parts[0]?.access === 'sealed')
