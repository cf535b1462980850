import formbody from '@fastify/formbody'
import type { FastifyInstance } from 'fastify'
import type { Page } from 'playwright-core'
import t from 'tap'
import type { CookieAttributes } from '../../lib/index.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { createApp, withOneStore } from '../helpers/app.ts'
import { asSite, follow, openChromium, openContext, openPage, serve } from '../helpers/chromium.ts'
import { BROWSER_MODES, button, headingOf, logIn, sendPage } from '../helpers/site.ts'

const LOGIN = '<form method="post" id="in"><label>Name <input name="name"></label> <button>Log in</button></form>'

/** One page for everything, below `/app`. */
async function createSite(options: LooseOptions, cookie: CookieAttributes): Promise<FastifyInstance> {
  const { app } = await createApp({ ...options, cookie })
  await app.register(formbody)
  app.get('/app/', async ({ session }, reply) =>
    sendPage(reply, `Hello ${session.name ?? 'nobody'}`, LOGIN + button('/app/logout', 'Log out'))
  )
  app.post<{ Body: { name: string } }>('/app/', async ({ session, body }, reply) => {
    await session.renew()
    session.name = body.name
    return reply.redirect('/app/', 303)
  })
  app.post('/app/logout', async ({ session }, reply) => {
    await session.destroy()
    return reply.redirect('/app/', 303)
  })
  return app
}

const logOut = (page: Page): Promise<void> => follow(page, '[action] button')

const browser = await openChromium(t, 'cookies that shadow others')
if (browser !== undefined) {
  for (const { mode, options, isSelfContained } of BROWSER_MODES) {
    for (const [what, earlier, later, isKnown] of [
      ['a domain was added', {}, { domain: 'shop.test' }, true],
      ['the domain was removed', { domain: 'shop.test' }, {}, false],
      ['the path became longer', {}, { path: '/app' }, true],
      ['the path became shorter', { path: '/app' }, {}, false],
      ['both changed', { path: '/app' }, { domain: 'shop.test' }, false]
    ] as const) {
      t.test(`${mode} sessions, after ${what}`, async (t) => {
        const all = withOneStore({ ...options, clock: () => now, refreshAfter: 60 })
        let now = 1_763_640_000_000
        const old = asSite(await serve(t, await createSite(all, earlier)), 'www.shop.test')
        const url = asSite(await serve(t, await createSite(all, later)), 'www.shop.test')
        const context = await openContext(t, browser)
        const page = await openPage(t, context, `${old}/app/`)
        await logIn(page, 'Ada')

        now += 61_000
        await page.goto(`${url}/app/`)
        t.equal(await headingOf(page), 'Hello Ada', 'who was logged in stays so')
        await logIn(page, 'Ben')
        t.equal(await headingOf(page), 'Hello Ben', 'a login counts')
        t.equal((await context.cookies()).length, isKnown ? 1 : 2, 'and replaces the older cookie if that is known')
        await page.reload()
        t.equal(await headingOf(page), 'Hello Ben')
        await logOut(page)
        t.equal(await headingOf(page), 'Hello nobody', 'so does a logout')
        await page.reload()
        t.equal(await headingOf(page), 'Hello nobody')
        await logIn(page, 'Cleo')
        t.equal(await headingOf(page), 'Hello Cleo')
        await logOut(page)
        t.equal(await headingOf(page), 'Hello nobody')
        await page.goto(`${old}/app/`)
        if (isKnown || !isSelfContained) t.equal(await headingOf(page), 'Hello nobody', 'nor anybody elsewhere')
      })
    }

    t.test(`a ${mode} session that was begun before a domain was added can be ended at once`, async (t) => {
      const all = withOneStore({ ...options, clock: () => 1_763_640_000_000 })
      const old = asSite(await serve(t, await createSite(all, {})), 'www.shop.test')
      const url = asSite(await serve(t, await createSite(all, { domain: 'shop.test' })), 'www.shop.test')
      const context = await openContext(t, browser)
      const page = await openPage(t, context, `${old}/app/`)
      await logIn(page, 'Ada')
      await page.goto(`${url}/app/`)
      t.equal(await headingOf(page), 'Hello Ada')
      await logOut(page)
      t.equal(await headingOf(page), 'Hello nobody')
      t.same(await context.cookies(), [])

      await page.goto(`${old}/app/`)
      await logIn(page, 'Ada')
      await page.goto(`${url}/app/`)
      await logIn(page, 'Ben')
      t.equal(await headingOf(page), 'Hello Ben', 'in the same second')
    })
  }
}
