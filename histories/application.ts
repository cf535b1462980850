import type { FastifyInstance, FastifyReply } from 'fastify'
import fastify from 'fastify'
import type { SessionData, SessionStore } from '../lib/index.ts'
import { session } from '../lib/index.ts'
import { twinOf } from './checks/last-write.ts'
import type { Data, Operation } from './history.ts'

export interface ApplicationSettings {
  readonly secret: string
  readonly store: SessionStore
  /** In milliseconds. */
  readonly storeTimeout: number
  readonly maxPerOwner: number
}

type Of<Kind extends Operation['kind']> = { Body: Extract<Operation, { kind: Kind }> }

/** Short, so that activity is recorded during a run. In seconds. */
const REFRESH_AFTER = 5
/** Longer than a run, so that a logout with any old id ends the session. In seconds. */
const RENAME_GRACE = 3600

/** Returns an application with a route for each kind of operation. Each answers with the key of the session, and what it read. */
export async function createApplication(settings: ApplicationSettings): Promise<FastifyInstance> {
  const { secret, store, storeTimeout, maxPerOwner } = settings
  const app = fastify()
  await app.register(session, {
    secret,
    store,
    storeTimeout: storeTimeout / 1000,
    maxPerOwner,
    refreshAfter: REFRESH_AFTER,
    renameGrace: RENAME_GRACE
  })

  app.post<Of<'begin'>>('/begin', async ({ session, body }) => {
    Object.assign(session, { begun: true })
    if (body.owner !== undefined) session.setOwner(body.owner)
    await session.commit()
    return { key: session.id }
  })

  app.post<Of<'increment'>>('/increment', async ({ session, body }, reply) => {
    if (session.isNew) return refuse(reply)
    await session.update((data) => {
      const { applied = [] } = data as Data
      Object.assign(data, { applied: [...applied, body.token] })
    })
    return { key: session.id }
  })

  app.post<Of<'write'>>('/write', async ({ session, body }, reply) => {
    if (session.isNew) return refuse(reply)
    Object.assign(session, { [body.name]: body.value, [twinOf(body.name)]: body.value })
    if (body.commits) await session.commit()
    return { key: session.id }
  })

  app.post<Of<'read'>>('/read', async ({ session }, reply) => {
    return session.isNew ? refuse(reply) : { key: session.id, data: session.data() }
  })

  app.post<Of<'change'>>('/change', async ({ session, body }, reply) => {
    if (session.isNew) return refuse(reply)
    // No type declares what the operations store.
    const keys = Object.keys(session.data()) as (keyof SessionData)[]
    if (body.how === 'regenerate') await session.regenerate(keys, { keepOwner: true })
    else await session.renew()
    if (body.how === 'login' && body.owner !== undefined) session.setOwner(body.owner)
    if (body.commits) await session.commit()
    return { key: session.id }
  })

  app.post<Of<'logout'>>('/logout', async ({ session }) => {
    await session.destroy()
    return {}
  })

  const config = { session: false } as const
  app.post<Of<'revoke'>>('/revoke', { config }, async ({ body }) => {
    await app.sessions.revoke(body.key)
    return {}
  })

  app.post<Of<'revokeAll'>>('/revokeAll', { config }, async ({ body }) => {
    return { ended: await app.sessions.revokeAll(body.owner, body.except === undefined ? {} : { except: body.except }) }
  })

  app.post<Of<'list'>>('/list', { config }, async ({ body }) => {
    return { keys: (await app.sessions.list(body.owner)).map(({ handle }) => handle) }
  })

  return app
}

function refuse(reply: FastifyReply): { error: string } {
  reply.code(401)
  return { error: 'Who are you?' }
}
