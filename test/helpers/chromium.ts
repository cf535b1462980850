import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { Browser, BrowserContext, BrowserContextOptions, LaunchOptions, Page } from 'playwright-core'
import { chromium } from 'playwright-core'
import type * as Tap from 'tap'
import { cannotTest } from './service.ts'

const PROGRAM = process.env.CHROMIUM ?? '/usr/bin/chromium'

/** Turns off what Chromium does in the background, such as looking for updates. */
const NO_BACKGROUND = [
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-quic',
  '--no-first-run'
]

/** Resolves the names of test sites to the loopback interface, and no other names. */
const LOOPBACK = 'MAP *.test 127.0.0.1, MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1'

function launchOptions(): LaunchOptions & { args: string[] } {
  // The sandbox of Chromium does not start as root.
  const isRoot = process.getuid?.() === 0
  return {
    executablePath: PROGRAM,
    args: [...NO_BACKGROUND, `--host-resolver-rules=${LOOPBACK}`, ...(isRoot ? ['--no-sandbox'] : [])]
  }
}

/** Returns whether there is a Chromium for the tests of a file. Reports it if there is none. */
export function hasChromium(t: Tap.Test, what: string): boolean {
  if (existsSync(PROGRAM)) return true
  cannotTest(t, what, `there is no ${PROGRAM}; set CHROMIUM to where it is`)
  return false
}

/** Starts Chromium for the tests of a file. Without Chromium it reports that, and returns undefined. */
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

/** Listens on a free port of the loopback interface. Returns the URL. */
export async function serve(t: Tap.Test, app: FastifyInstance): Promise<string> {
  t.teardown(() => app.close())
  return app.listen({ port: 0, host: '127.0.0.1' })
}

/** Returns the URL of the same server as another site: `host` is a name that ends in `.test`, or `localhost`. */
export function asSite(url: string, host: string): string {
  const { protocol, port } = new URL(url)
  return `${protocol}//${host}:${port}`
}

/** Opens a browser without cookies, separate from all others. */
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
 * Opens a browser whose profile is kept in a folder between two starts. `thirdPartyCookies`: whether it accepts and sends cookies
 * of embedded sites, which users can set.
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

/** Device-bound sessions, with keys in software, because a test has no other ones. */
const DEVICE_BOUND = '--enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting'

/**
 * Opens a browser that binds sessions to its device. `home`: the folder with the authorities that it trusts, because it binds
 * nothing to a server whose certificate it does not. `isCapable`: whether it binds sessions at all.
 */
export async function openDevice(
  t: Tap.Test,
  directory: string,
  home: string,
  isCapable = true
): Promise<BrowserContext> {
  const { args, ...options } = launchOptions()
  const context = await chromium.launchPersistentContext(directory, {
    ...options,
    args: isCapable ? [...args, DEVICE_BOUND] : args,
    env: { ...process.env, HOME: home } as Record<string, string>
  })
  t.teardown(() => context.close())
  return context
}

/**
 * Opens a tab. An error in its console, such as a violation of the Content-Security-Policy, fails the test. A status of 400 or
 * more does not.
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

/** Clicks on a link or button, and waits until the next page is loaded. */
export async function follow(page: Page, selector: string): Promise<void> {
  await Promise.all([page.waitForEvent('load'), page.click(selector)])
}

/** Returns the cookies that the browser sends to a URL, by name. */
export async function cookiesOf(context: BrowserContext, url: string): Promise<Record<string, string>> {
  return Object.fromEntries((await context.cookies(url)).map(({ name, value }) => [name, value]))
}
