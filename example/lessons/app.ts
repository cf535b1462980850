import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'

/** An application that reads forms and answers with HTML, as one of Flask does. */
export async function createApp(): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(formbody)
  app.addHook('onRequest', async (request, reply) => {
    // What Fastify says of a page that is not there is JSON.
    if (!request.is404) reply.type('text/html; charset=utf-8')
  })
  return app
}

/** The schema of a form with these fields. Where one is missing the answer is 400, as of `request.form['name']`. */
export function form(...names: string[]): { body: object } {
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
  return { body: { type: 'object', properties, required: names } }
}
