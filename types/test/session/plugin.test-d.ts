import { readFileSync } from 'node:fs'
import fastify from 'fastify'
import byDefault, { type Session, type SessionOptions, type SessionRouteConfig, session } from 'fastify-typed-session'
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
  refreshAfter: 0,
  permanent: true,
  decorator: 'admin',
  debug: true,
  clock: Date.now
}
await app.register(session, all)
await app.register(session, () => all)
await app.register(session, { secret: undefined })
await app.register(session, { secret, cookie: { domain: process.env.DOMAIN, secure: app.prefix === '' } })
for (const sameSite of ['lax', 'strict', 'none'] as const) typed<SessionOptions>({ secret, cookie: { sameSite } })

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
