import cookie from '@fastify/cookie'
import type { FastifyInstance } from 'fastify'
import type { CommonSessionOptions } from 'fastify-typed-session'
import session from 'fastify-typed-session'
import { html } from '../html.ts'
import { createApp, form } from './app.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    username: string
  }
}

/** The lesson "Sessões e Cookies": a name in a session at `/`, and the same name in a plain cookie at `/cookies/`. */
export async function buildApp(options: CommonSessionOptions): Promise<FastifyInstance> {
  const app = await createApp()
  await app.register(session, options)
  await app.register(cookie)

  app.get('/', async ({ session }) => {
    const { username } = session
    return username === undefined ? 'Você não está logado.' : html`Bem-vindo, ${username}!`.html
  })

  app.get('/login', async () => loginForm.html)

  app.post<{ Body: { username: string } }>('/login', { schema: form('username') }, async ({ session, body }, reply) => {
    await session.renew()
    session.username = body.username
    return reply.redirect('/')
  })

  // The lesson logs out by GET. Use POST in your application: any other page can link to this URL.
  app.get('/logout', async ({ session }, reply) => {
    session.pop('username')
    return reply.redirect('/')
  })

  app.register(nameInCookie, { prefix: '/cookies', secure: false, httpOnly: false })
  app.register(nameInCookie, { prefix: '/cookies/secure', secure: true, httpOnly: true })

  return app
}

/** Use a plain cookie for preferences. It proves nothing: anybody can write `username=admin` into it. */
async function nameInCookie(app: FastifyInstance, flags: { secure: boolean; httpOnly: boolean }): Promise<void> {
  const { secure, httpOnly } = flags

  app.get('/', async ({ cookies }) => {
    const { username } = cookies
    return username ? html`Bem-vindo novamente, ${username}!`.html : 'Bem-vindo! Por favor, faça login.'
  })

  app.get('/login', async () => loginForm.html)

  app.post<{ Body: { username: string } }>('/login', { schema: form('username') }, async ({ body }, reply) => {
    reply.setCookie('username', body.username, { path: '/', maxAge: 60 * 60 * 24 * 7, secure, httpOnly })
    return reply.redirect(`${app.prefix}/`)
  })

  app.get('/logout', async (_request, reply) => {
    reply.setCookie('username', '', { path: '/', expires: new Date(0), secure, httpOnly })
    return reply.redirect(`${app.prefix}/`)
  })
}

const loginForm = html`<!doctype html>
<html lang="pt-BR">
<title>Login</title>
<form method="POST">
  <p><input type="text" name="username" placeholder="Digite seu nome">
  <p><input type="submit" value="Login">
</form>`
