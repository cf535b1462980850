import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Browser, BrowserContext, BrowserContextOptions, LaunchOptions, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import type * as Tap from 'tap'
import { cannotTest } from './service.ts'

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** What a browser would do besides what it is told: look for updates and for its maker. */
const NOTHING_ELSE = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run'
]

/** Sites of tests have names of their own; no name is looked up anywhere else. */
const LOOPBACK = 'MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1'

function launchOptions(): LaunchOptions {
  // The sandbox of Chromium refuses to be started by root.
  const isRoot = process.getuid?.() === 0
  return {
    executablePath: PROGRAM,
    args: [...NOTHING_ELSE, `--host-resolver-rules=${LOOPBACK}`, ...(isRoot ? ['--no-sandbox'] : [])]
  }
}

/** Whether there is a Chromium for the tests of a file, said loudly where there is none. */
export function hasChromium(t: Tap.Test, what: string): boolean {
  if (existsSync(PROGRAM)) return true
  cannotTest(t, what, `there is no ${PROGRAM}; set CHROMIUM to where it is`)
  return false
}

/** A Chromium for the tests of a file, or undefined, said loudly, where there is none. */
export async function openChromium(
  t: Tap.Test,
  what: string,
  options: LaunchOptions = {}
): Promise<Browser | undefined> {
  if (!hasChromium(t, what)) return undefined
  const browser = await chromium.launch({ ...launchOptions(), ...options })
  t.teardown(() => browser.close())
  return browser
}

/** Listens on a free port of the loopback interface. Its address. */
export async function serve(t: Tap.Test, app: FastifyInstance): Promise<string> {
  t.teardown(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
}

/** The same server as another site: its address under a name that ends in `.test`, or under `localhost`. */
export function asSite(url: string, host: string): string {
  const { protocol, port } = new URL(url)
  return `${protocol}//${host}:${port}`
}

/** A browser of somebody's own: no cookies in it yet. */
export async function openContext(
  t: Tap.Test,
  browser: Browser,
  options: BrowserContextOptions = {}
): Promise<BrowserContext> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options })
  t.teardown(() => context.close())
  return context
}

/**
 * A browser with a profile in a folder, which is there again when it is opened the next time. `thirdPartyCookies`: whether it
 * takes and sends cookies of sites that are embedded in others, which is a setting that users have.
 */
export async function openProfile(
  t: Tap.Test,
  directory: string,
  { thirdPartyCookies }: { thirdPartyCookies?: boolean } = {}
): Promise<BrowserContext> {
  if (thirdPartyCookies !== undefined) {
    mkdirSync(join(directory, 'Default'), { recursive: true })
    const profile = { cookie_controls_mode: thirdPartyCookies ? 0 : 1 }
    writeFileSync(join(directory, 'Default', 'Preferences'), JSON.stringify({ profile }))
  }
  const context = await chromium.launchPersistentContext(directory, { ...launchOptions(), ignoreHTTPSErrors: true })
  t.teardown(() => context.close())
  return context
}

/**
 * A tab. Whatever its console calls an error (a violation of the Content-Security-Policy is one) fails the test; what a
 * status of 400 or more makes of a page is none.
 */
export async function openPage(t: Tap.Test, context: BrowserContext, path: string): Promise<Page> {
  const page = await context.newPage()
  page.on('pageerror', (error) => t.fail(`an error on the page: ${error}`))
  page.on('console', (message) => {
    const isStatus = message.text().startsWith('Failed to load resource: the server responded with a status of')
    if (message.type() === 'error' && !isStatus) t.fail(`the console says: ${message.text()}`)
  })
  await page.goto(path)
  return page
}

/** Clicks on what leads to another page, and waits until that is there. */
export async function follow(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent('load'), page.click(selector)])
}

/** The cookies that a browser would send to an address, by name. */
export async function cookiesOf(context: BrowserContext, url: string): Promise<Record<string, string>> {
  return Object.fromEntries((await context.cookies(url)).map(({ name, value }) => [name, value]))
}
