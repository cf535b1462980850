import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { MemoryStore } from 'fastify-typed-session'
import { FakeClock } from 'fastify-typed-session/testing'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import { buildApp } from './app.ts'

const IMAGES = join(import.meta.dirname, '../docs/images')
const NOW = new Date('2026-03-14T09:26:53Z')
const NAMES = ['Ada Lovelace', 'Grace Hopper', 'Annie Easley', 'Karen Spärck Jones', 'Radia Perlman']
const DESKTOP = { viewport: { width: 1200, height: 800 } }
const PHONE = { viewport: { width: 390, height: 844 } }

const LINUX = 'Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0'
const IPHONE = 'Mozilla/5.0 (iPhone; CPU iPhone OS 26_3 like Mac OS X) Version/26.3 Mobile/15E148 Safari/604.1'
const MAC = 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/145.0.0.0 Safari/537.36'

const clock = new FakeClock(NOW)
const app = await buildApp({
  secret: randomBytes(32).toString('hex'),
  store: new MemoryStore({ clock: clock.now }),
  clock: clock.now
})
const url = await app.listen({ host: '127.0.0.1', port: 0 })
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  // The sandbox of Chromium does not start as root.
  args: process.getuid?.() === 0 ? ['--no-sandbox'] : []
})

/** Opens a visitor whose session has visits, names and a cart. */
async function arrive(mode: string, options: BrowserContextOptions = DESKTOP): Promise<Page> {
  const context = await browser.newContext({ baseURL: `${url}/${mode}/`, ...options })
  // The countdown in the page uses the same time.
  await context.clock.setFixedTime(NOW)
  const page = await context.newPage()
  for (let visits = 0; visits < 3; visits++) await page.goto('./')
  await page.goto('cart')
  for (const product of ['cards', 'tape', 'cards']) await page.click(`[action$="/cart/add"] [value=${product}]`)
  await page.goto('names')
  for (const name of NAMES) {
    await page.fill('#name', name)
    await page.press('#name', 'Enter')
    await page.waitForURL('**/names')
  }
  return page
}

async function login(page: Page): Promise<void> {
  await page.goto('login')
  await page.fill('#username', 'ada')
  await page.fill('#password', 'analytical engine')
  await page.click('main form button')
}

async function save(page: Page, name: string, selector?: string): Promise<void> {
  const path = join(IMAGES, `${name}.png`)
  if (selector === undefined) await page.screenshot({ path })
  else await page.locator(selector).screenshot({ path })
  console.log(path)
}

/** Saves the page of names 48 seconds after the last activity. */
async function saveNames(page: Page, name: string): Promise<void> {
  await page.goto('names')
  clock.advance(48)
  await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
  await page.getByText('4:12').waitFor()
  await save(page, name)
  clock.set(NOW)
}

const signed = await arrive('signed')
await login(signed)
await saveNames(signed, 'names')
await saveNames(await arrive('signed', PHONE), 'names-phone')

for (const mode of ['signed', 'encrypted', 'stored']) {
  const page = await arrive(mode)
  await page.goto('inspector')
  await save(page, `inspector-${mode}`, '.session-inspector section >> nth=0')
}

const dark = await arrive('encrypted', { ...DESKTOP, colorScheme: 'dark' })
await login(dark)
await dark.goto('dashboard')
await save(dark, 'dashboard-dark')

const start = await arrive('signed')
await start.goto('./')
await save(start, 'start')

const migrated = await arrive('encrypted')
await migrated.goto('migration')
await Promise.all([migrated.waitForEvent('load'), migrated.click('main form button')])
await save(migrated, 'migration')

const devices = []
for (const [userAgent, minutesAgo] of [
  [IPHONE, 4],
  [MAC, 2],
  [LINUX, 0]
] as const) {
  clock.set(new Date(NOW.getTime() - minutesAgo * 60_000))
  const page = await arrive('stored', { ...DESKTOP, userAgent })
  await login(page)
  devices.push(page)
}
const [device] = devices.slice(-1)
await device?.goto('devices')
if (device !== undefined) await save(device, 'devices')

await browser.close()
await app.close()
