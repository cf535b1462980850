import type { FastifyInstance, FastifyTypeProvider, LightMyRequestResponse } from 'fastify'
import fastify from 'fastify'
import session, { type OpenRefusal, type SessionValues } from 'fastify-typed-session'
import {
  type Client,
  CookieJar,
  createClient,
  FakeClock,
  type NoSession,
  type OpenedSession,
  readSession,
  type SessionReading,
  sessionCookie
} from 'fastify-typed-session/testing'
import { same, typed } from '../expect.ts'

interface AdminData {
  level: number
}

interface Provider extends FastifyTypeProvider {
  validator: this['schema']
}

declare const app: FastifyInstance
declare const reply: LightMyRequestResponse

// Data are those that were declared.
const cookie = sessionCookie(app, { userId: 7, cart: { 101: 1 }, name: undefined })
same<typeof cookie, Promise<string>>(true)
void sessionCookie(app, {} as SessionValues, { ownerId: 'ada', permanent: true, idleTimeout: 60, decorator: 'session' })
void sessionCookie(app, { userId: 7 }, { createdAt: new Date(), lastSeenAt: new Date() })
void sessionCookie<AdminData>(app, { level: 3 }, { decorator: 'admin' })

// What is read has the type of what was declared, once it is known to be there.
const read = await readSession(app, reply)
same<typeof read, SessionReading>(true)
same<typeof read.data, SessionValues | undefined>(true)
same<typeof read.expiresAt, Date | undefined>(true)
const { data, ownerId, reason } = read
same<typeof reason, 'opened' | 'no-cookie' | 'cleared' | 'too-many-cookies' | OpenRefusal>(true)
typed<number | undefined>(data?.userId)
typed<string | undefined>(ownerId)
if (read.reason === 'opened') {
  same<typeof read, OpenedSession>(true)
  same<typeof read.data, SessionValues>(true)
  same<typeof read.id, string>(true)
} else {
  same<typeof read, NoSession>(true)
  same<typeof read.data, undefined>(true)
}
const admin = await readSession<AdminData>(app, 'admin=x', { decorator: 'admin' })
same<typeof admin, SessionReading<AdminData>>(true)
typed<number | undefined>(admin.data?.level)

// Replies of every kind.
void readSession(app, await fetch('http://127.0.0.1'))
void readSession(app, { headers: new Headers() })
void readSession(app, { headers: { 'set-cookie': ['a=1'] } })
void readSession(app, await app.inject('/'))

// A client reads the session that it was made for.
const client = await createClient(app, { data: { userId: 7 }, ownerId: 'ada', cookies: 'a=1', followRedirects: true })
same<typeof client, Client>(true)
typed<LightMyRequestResponse>(await client.get('/', { headers: { accept: 'text/html' }, query: { page: '2' } }))
typed<LightMyRequestResponse>(await client.post('/', { payload: { a: 1 } }))
typed<LightMyRequestResponse>(await client.inject({ method: 'OPTIONS', url: '/' }))
typed<CookieJar>(client.jar)
const current = await client.session()
same<typeof current, SessionReading>(true)
const adminClient = await createClient<AdminData>(app, { decorator: 'admin', data: { level: 3 } })
same<Awaited<ReturnType<typeof adminClient.session>>, SessionReading<AdminData>>(true)
void createClient(app)

// Applications of every kind of server, type provider and scope.
void createClient(fastify({ http2: true }))
void createClient(fastify({ https: {} }))
void createClient(fastify({ logger: true }).withTypeProvider<Provider>())
void sessionCookie(fastify({ http2: true, https: {} }), { userId: 7 })
app.register(async (scope) => {
  await createClient(scope, { ownerId: 'ada' })
})

// A clock for the plugin.
const clock = new FakeClock()
app.register(session, { secret: process.env.SESSION_SECRET, clock: clock.now })
typed<number>(new FakeClock(new Date()).now())
clock.advance(1)
clock.set(new Date())

// A jar without a client.
const jar = new CookieJar('a=1')
jar.take(await fetch('http://127.0.0.1'), '/')
typed<string>(jar.header('/'))
typed<string | undefined>(jar.get('a'))
