import type { FastifyInstance } from 'fastify'
import type { CommonSessionOptions } from 'fastify-typed-session'
import session from 'fastify-typed-session'
import { html } from '../html.ts'
import { createApp } from './app.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    username: string
    userId: number
    role: string
  }
}

/** The lesson "Lidando com a sessão": a login stores three keys, two pages read them, a logout removes them. */
export async function buildApp(options: CommonSessionOptions): Promise<FastifyInstance> {
  const app = await createApp()
  await app.register(session, options)

  app.get('/login', async () => loginForm.html)

  app.post<{ Body?: { username?: string; password?: string } }>('/login_submit', async ({ session, body }, reply) => {
    if (body?.username !== 'admin' || body.password !== '123') return reply.code(401).send('Login inválido')
    await session.renew()
    session.username = body.username
    session.userId = 12345
    session.role = 'admin'
    return reply.redirect('/dashboard')
  })

  app.get('/dashboard', async ({ session }, reply) => {
    const { username, userId } = session
    if (username === undefined || userId === undefined) return reply.redirect('/login')
    return html`Bem-vindo, ${username}! Seu ID é: ${userId}`.html
  })

  app.get('/perfil', async ({ session }, reply) => {
    if (!session.has('username')) return reply.redirect('/login')
    return html`Seu perfil. Cargo: ${session.get('role', 'visitante')}`.html
  })

  // The lesson logs out by GET. Use POST in your application: any other page can link to this URL.
  app.get('/logout', async ({ session }, reply) => {
    await session.destroy()
    return reply.redirect('/login')
  })

  return app
}

const loginForm = html`<!doctype html>
<html lang="pt-BR">
<title>Login</title>
<form method="POST" action="/login_submit">
  <p><label>Usuário <input type="text" name="username" autocomplete="username"></label>
  <p><label>Senha <input type="password" name="password" autocomplete="current-password"></label>
  <p><input type="submit" value="Login">
</form>`
