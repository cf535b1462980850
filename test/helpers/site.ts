import formbody from '@fastify/formbody'
import type { FastifyReply, FastifyServerOptions } from 'fastify'
import type { Page } from 'playwright-core'
import { loginRequired, safeNext } from '../../lib/index.ts'
import type { LooseOptions, Mode, TestApp } from './app.ts'
import { createApp, MODES } from './app.ts'
import { follow } from './chromium.ts'

/** The modes that differ for a browser. */
export const BROWSER_MODES: readonly Mode[] = MODES.filter(({ mode }) => mode !== 'stored')

/** Sends a page with a heading. `body` is HTML. */
export function sendPage(reply: FastifyReply, heading: string, body = ''): FastifyReply {
  const title = heading.replace(/[&<]/g, (character) => `&#${character.charCodeAt(0)};`)
  return reply.type('text/html; charset=utf-8').send(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>${title}</title>
<link rel="icon" href="data:,">
<main>
<h1>${title}</h1>
${body}
</main>`)
}

/** Returns a form that has only a button. */
export function button(action: string, label: string): string {
  return `<form method="post" action="${action}"><button>${label}</button></form>`
}

/** The guard of the member pages of `createSite`. */
export const members = loginRequired({ key: 'name', redirectTo: '/login' })

/** Creates a site with a public page, a member page, a login form and a logout button. */
export async function createSite(options: LooseOptions = {}, server: FastifyServerOptions = {}): Promise<TestApp> {
  const site = await createApp(options, server)
  const { app } = site
  await app.register(formbody)

  app.get('/', async ({ session }, reply) => sendPage(reply, `Hello ${session.name ?? 'stranger'}`))

  app.get('/login', async (_request, reply) =>
    sendPage(
      reply,
      'Log in',
      '<form method="post"><label>Name <input name="name"></label> <button>Log in</button></form>'
    )
  )

  app.post<{ Body: { name: string } }>('/login', async (request, reply) => {
    const { session, body } = request
    await session.renew()
    session.setOwner(body.name)
    session.name = body.name
    return reply.redirect(safeNext(request, '/members'), 303)
  })

  app.get(
    '/members',
    members.handle(async ({ session }, reply) =>
      sendPage(reply, `Member ${session.name}`, button('/logout', 'Log out'))
    )
  )

  app.post('/logout', async ({ session }, reply) => {
    await session.destroy()
    return reply.redirect('/', 303)
  })

  return site
}

/** Fills and sends the login form of `createSite`, which the tab must show. */
export async function logIn(page: Page, name = 'Ada'): Promise<void> {
  await page.fill('[name=name]', name)
  await follow(page, 'button')
}

/** Returns the heading of a page of `sendPage`. */
export function headingOf(page: Page): Promise<string> {
  return page.innerText('h1')
}
