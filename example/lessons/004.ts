import type { FastifyInstance } from 'fastify'
import type { CommonSessionOptions } from 'fastify-typed-session'
import session, { loginRequired } from 'fastify-typed-session'
import { html } from '../html.ts'
import { createApp, form } from './app.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    userId: number | string
    username: string
    loggedIn: boolean
    visits: number
    cart: Record<string, number>
  }
}

/** The lesson "Understanding Sessions": set, read, count, fill a cart, log in and out. */
export async function buildApp(options: CommonSessionOptions): Promise<FastifyInstance> {
  const app = await createApp()
  await app.register(session, {
    ...options,
    // The lesson sets these, and they are the defaults here. 'auto' is on over HTTPS.
    cookie: { secure: 'auto', httpOnly: true, sameSite: 'lax' },
    idleTimeout: 30 * 60,
    absoluteTimeout: 7 * 24 * 60 * 60
  })

  // The lesson changes sessions by GET. Use POST in your application: any other page can link to these URLs.

  // The lesson's first `/login`. Its complete example has another one, below.
  app.get('/section-3/login', async ({ session }) => {
    await session.renew()
    session.userId = 123
    session.username = 'john_doe'
    return 'Logged in!'
  })

  app.get('/profile', async ({ session }) => {
    const { username } = session
    return username === undefined ? 'Please log in' : html`Hello, ${username}!`.html
  })

  app.get('/visits', async ({ session }) => {
    session.visits = session.get('visits', 0) + 1
    return `You have visited ${session.visits} times`
  })

  app.get<{ Params: { productId: string } }>('/add-to-cart/:productId(^\\d+$)', async ({ session, params }) => {
    const cart = session.get('cart', {})
    cart[params.productId] = (cart[params.productId] ?? 0) + 1
    session.cart = cart
    return 'Added to cart'
  })

  app.get('/login', async () => loginForm.html)

  app.post<{ Body: { username: string } }>('/login', { schema: form('username') }, async ({ session, body }, reply) => {
    // Check a password here.
    if (body.username === '') return 'Login failed'
    await session.renew()
    session.permanent = true
    session.userId = body.username
    session.loggedIn = true
    return reply.redirect('/dashboard')
  })

  app.get(
    '/dashboard',
    members.handle(async ({ session }) => html`Welcome ${session.userId}`.html)
  )

  app.get('/logout', async ({ session }, reply) => {
    await session.destroy()
    return reply.redirect('/login')
  })

  return app
}

/** The lesson's `@login_required`: redirects to the login form. */
const members = loginRequired({ key: 'userId', onRefused: (_request, reply) => reply.redirect('/login') })

const loginForm = html`<!doctype html>
<html lang="en">
<title>Login page</title>
<h1>Login page</h1>
<form method="POST">
  <p><label>Username <input type="text" name="username" autocomplete="username"></label>
  <p><input type="submit" value="Login">
</form>`
