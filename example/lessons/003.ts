import type { FastifyInstance } from 'fastify'
import type { CommonSessionOptions } from 'fastify-typed-session'
import session, { loginRequired } from 'fastify-typed-session'
import { FileStore } from 'fastify-typed-session/stores/file'
import { html } from '../html.ts'
import { createApp, form } from './app.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    username: string
  }
}

/** The lesson "Flask-Session": sessions in files, and pages for members. */
export async function buildApp(options: CommonSessionOptions, directory = '.sessions'): Promise<FastifyInstance> {
  const app = await createApp()
  await app.register(session, { ...options, store: new FileStore({ directory }) })

  app.get('/login', async () => loginForm.html)

  app.post<{ Body: { username: string } }>('/login', { schema: form('username') }, async ({ session, body }, reply) => {
    // Check a password here.
    if (body.username === '') return loginForm.html
    await session.renew()
    session.username = body.username
    return reply.redirect('/example')
  })

  app.get(
    '/example',
    members.handle(async ({ session }) => html`Só quem fez login vê esta página: ${session.username}`.html)
  )

  app.get('/search', { preHandler: members }, async () => searchForm.html)

  app.post<{ Body: { busca: string } }>('/search', { preHandler: members, schema: form('busca') }, async ({ body }) => {
    const found = BOOKS.filter((title) => title.toLowerCase().includes(body.busca.toLowerCase()))
    return html`${searchForm}<p>${found.length} de “${body.busca}”: ${found.join(', ')}`.html
  })

  // The lesson logs out by GET. Use POST in your application: any other page can link to this URL.
  app.get('/logout', async ({ session }, reply) => {
    await session.destroy()
    return reply.redirect('/login')
  })

  return app
}

/** The lesson's `@login_required`: redirects to the login form. */
const members = loginRequired({ key: 'username', onRefused: (_request, reply) => reply.redirect('/login') })

const BOOKS = ['Dom Casmurro', 'Grande Sertão: Veredas', 'Memórias Póstumas de Brás Cubas', 'Vidas Secas']

const loginForm = html`<!doctype html>
<html lang="pt-BR">
<title>Login</title>
<form method="POST">
  <p><label>Usuário <input type="text" name="username" autocomplete="username"></label>
  <p><input type="submit" value="Login">
</form>`

const searchForm = html`<!doctype html>
<html lang="pt-BR">
<title>Pesquisa</title>
<form method="POST">
  <p><label>Título <input type="search" name="busca"></label>
  <p><input type="submit" value="Pesquisar">
</form>`
