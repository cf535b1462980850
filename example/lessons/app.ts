import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import fastify from 'fastify'

/** An application that reads forms and answers with HTML, like a Flask application. */
export async function createApp(): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(formbody)
  app.addHook('onRequest', async (request, reply) => {
    // Fastify's own 404 reply is JSON.
    if (!request.is404) reply.type('text/html; charset=utf-8')
  })
  return app
}

/** The schema of a form with these fields. A missing field is answered with 400, as with Flask's `request.form['name']`. */
export function form(...names: string[]): { body: object } {
  const properties = Object.fromEntries(names.map((name) => [name, { type: 'string' }]))
  return { body: { type: 'object', properties, required: names } }
}
