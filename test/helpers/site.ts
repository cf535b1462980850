import formbody from '@fastify/formbody'
import type { FastifyReply, FastifyServerOptions } from 'fastify'
import type { Page } from 'playwright-core'
import { loginRequired, safeNext } from '../../lib/index.ts'
import type { LooseOptions, Mode, TestApp } from './app.ts'
import { createApp, MODES } from './app.ts'
import { follow } from './chromium.ts'

/** The ways to keep sessions that differ for a browser. */
export const BROWSER_MODES: readonly Mode[] = MODES.filter(({ mode }) => mode !== 'stored')

/** Sends a page with a heading. `body`: HTML. */
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

/** What a form of `createSite` looks like whose only button does it all. */
export function button(action: string, label: string): string {
  return `<form method="post" action="${action}"><button>${label}</button></form>`
}

/** What stands before the pages of `createSite` that are for members. */
export const members = loginRequired({ key: 'name', redirectTo: '/login' })

/** A site with a page for everybody, one for members, a form to log in and a button to log out. */
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

/** Fills the form that `createSite` has for those who want to log in, and that the tab shows. */
export async function logIn(page: Page, name = 'Ada'): Promise<void> {
  await page.fill('[name=name]', name)
  await follow(page, 'button')
}

/** What a page of `sendPage` says first. */
export function headingOf(page: Page): Promise<string> {
  return page.innerText('h1')
}
