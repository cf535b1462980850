import formbody from '@fastify/formbody'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fastify from 'fastify'
import type { SessionOptions } from 'fastify-typed-session'
import session from 'fastify-typed-session'
import { html, page } from './page.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    visits: number
    username: string
  }
}

/** A visit counter, a login, a page for members, a logout. */
export async function buildApp(options: SessionOptions): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(formbody)
  await app.register(session, options)
  app.addHook('onRequest', async (_request, reply) => {
    reply.type('text/html; charset=utf-8')
  })

  app.get('/', async ({ session }) => {
    session.visits = (session.visits ?? 0) + 1
    return page(
      'Visits',
      html`<p>You have been here <strong>${session.visits}</strong> times.</p>
        <p>The session is ${session.isNew ? 'new' : 'known'} and ends at
        <time>${session.expiresAt.toISOString()}</time> unless you come back before.</p>`
    )
  })

  app.get('/login', async () => page('Log in', loginForm))

  app.post<{ Body: { username?: string } }>('/login', async (request, reply) => {
    const username = request.body.username?.trim()
    if (!username) {
      return reply.code(400).send(page('Log in', html`<p role="alert">Please say who you are.</p>${loginForm}`))
    }
    // A new id at every change of privilege: whoever knew the old one is left with nothing.
    await request.session.renew()
    request.session.username = username
    return reply.redirect('/members', 303)
  })

  app.get('/members', { preHandler: requireLogin }, async ({ session }) => {
    const { bytes, limit } = session.size()
    return page(
      `Welcome, ${session.username}`,
      html`<dl>
          <dt>Session</dt><dd>${session.id}</dd>
          <dt>Began</dt><dd>${session.createdAt.toISOString()}</dd>
          <dt>Size</dt><dd>${bytes} bytes${Number.isFinite(limit) ? ` of ${limit} that a cookie may have` : ''}</dd>
        </dl>
        <form method="post" action="/logout"><button>Log out</button></form>`
    )
  })

  app.post('/logout', async ({ session }, reply) => {
    await session.destroy()
    return reply.redirect('/', 303)
  })

  return app
}

const loginForm = html`<form method="post" action="/login">
  <label>Your name <input name="username" autocomplete="username" maxlength="60" required></label>
  <button>Log in</button>
</form>`

async function requireLogin({ session }: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
  return session.has('username') ? undefined : reply.redirect('/login')
}
