import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'
import type { InferSession, SessionOptions } from 'fastify-typed-session'
import session, { getSession } from 'fastify-typed-session'
import { yesterdaySchema } from './schema.ts'

type YesterdayData = InferSession<typeof yesterdaySchema>

/**
 * The server of before the last deploy, with version 1 of the session. It has the secret and the store of this one, and the list of what has ended early, as two servers
 * have during a rolling deploy. It does not listen: the page of the migration asks it by `inject()`.
 */
export async function buildYesterday(options: SessionOptions): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(session, { ...options, schema: yesterdaySchema })

  app.get('/', { config: { session: { touch: false } } }, async (request) => getSession<YesterdayData>(request).data())

  app.post('/', async (request, reply) => {
    const mine = getSession<YesterdayData>(request)
    // What goes on in a new session keeps its version, so nothing does.
    await mine.regenerate()
    mine.set('basket', ['cards', 'tape', 'cards'])
    mine.set('visits', 1)
    return reply.code(204).send()
  })
  return app
}
