import formbody from '@fastify/formbody'
import proxy from '@fastify/http-proxy'
import type { FastifyInstance, FastifyReply } from 'fastify'
import fastify from 'fastify'
import session from 'fastify-typed-session'
import { flaskCookie } from 'fastify-typed-session/flask'
import type { Html } from '../html.ts'
import { html } from '../html.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    name: string
    cart: Record<string, number>
  }
}

export interface Options {
  /** The `SECRET_KEY` of the Flask application. */
  readonly secretKey: string
  /** Where it listens. */
  readonly flask: string
  readonly clock?: () => number
}

/** The cart has moved here. Whatever is not here yet is still Flask's. */
export async function buildApp({ secretKey, flask, clock }: Options): Promise<FastifyInstance> {
  const app = fastify()
  await app.register(session, { format: flaskCookie({ secretKey }), clock })
  await app.register(cart)
  // Flask sends the session's cookie in its own replies, so that they get none from here.
  await app.register(proxy, { upstream: flask, config: { session: false } })
  return app
}

async function cart(app: FastifyInstance): Promise<void> {
  await app.register(formbody)

  app.get('/cart', async ({ session }, reply) => {
    const items = Object.entries(session.cart ?? {})
    return page(
      reply,
      html`<p>${session.name === undefined ? 'Nobody is logged in.' : html`You are <strong>${session.name}</strong>.`}</p>
<ul>${items.map(([item, count]) => html`<li>${count} × ${item}</li>`)}</ul>
<form method="post"><button name="item" value="apple">An apple</button> <button name="item" value="pear">A pear</button></form>
<form method="post" action="/cart/logout"><button>Log out in Fastify</button></form>`
    )
  })

  app.post<{ Body: { item?: string } | undefined }>('/cart', async ({ session, body }, reply) => {
    const item = body?.item === 'pear' ? 'pear' : 'apple'
    session.cart = { ...session.cart, [item]: (session.cart?.[item] ?? 0) + 1 }
    return reply.redirect('/cart', 303)
  })

  app.post('/cart/logout', async ({ session }, reply) => {
    await session.destroy()
    return reply.redirect('/cart', 303)
  })
}

function page(reply: FastifyReply, content: Html): string {
  reply.type('text/html; charset=utf-8')
  return html`<!doctype html>
<html lang="en">
<title>Cart – Fastify</title>
<p>This page comes from <strong>Fastify</strong>. <a href="/">The start page</a> comes from Flask.</p>
${content}
`.html
}
