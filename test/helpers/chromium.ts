import { existsSync } from 'node:fs'
import type { FastifyInstance } from 'fastify'
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core'
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

/** A Chromium for the tests of a file, or undefined, said loudly, where there is none. */
export async function openChromium(t: Tap.Test, what: string): Promise<Browser | undefined> {
  if (!existsSync(PROGRAM)) {
    cannotTest(t, what, `there is no ${PROGRAM}; set CHROMIUM to where it is`)
    return undefined
  }
  // The sandbox of Chromium refuses to be started by root.
  const isRoot = process.getuid?.() === 0
  const browser = await chromium.launch({
    executablePath: PROGRAM,
    args: [...NOTHING_ELSE, ...(isRoot ? ['--no-sandbox'] : [])]
  })
  t.teardown(() => browser.close())
  return browser
}

/** Listens on a free port of the loopback interface. Its address. */
export async function serve(t: Tap.Test, app: FastifyInstance): Promise<string> {
  t.teardown(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
}

/** A browser of somebody's own: no cookies in it yet. */
export async function openContext(
  t: Tap.Test,
  browser: Browser,
  options: BrowserContextOptions = {}
): Promise<BrowserContext> {
  const context = await browser.newContext(options)
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

/** The cookies that a browser would send to an address, by name. */
export async function cookiesOf(context: BrowserContext, url: string): Promise<Record<string, string>> {
  return Object.fromEntries((await context.cookies(url)).map(({ name, value }) => [name, value]))
}
