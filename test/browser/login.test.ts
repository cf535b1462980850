import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import { START } from '../helpers/app.ts'
import { asSite, cookiesOf, follow, openChromium, openContext, openPage, serve } from '../helpers/chromium.ts'
import { RecordingStore } from '../helpers/recording-store.ts'
import { BROWSER_MODES, button, createSite, headingOf, logIn, members, sendPage } from '../helpers/site.ts'

const browser = await openChromium(t, 'logins in a browser')
if (browser !== undefined) {
  for (const { mode, options } of BROWSER_MODES) {
    t.test(`a login in ${mode} sessions lasts until the logout`, async (t) => {
      const { app } = await createSite(options)
      const url = await serve(t, app)
      const context = await openContext(t, browser)
      const page = await openPage(t, context, url)
      t.equal(await headingOf(page), 'Hello stranger')
      t.same(await context.cookies(), [], 'a stranger gets no cookie')

      await page.goto(`${url}/login`)
      await logIn(page)
      t.equal(await headingOf(page), 'Member Ada')
      const before = await cookiesOf(context, url)
      t.same(Object.keys(before), ['session'])
      t.equal(await page.evaluate('document.cookie'), '', 'no script reads it')
      await page.reload()
      t.equal(await headingOf(page), 'Member Ada')
      t.same(await cookiesOf(context, url), before, 'a look at a page leaves the cookie as it is')

      await follow(page, 'button')
      t.equal(await headingOf(page), 'Hello stranger')
      t.same(await context.cookies(), [], 'nothing is left')
      await page.goto(`${url}/members`)
      t.equal(page.url().split('?')[0], `${url}/login`)
    })
  }

  // Browsers say that they navigate where the server has HTTPS or is on their own machine; elsewhere it is guessed.
  for (const host of ['127.0.0.1', 'shop.test']) {
    t.test(`who wants to see a page on http://${host} logs in first, and a script is told so`, async (t) => {
      const { app } = await createSite()
      app.get(
        '/orders',
        members.handle(async ({ url }, reply) => sendPage(reply, url, button('/orders', 'Order')))
      )
      app.post(
        '/orders',
        members.handle(async (_request, reply) => sendPage(reply, 'Ordered'))
      )
      const url = asSite(await serve(t, app), host)
      const context = await openContext(t, browser)
      const page = await openPage(t, context, url)
      t.match(
        await page.evaluate(
          `fetch('/orders').then(async (reply) => ({ status: reply.status, body: await reply.json() }))`
        ),
        { status: 401, body: { code: 'ERR_SESSION_LOGIN_REQUIRED' } }
      )
      t.same(await context.cookies(), [], 'a script gets no session, for there is no page that it comes back to')

      await page.goto(`${url}/orders?page=2&of=%C3%A9`)
      t.equal(page.url(), `${url}/login`)
      await logIn(page)
      t.equal(page.url(), `${url}/orders?page=2&of=%C3%A9`)
      await context.clearCookies()
      await follow(page, 'button')
      t.equal(page.url(), `${url}/login`, 'a form that was sent without a login leads to one')
      await logIn(page)
      t.equal(page.url(), `${url}/members`, 'and is not sent again')
    })
  }

  t.test('no link leads to another server after the login', async (t) => {
    const { app } = await createSite()
    const url = await serve(t, app)
    const page = await openPage(t, await openContext(t, browser), url)
    for (const next of ['https://evil.test/', '//evil.test', '/\\evil.test', '/%09/evil.test', '/.//evil.test']) {
      await page.goto(`${url}/login?next=${next}`)
      await logIn(page)
      t.equal(page.url(), `${url}/members`, next)
    }
    await page.goto(`${url}/login?next=/%3Fhere`)
    await logIn(page)
    t.equal(page.url(), `${url}/?here`, 'one to a page of this server does')
  })

  t.test('a redirect waits for the store, so that the next page finds the session', async (t) => {
    const clock = new FakeClock(START)
    const store = new RecordingStore(new MemoryStore({ clock: clock.now }))
    const { app } = await createSite({ store, clock: clock.now, storeTimeout: 60 })
    const asked: string[] = []
    app.addHook('onRequest', async ({ method, url }) => void asked.push(`${method} ${url}`))
    const url = await serve(t, app)
    const context = await openContext(t, browser)
    const page = await openPage(t, context, `${url}/login`)

    let answer = (): void => {}
    const isAsked = new Promise<void>((resolve) => {
      store.before = (method) => {
        if (method !== 'create') return undefined
        resolve()
        return new Promise<void>((release) => {
          answer = release
        })
      }
    })
    const loggedIn = logIn(page)
    await isAsked
    const other = await openPage(t, context, url)
    t.equal(await headingOf(other), 'Hello stranger', 'meanwhile other pages are served')
    t.same(asked, ['GET /login', 'POST /login', 'GET /'], 'the browser has not been sent on')
    answer()
    await loggedIn
    t.equal(await headingOf(page), 'Member Ada')
    t.equal(asked.at(-1), 'GET /members')
  })
}
