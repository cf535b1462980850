import { EventEmitter, once } from 'node:events'
import type { Browser, Page } from 'playwright-core'
import type * as Tap from 'tap'
import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import type { TestApp } from '../helpers/app.ts'
import { follow, openChromium, openContext, openPage, serve } from '../helpers/chromium.ts'
import { createSite, logIn } from '../helpers/site.ts'

const NO_STORE = { 'cache-control': 'no-store' }

/** What a page does when it is shown again as it was left, without a request. */
type WhenKept = 'stays' | 'reloads'

interface Tab extends Pick<TestApp, 'app'> {
  page: Page
  url: string
  /** Does something that leads to another page, and gives what the tab shows then. */
  see(act: () => Promise<unknown>): Promise<string>
}

/** Somebody who has logged in and sees the page for members, which comes with `headers`. */
async function openTab(t: Tap.Test, browser: Browser, headers: object, whenKept: WhenKept = 'stays'): Promise<Tab> {
  const { app } = await createSite({ store: (clock) => new MemoryStore({ clock }) })
  app.addHook('onRequest', async ({ routeOptions }, reply) => {
    if (routeOptions.url === '/members') reply.headers({ ...headers })
  })
  // Pages say themselves what is shown, since nobody else knows of a page that comes back by itself.
  app.addHook('onSend', async (_request, reply, payload) => {
    if (!String(reply.getHeader('content-type')).startsWith('text/html')) return payload
    const tell = `fetch('/shown', { method: 'POST', body: document.title + (persisted ? ', kept' : '') })`
    const act = whenKept === 'reloads' ? `persisted ? location.reload() : ${tell}` : tell
    return `${payload}<script>addEventListener('pageshow', ({ persisted }) => ${act})</script>`
  })
  const reports = new EventEmitter()
  app.post('/shown', { config: { session: false } }, async ({ body }) => void reports.emit('shown', body))
  const url = await serve(t, app)
  const page = await openPage(t, await openContext(t, browser), 'about:blank')
  const see = async (act: () => Promise<unknown>): Promise<string> => {
    const [[shown]] = await Promise.all([once(reports, 'shown'), act()])
    return String(shown)
  }
  t.equal(await see(() => page.goto(`${url}/login`)), 'Log in')
  t.equal(await see(() => logIn(page)), 'Member Ada')
  return { app, page, url, see }
}

/** Not by what the driver of the browser has for it, which waits for a request that there may not be. */
function goBack(page: Page): Promise<unknown> {
  return page.evaluate('setTimeout(() => history.back())')
}

const withCache = await openChromium(t, 'the back button and the back/forward cache', {
  ignoreDefaultArgs: ['--disable-back-forward-cache']
})
const withoutCache = await openChromium(t, 'the back button')
if (withCache !== undefined) {
  t.test('a page that does not say otherwise comes back as it was left, also after a logout', async (t) => {
    const { page, see } = await openTab(t, withCache, {})
    t.equal(await see(() => follow(page, 'button')), 'Hello stranger')
    t.equal(await see(() => goBack(page)), 'Member Ada, kept')
    t.equal(await see(() => page.reload()), 'Log in', 'which gives nobody more than that')
  })

  t.test('no-store keeps a page from coming back after a logout', async (t) => {
    const { page, url, see } = await openTab(t, withCache, NO_STORE)
    t.equal(await see(() => page.goto(`${url}/members`)), 'Member Ada')
    t.equal(await see(() => follow(page, 'button')), 'Hello stranger')
    t.equal(await see(() => goBack(page)), 'Log in')
  })

  // Chromium 156 does not count one cookie that changes after a redirect that has set one, so it keeps this page.
  t.test('a page that reloads itself keeps nothing, be it the one that the login led to', async (t) => {
    const { page, see } = await openTab(t, withCache, NO_STORE, 'reloads')
    t.equal(await see(() => follow(page, 'button')), 'Hello stranger')
    t.equal(await see(() => goBack(page)), 'Log in')
  })
}

if (withoutCache !== undefined) {
  t.test('Vary: Cookie keeps a page from coming out of the cache after a logout', async (t) => {
    const { page, see } = await openTab(t, withoutCache, {})
    t.equal(await see(() => follow(page, 'button')), 'Hello stranger')
    t.equal(await see(() => goBack(page)), 'Log in')
  })

  t.test(
    'when the session was ended elsewhere, the next page clears the cookie, and no page comes out of the cache',
    async (t) => {
      const { app, page, url, see } = await openTab(t, withoutCache, {})
      await app.sessions.revokeAll('Ada')
      t.equal(await see(() => page.goto(url)), 'Hello stranger')
      t.equal(await see(() => goBack(page)), 'Log in')
    }
  )
}
