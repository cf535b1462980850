import type { FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import { getSession, type Session, type SessionMethods, type SessionValues, sessionOf } from 'fastify-typed-session'
import { same, typed } from '../expect.ts'

interface AdminData {
  role: 'admin' | 'owner'
  since: string
  get: number
}

declare const request: FastifyRequest

const session = getSession(request)
same<typeof session, Session>(true)
same<typeof session.visits, number | undefined>(true)
same<typeof session, typeof request.session>(true)

// It may not be there, and neither may the request of the serializer of a reply.
const maybe = sessionOf(request)
same<typeof maybe, Session | undefined>(true)
typed<string | undefined>(sessionOf(undefined)?.ownerId)
same<ReturnType<typeof sessionOf<AdminData>>, Session<AdminData> | undefined>(true)

// A second session has data of its own.
const admin = getSession<AdminData>(request, 'admin')
same<typeof admin, Session<AdminData>>(true)
same<typeof admin, SessionValues<AdminData> & SessionMethods<AdminData>>(true)
same<typeof admin.role, 'admin' | 'owner' | undefined>(true)
same<Parameters<typeof admin.has>[0], 'role' | 'since'>(true)
admin.set('role', 'owner')
const since = admin.get('since', '')
same<typeof since, string>(true)
void admin.regenerate(['role'])

// Requests of every kind of server, with any route and in any hook.
fastify().get<{ Body: { a: 1 }; Querystring: { q: string } }>('/', async (typedRequest) => {
  const session = getSession(typedRequest)
  same<typeof session, Session>(true)
  return session.visits
})
fastify({ http2: true }).get('/', async (http2Request) => getSession(http2Request).visits)
fastify({ https: {} }).get('/', async (httpsRequest) => getSession(httpsRequest).visits)

// Functions that take a session, whatever its data.
async function logout(session: Pick<SessionMethods, 'destroy' | 'id'>, reply: FastifyReply): Promise<void> {
  await session.destroy()
  reply.header('was', session.id)
}
typed<Parameters<typeof logout>[0]>(session)
typed<Parameters<typeof logout>[0]>(admin)

// A fake for a unit test is a plain object.
function visitsOf(session: Pick<Session, 'visits'>): number {
  return session.visits ?? 0
}
visitsOf({ visits: 1 })
visitsOf(session)
