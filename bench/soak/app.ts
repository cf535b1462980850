import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import fastify from 'fastify'

/** What the routes call of `request.session`. The bench runs the built package, and its tests the sources. */
interface Session {
  userId?: number
  visits?: number
  cart?: Record<string, number>
  readonly id: string
  renew(): Promise<void>
  regenerate(): Promise<void>
  destroy(): Promise<void>
  commit(): Promise<void>
  setOwner(ownerId: string): void
  update(change: (data: { visits?: number }) => void): Promise<void>
}

interface Sessions {
  list(ownerId: string, options: { current: string }): Promise<unknown[]>
  revokeAll(ownerId: string, options: { except: string }): Promise<number>
}

/** The steps of a request to `/slow`, which its client leaves. */
interface SlowVisit {
  begin(): void
  end(): void
}

/** An application under load. */
export interface SoakApp {
  readonly app: FastifyInstance
  readonly port: number
  /** Whether the sessions are in a store. */
  readonly isStored: boolean
  /** The clients that wait for a request to `/slow`, by its id. */
  readonly slow: Map<string, SlowVisit>
}

function sessionOf(request: FastifyRequest): Session {
  return request.session as unknown as Session
}

/** Serves a route for each thing that a session can do. `register`: adds the plugin. */
export async function serve(
  register: (app: FastifyInstance) => PromiseLike<unknown>,
  isStored: boolean
): Promise<SoakApp> {
  const app = fastify()
  const slow: SoakApp['slow'] = new Map()
  await app.register(websocket)
  await register(app)
  addPages(app)
  addEndings(app, isStored)
  addConnections(app, isStored, slow)
  await app.listen({ host: '127.0.0.1', port: 0 })
  return { app, isStored, slow, port: (app.server.address() as AddressInfo).port }
}

function addPages(app: FastifyInstance): void {
  app.get('/public', async () => 'for everybody')
  app.get('/who', async (request) => ({ user: sessionOf(request).userId ?? null }))
  app.post<{ Params: { user: string } }>('/login/:user', async (request) => {
    const session = sessionOf(request)
    await session.regenerate()
    session.userId = Number(request.params.user)
    session.setOwner(request.params.user)
    return 'welcome'
  })
  app.post('/write', async (request) => {
    const session = sessionOf(request)
    session.visits = (session.visits ?? 0) + 1
    session.cart ??= {}
    session.cart[`item ${session.visits % 10}`] = session.visits
    return 'written'
  })
  app.post('/update', async (request) => {
    await sessionOf(request).update((data) => {
      data.visits = (data.visits ?? 0) + 1
    })
    return 'updated'
  })
}

function addEndings(app: FastifyInstance, isStored: boolean): void {
  app.post('/renew', (request) =>
    sessionOf(request)
      .renew()
      .then(() => 'renewed')
  )
  app.post('/logout', (request) =>
    sessionOf(request)
      .destroy()
      .then(() => 'goodbye')
  )
  if (!isStored) return
  const { sessions } = app as unknown as { sessions: Sessions }
  app.get<{ Params: { user: string } }>('/devices/:user', async (request) => {
    return sessions.list(request.params.user, { current: sessionOf(request).id })
  })
  app.post<{ Params: { user: string } }>('/end-others/:user', async (request) => {
    return { ended: await sessions.revokeAll(request.params.user, { except: sessionOf(request).id }) }
  })
}

function addConnections(app: FastifyInstance, isStored: boolean, slow: SoakApp['slow']): void {
  app.get<{ Params: { id: string } }>('/slow/:id', async (request) => {
    const visit = slow.get(request.params.id)
    visit?.begin()
    await once(request.raw.socket, 'close')
    const session = sessionOf(request)
    session.visits = (session.visits ?? 0) + 1
    // Nobody is left to be told whether there is still a session to write to.
    await session.commit().catch(() => {})
    visit?.end()
    return 'too late'
  })
  app.get('/socket', { websocket: true }, (socket, request) => {
    const session = sessionOf(request)
    socket.on('message', async () => {
      if (isStored && session.userId !== undefined) {
        await session.update((data) => {
          data.visits = (data.visits ?? 0) + 1
        })
      }
      socket.send(JSON.stringify({ user: session.userId ?? null }))
    })
  })
}
