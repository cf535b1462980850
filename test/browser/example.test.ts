import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
import type * as Tap from 'tap'
import t from 'tap'
import { MemoryStore } from '../../lib/index.ts'
import { FakeClock } from '../../lib/testing/fake-clock.ts'
import type { SessionStore } from '../../types/store.ts'
import { SECRET, START } from '../helpers/app.ts'
import { checkAccessibility } from '../helpers/axe.ts'
import { cookiesOf, follow, openChromium, openContext, openPage, openProfile, serve } from '../helpers/chromium.ts'

interface Example {
  buildApp(options: { secret: string; store: SessionStore; clock: () => number }): Promise<FastifyInstance>
}

// By a name that the compiler does not follow: the example sees the built package, these tests its sources.
const { buildApp } = (await import(String(new URL('../../example/app.ts', import.meta.url)))) as Example

const MODES = ['signed', 'encrypted', 'stored'] as const
const PAGES = [
  '',
  'dashboard',
  'cart',
  'names',
  'devices',
  'admin',
  'migration',
  'staff/login',
  'inspector',
  'nothing-here'
]

const browser = await openChromium(t, 'the example in a browser')
if (browser !== undefined) {
  const start = async (t: Tap.Test): Promise<{ url: string; clock: FakeClock }> => {
    const clock = new FakeClock(START)
    const store = new MemoryStore({ clock: clock.now, pruneInterval: 0 })
    return { url: await serve(t, await buildApp({ secret: SECRET, store, clock: clock.now })), clock }
  }
  const arrive = async (
    t: Tap.Test,
    url: string,
    options: BrowserContextOptions = {}
  ): Promise<{ context: BrowserContext; page: Page }> => {
    const context = await openContext(t, browser, options)
    return { context, page: await openPage(t, context, url) }
  }
  const heading = (page: Page): Promise<string> => page.innerText('h1')
  const logIn = async (page: Page, { remember = false } = {}): Promise<void> => {
    await page.fill('#username', 'ada')
    await page.fill('#password', 'analytical engine')
    if (remember) await page.check('#remember')
    // By the keyboard, as from the last field of a form.
    await Promise.all([page.waitForEvent('load'), page.press('#password', 'Enter')])
  }

  for (const mode of MODES) {
    t.test(`the ${mode} site: log in, be tampered with, log out`, async (t) => {
      const { url, clock } = await start(t)
      const home = `${url}/${mode}`
      const { context, page } = await arrive(t, `${home}/`)
      await page.reload()
      t.equal(await page.innerText('#visits'), '2')

      await page.goto(`${home}/dashboard`)
      t.equal(page.url().split('?')[0], `${home}/login`)
      await logIn(page)
      t.equal(page.url(), `${home}/dashboard`, 'back where it was sent away from')
      t.equal(await heading(page), 'Hello, Ada Lovelace')
      await page.reload()
      t.equal(await heading(page), 'Hello, Ada Lovelace')

      await page.close()
      const tab = await openPage(t, context, `${home}/cart`)
      await follow(tab, '[action$="/cart/add"] button >> nth=0')
      const other = await openPage(t, context, `${home}/dashboard`)
      t.match(await other.innerText('main'), /In your cart\s+1/, 'another tab has the same cart')

      const cookies = await context.cookies(home)
      const name = `${mode}-session`
      const { value = '' } = cookies.find((cookie) => cookie.name === name) ?? {}
      const spoilt = value.slice(0, 40) + (value[40] === 'A' ? 'B' : 'A') + value.slice(41)
      await context.addCookies([{ name, value: spoilt, url }])
      await other.reload()
      t.equal(other.url().split('?')[0], `${home}/login`, 'a cookie that was changed opens nothing')
      await context.addCookies([{ name, value, url }])
      await other.goto(`${home}/dashboard`)
      t.equal(await heading(other), 'Hello, Ada Lovelace')

      await follow(tab, '[action$="/logout"] button')
      t.match(await tab.innerText('main'), 'You are logged out.')
      await other.reload()
      t.equal(other.url().split('?')[0], `${home}/login`, 'the logout counts in every tab')
      await tab.goBack()
      t.notMatch(await tab.innerText('body'), 'Ada Lovelace', 'the way back shows nothing of her')

      await tab.goto(`${home}/names`)
      await tab.fill('#name', 'Grace')
      await follow(tab, 'form[action$="/names"] button')
      await tab.locator('#countdown', { hasText: /^[45]:\d\d$/ }).waitFor()
      t.same(await tab.locator('#names li').allInnerTexts(), ['Grace'])
      clock.advance(301)
      await tab.reload()
      t.equal(await tab.locator('#names').count(), 0, 'five minutes later the list is gone')
      await tab.close()
    })

    t.test(`the ${mode} site: a session of before a deploy is there after it, with data of today`, async (t) => {
      const { url } = await start(t)
      const phone = { viewport: { width: 320, height: 640 } }
      const { context, page } = await arrive(t, `${url}/${mode}/`, phone)
      await page.click('#open-menu')
      await follow(page, 'nav a[href$="/migration"]')
      await follow(page, 'main form button')
      t.equal(page.url(), `${url}/${mode}/migration`)
      t.same(JSON.parse(await page.innerText('#yesterday')).basket, ['cards', 'tape', 'cards'])
      t.same(JSON.parse(await page.innerText('#today')).cart, { cards: 2, tape: 1 })
      t.match(await page.innerText('#why'), 'The reason is migrated')
      await checkAccessibility(t, page)
      const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
      t.equal(await page.evaluate(overflow), 0)

      const tab = await openPage(t, context, `${url}/${mode}/cart`)
      t.match(await tab.innerText('#cart'), /Punched cards, a hundred\s*2/, 'the whole site has it')
      await page.reload()
      t.equal(await page.innerText('#yesterday'), await page.innerText('#today'))
      t.notMatch(await page.innerText('#why'), 'migrated')
    })

    t.test(`every page of the ${mode} site is for everybody`, async (t) => {
      const { url } = await start(t)
      const home = `${url}/${mode}`
      const colorScheme = mode === 'stored' ? 'dark' : 'light'
      const { page } = await arrive(t, `${home}/login`, { colorScheme, viewport: { width: 320, height: 640 } })
      const check = async (): Promise<void> => {
        await checkAccessibility(t, page)
        const overflow = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
        t.equal(await page.evaluate(overflow), 0, `${page.url()} needs no more than 320 pixels`)
      }
      await check()
      await page.keyboard.press('Tab')
      t.equal(
        await page.evaluate('document.activeElement.getAttribute("href")'),
        '#main',
        'the first stop is the skip link'
      )
      await logIn(page)
      for (const path of PAGES) {
        await page.goto(`${home}/${path}`)
        await check()
      }
      // The same page with the session kept in another way.
      await page.goto(`${home}/names`)
      const [next = 'signed'] = MODES.filter((other) => other !== mode)
      await follow(page, `a[href="/${next}/names"]`)
      t.equal(page.url(), `${url}/${next}/names`)
    })
  }

  t.test('a cookie grows until a page says that it is full, and keeps what was there', async (t) => {
    const { url } = await start(t)
    const { context, page } = await arrive(t, `${url}/signed/names`)
    let names = 0
    let bytes = 0
    while (names < 60) {
      await page.fill('#name', 'x'.repeat(100))
      await follow(page, 'form[action$="/names"] button')
      if ((await page.locator('#names').count()) === 0) break
      names++
      const size = Number(await page.innerText('#size'))
      t.ok(size > bytes)
      bytes = size
    }
    t.ok(names > 20 && names < 60, `${names} names`)
    await checkAccessibility(t, page)
    await page.goto(`${url}/signed/names`)
    t.equal(await page.locator('#names li').count(), names)
    const { 'signed-session': value = '' } = await cookiesOf(context, `${url}/signed/`)
    t.equal('signed-session'.length + value.length, bytes, 'what the page says is what the browser has')
  })

  t.test('devices see each other, and end each other', async (t) => {
    const { url } = await start(t)
    const home = `${url}/stored`
    const [laptop, phone] = [await arrive(t, `${home}/login`), await arrive(t, `${home}/login`)]
    for (const { page } of [laptop, phone]) await logIn(page)
    await laptop.page.goto(`${home}/devices`)
    t.equal(await laptop.page.locator('.devices li').count(), 2)
    await follow(laptop.page, '.devices form button')
    t.equal(await laptop.page.locator('.devices li').count(), 1)
    await phone.page.reload()
    t.equal(phone.page.url().split('?')[0], `${home}/login`)
    await logIn(phone.page)
    await laptop.page.reload()
    await follow(laptop.page, 'text=Log out everywhere')
    t.match(await laptop.page.innerText('main'), 'You are logged out everywhere.')
    await phone.page.goto(`${home}/dashboard`)
    t.equal(phone.page.url().split('?')[0], `${home}/login`)
  })

  t.test('a browser is remembered after it was closed, if that was wanted', async (t) => {
    const { url } = await start(t)
    const home = `${url}/stored`
    for (const remember of [true, false]) {
      const profile = join(t.testdir({}), String(remember))
      const before = await openProfile(t, profile)
      await logIn(await openPage(t, before, `${home}/login`), { remember })
      await before.close()
      const after = await openProfile(t, profile)
      const page = await openPage(t, after, `${home}/dashboard`)
      t.equal(page.url().split('?')[0], remember ? `${home}/dashboard` : `${home}/login`)
      if (remember) t.notMatch(await page.innerText('main'), 'with your password')
      await after.close()
    }
  })
}
