import type { FastifyRequest } from 'fastify'
import { createClient } from '../../lib/testing/create-client.ts'
import type { SessionRecord } from '../../types/store.ts'
import { createApp, createStoredApp, START } from './app.ts'

/** The usual routes, and a visitor with a session of `{ visits: 1, name: 'Ana' }`. More routes can be added. */
export async function createVisited(options: Parameters<typeof createStoredApp>[0] = {}) {
  const made = await createStoredApp(options)
  const { app, store, clock } = made
  app.get('/set', setVisits)
  app.get('/untouched', async () => 'ok')
  app.get('/read', async ({ session }) => ({ ...session }))
  app.get('/count', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return session.visits
  })
  app.get('/update', async ({ session }) =>
    session.update((data) => {
      data.visits = (data.visits ?? 0) + 1
      return data.visits
    })
  )
  app.get('/renew', async ({ session }) => {
    session.userId = 7
    await session.renew()
    return session.id
  })
  app.get('/logout', async ({ session }) => session.destroy())
  // Another process has let the visitor in: this one has not started yet.
  const other = await createApp({ ...options, store, clock: clock.now })
  other.app.get('/set', setVisits)
  const response = await other.app.inject('/set')
  const visitor = await createClient(app)
  visitor.jar.take(response)
  const recordOf = async (handle: string): Promise<unknown> => {
    const record = await store.inner.load(handle)
    return record && JSON.parse(record.json)
  }
  store.takeCalls()
  return { ...made, visitor, key: response.body, recordOf }
}

export async function setVisits({ session }: FastifyRequest): Promise<string> {
  session.visits = 1
  session.name = 'Ana'
  return session.id
}

export function recordFor(json: string): SessionRecord {
  const now = START.getTime() / 1000
  return {
    json,
    createdAt: now,
    lastSeenAt: now,
    permanent: false,
    ownerId: undefined,
    description: undefined,
    extensions: undefined
  }
}
