import type { FastifyRequest } from 'fastify'
import fastify from 'fastify'
import session, { getSession, type Session, type SessionData, type SessionValues } from 'fastify-typed-session'
import { same } from '../expect.ts'

declare const request: FastifyRequest

// Nothing is declared: there are methods, and no data.
same<keyof SessionData, never>(true)
same<keyof SessionValues, never>(true)
same<typeof request.session, Session>(true)
same<Parameters<typeof request.session.get>[0], never>(true)
same<Parameters<typeof request.session.has>[0], never>(true)
same<typeof request.session.isNew, boolean>(true)
request.session = null
void request.session.renew()

// getSession brings a type along.
const typed = getSession<{ visits: number }>(request)
same<typeof typed.visits, number | undefined>(true)

const app = fastify()
await app.register(session, { secret: process.env.SESSION_SECRET })
app.get('/', async (request) => request.session.id)
