import type { FastifyInstance } from 'fastify'
import type { CommonSessionOptions } from 'fastify-typed-session'
import session from 'fastify-typed-session'
import type { Html } from '../html.ts'
import { html } from '../html.ts'
import { createApp, form } from './app.ts'

declare module 'fastify-typed-session' {
  interface SessionData {
    usuario: string
    nomes: string[]
  }
}

/** The lesson "O que são sessões?": a login (example 01), and a list of names that ends after two idle minutes (example 02). */
export async function buildApp(options: CommonSessionOptions): Promise<FastifyInstance> {
  const app = await createApp()
  // With `refreshAfter: 0` every request counts as activity, so the session ends exactly 120 seconds after the last one.
  await app.register(session, { ...options, idleTimeout: 2 * 60, refreshAfter: 0 })

  // The lesson logs in and out by GET. Use POST in your application: any other page can link to these URLs.
  app.get('/login', async ({ session }) => {
    await session.renew()
    session.usuario = 'Maria'
    return 'Usuário logado!'
  })

  app.get('/perfil', async ({ session }) => {
    const { usuario } = session
    return usuario === undefined ? 'Nenhum usuário logado.' : html`Bem-vindo, ${usuario}!`.html
  })

  app.get('/logout', async ({ session }) => {
    session.pop('usuario')
    return 'Usuário deslogado.'
  })

  app.get('/', async ({ session }) => {
    session.permanent = true
    return namesPage(session.get('nomes', [])).html
  })

  app.post<{ Body: { nome: string } }>('/', { schema: form('nome') }, async ({ session, body }, reply) => {
    session.setDefault('nomes', []).push(body.nome)
    return reply.redirect('/')
  })

  return app
}

function namesPage(names: readonly string[]): Html {
  return html`<!doctype html>
  <html lang="pt-BR">
  <title>Nomes</title>
  <form method="POST">
    <p><label>Nome <input type="text" name="nome" required></label>
    <p><input type="submit" value="Adicionar">
  </form>
  <ul>${names.reduce((items, name) => html`${items}<li>${name}</li>`, html``)}</ul>`
}
