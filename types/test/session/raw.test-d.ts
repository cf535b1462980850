import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type { RawRequest, RawSession, Sessions, SessionValues } from 'fastify-typed-session'
import session, { getSessions } from 'fastify-typed-session'
import { same, typed } from '../expect.ts'

interface AdminData {
  level: number
  rooms: string[]
}

const app = fastify()
await app.register(session, { secret: process.env.SESSION_SECRET })

// What a request is.
declare const request: FastifyRequest
typed<RawRequest>({} as IncomingMessage)
typed<RawRequest>({} as Http2ServerRequest)
typed<RawRequest>(new Request('http://a.test'))
typed<RawRequest>(request)
typed<RawRequest>({ headers: { cookie: process.env.COOKIE } })
typed<RawRequest>({ headers: {} as Record<string, string | undefined> })

// What it has.
const found = await app.sessions.ofRaw(request.raw)
same<typeof found, RawSession | undefined>(true)
same<typeof found, Awaited<ReturnType<Sessions['ofRaw']>>>(true)
if (found !== undefined) {
  same<typeof found.data, Readonly<SessionValues>>(true)
  same<typeof found.data.visits, number | undefined>(true)
  same<typeof found.signal, AbortSignal>(true)
  found.release()
  // A function for the data of a request takes these, too.
  typed<SessionValues>(found.data)
}
app.server.on('upgrade', async (request) => (await app.sessions.ofRaw(request))?.handle)

// A second session has data of its own.
const admin = getSessions<AdminData>(app, 'admin')
same<typeof admin, Sessions<AdminData>>(true)
const theirs = await admin.ofRaw(request.raw)
same<typeof theirs, RawSession<AdminData> | undefined>(true)
same<NonNullable<typeof theirs>['data']['level'], number | undefined>(true)
same<ReturnType<typeof getSessions>, Sessions>(true)
