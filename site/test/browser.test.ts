import type { BrowserContextOptions, Page } from 'playwright-core'
import type * as Tap from 'tap'
import t from 'tap'
import { checkAccessibility } from '../../test/helpers/axe.ts'
import { openChromium, openContext, openPage } from '../../test/helpers/chromium.ts'
import { serveSite } from './site.ts'

const PHONE = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true }

const browser = await openChromium(t, 'the site')
const site = await serveSite(t)

/** What pages have requested from other hosts. A page may still ask for something when its test has ended. */
const elsewhere: string[] = []

/** Opens a page of the site, and waits until its scripts run. */
async function visit(t: Tap.Test, path: string, options: BrowserContextOptions): Promise<Page> {
  if (browser === undefined) throw new Error('no browser')
  const context = await openContext(t, browser, { reducedMotion: 'reduce', ...options })
  context.on('request', (request) => {
    if (!request.url().startsWith(site)) elsewhere.push(request.url())
  })
  const page = await openPage(t, context, site + path)
  await page.waitForFunction("'__vue_app__' in document.querySelector('#app')")
  return page
}

/** A page of each kind: the start, prose and programs, wide tables, pictures, the API, and none. */
const PAGES = ['/', '/tutorial', '/concurrency', '/login', '/api/index/classes/MemoryStore', '/none']

for (const [name, paths, options] of [
  ['in light', PAGES, { colorScheme: 'light' }],
  ['in dark', ['/tutorial', '/api/index/classes/MemoryStore', '/none'], { colorScheme: 'dark' }],
  ['on a phone', ['/', '/concurrency', '/login'], { colorScheme: 'light', ...PHONE }]
] as const) {
  t.test(`${name}, pages are accessible and as wide as the window`, { skip: browser === undefined }, async (t) => {
    for (const path of paths) {
      const page = await visit(t, path, options)
      t.equal(await page.evaluate("document.documentElement.classList.contains('dark')"), name === 'in dark', path)
      t.ok(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'), `${path} is not too wide`)
      // The page of the theme for what is not there has no landmarks.
      await checkAccessibility(t, page, path === '/none' ? 'wcag' : 'all')
      await page.close()
    }
  })
}

t.test('the search finds an option and a method, and opens the place', { skip: browser === undefined }, async (t) => {
  const page = await visit(t, '/tutorial', {})
  for (const [word, place, title] of [
    ['storeTimeout', '/options#storetimeout', 'Options'],
    ['setDefault', '/session#setdefaultkey-value', 'The session']
  ] as const) {
    await page.keyboard.press('Control+k')
    await page.fill('.VPLocalSearchBox input', word)
    await page.click(`.VPLocalSearchBox a[href$="${place}"]`)
    await page.waitForSelector(`h1:has-text("${title}")`)
    t.ok(page.url().endsWith(place), page.url())
  }
})

t.test('the choice of dark or light is kept', { skip: browser === undefined }, async (t) => {
  const page = await visit(t, '/options', { colorScheme: 'light' })
  await page.click('.VPNavBarAppearance button')
  await page.reload()
  t.ok(await page.evaluate("document.documentElement.classList.contains('dark')"))
})

t.test('no page asks another host', { skip: browser === undefined }, async (t) => {
  t.same(elsewhere, [])
})
