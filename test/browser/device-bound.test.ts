import { join } from 'node:path'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { BrowserContext } from 'playwright-core'
import type * as Tap from 'tap'
import t from 'tap'
import { deviceBound } from '../../lib/device-bound/index.ts'
import { MemoryStore } from '../../lib/index.ts'
import type { SessionStore } from '../../types/store.ts'
import type { LooseOptions } from '../helpers/app.ts'
import { SECRET } from '../helpers/app.ts'
import { asSite, follow, hasChromium, openDevice, openPage } from '../helpers/chromium.ts'
import { until } from '../helpers/service.ts'
import { BROWSER_MODES, createSite, headingOf, logIn } from '../helpers/site.ts'
import type { Trusted } from '../helpers/trusted.ts'
import { createTrusted } from '../helpers/trusted.ts'

/**
 * Seconds for which a proof is good: by the clock of the browser, which no test can move. Chromium refreshes as soon as a request
 * comes with less than two minutes left, and signs some five times in a few minutes, so that each story loads few pages.
 */
const REFRESH_EVERY = 3

interface Example {
  buildApp(options: { secret: string; store: SessionStore; https: Trusted['https'] }): Promise<FastifyInstance>
}

// By a name that the compiler does not follow: the example sees the built package, these tests its sources.
const { buildApp } = (await import(String(new URL('../../example/app.ts', import.meta.url)))) as Example

interface DeviceSite {
  readonly app: FastifyInstance
  readonly url: string
  /** The requests that the browser has sent by itself, with the status of the reply. */
  readonly own: string[]
  /** What the browser says of a refresh that it has skipped. */
  readonly skipped: string[]
  /** While it is true, the server cannot refresh anything. */
  isDown: boolean
}

const REGISTERED = 'register 200'
const REFRESHED = 'refresh 200'

const trusted = hasChromium(t, 'sessions that are bound to a device') && createTrusted(t, 'device-bound sessions')
if (trusted !== false && trusted !== undefined) {
  for (const { mode, options } of BROWSER_MODES) {
    t.test(`${mode}: a session is bound after the login, and refreshed when the short cookie ends`, async (t) => {
      const { url, own } = await createDeviceSite(t, trusted, options)
      const context = await openDevice(t, join(t.testdir({}), 'profile'), trusted.home)
      const page = await openPage(t, context, `${url}/login`)
      await logIn(page)
      t.equal(await headingOf(page), 'Member Ada')
      await hasProof(context)
      t.same(own, [REGISTERED])
      await hasNoProof(context)
      await page.goto(`${url}/members`)
      t.equal(await headingOf(page), 'Member Ada')
      t.same(own.slice(0, 2), [REGISTERED, REFRESHED], 'one round trip, by the challenge that came ahead')

      await hasProof(context)
      const other = await openPage(t, context, `${url}/members`)
      await until(async () => own[2] ?? fail())
      t.equal(own[2], REFRESHED, 'before the end, because a page was opened')
      await hasNoProof(context)
      await Promise.all([page.reload(), other.reload()])
      t.same([await headingOf(page), await headingOf(other)], ['Member Ada', 'Member Ada'], 'two tabs at once')
    })

    t.test(`${mode}: copied cookies are good until the short one ends, and then worth nothing`, async (t) => {
      const { url } = await createDeviceSite(t, trusted, options)
      const folder = t.testdir({})
      const owner = await openDevice(t, join(folder, 'owner'), trusted.home)
      const page = await openPage(t, owner, `${url}/login`)
      await logIn(page)
      await hasProof(owner)
      const thief = await openDevice(t, join(folder, 'thief'), trusted.home)
      await page.goto(`${url}/members`)
      await thief.addCookies(await owner.cookies())
      const stolen = await openPage(t, thief, `${url}/members`)
      t.equal(await headingOf(stolen), 'Member Ada')

      await hasNoProof(thief)
      await stolen.goto(`${url}/members`)
      t.equal(await headingOf(stolen), 'Log in')
      t.ok(
        (await thief.cookies()).some(({ name }) => name === 'session'),
        'with all its cookies'
      )
      await hasNoProof(owner)
      await page.goto(`${url}/members`)
      t.equal(await headingOf(page), 'Member Ada', 'the owner does not notice')
      await stolen.goto(`${url}/members`)
      t.equal(await headingOf(stolen), 'Log in')
    })
  }

  t.test('it goes on after a restart of the browser, and ends at the logout', async (t) => {
    const { url, own } = await createDeviceSite(t, trusted, { permanent: true })
    const profile = join(t.testdir({}), 'profile')
    const before = await openDevice(t, profile, trusted.home)
    const first = await openPage(t, before, `${url}/login`)
    await logIn(first)
    await hasProof(before)
    await hasNoProof(before)
    await before.close()

    const context = await openDevice(t, profile, trusted.home)
    const page = await openPage(t, context, `${url}/members`)
    t.equal(await headingOf(page), 'Member Ada')
    t.ok(own.includes(REFRESHED))
    await follow(page, 'button')
    t.equal(await headingOf(page), 'Hello stranger')
    await until(async () => own.includes('refresh 400') || fail())
    const { length } = own
    await page.goto(url)
    await page.goto(`${url}/login`)
    t.equal(own.length, length, 'the browser has forgotten the session')
    t.notOk((await namesIn(context)).includes('session'))
    await logIn(page)
    t.equal(await headingOf(page), 'Member Ada')
    await until(async () => own.slice(length).includes(REGISTERED) || fail())
  })

  t.test('it survives a restart of the server', async (t) => {
    const first = await createDeviceSite(t, trusted, {})
    const context = await openDevice(t, join(t.testdir({}), 'profile'), trusted.home)
    const page = await openPage(t, context, `${first.url}/login`)
    await logIn(page)
    await hasProof(context)
    await first.app.close()
    const second = await createDeviceSite(t, trusted, {}, Number(new URL(first.url).port))
    await hasNoProof(context)
    await page.goto(`${second.url}/members`)
    t.equal(await headingOf(page), 'Member Ada')
    t.equal(second.own[0], REFRESHED)
  })

  t.test('while it cannot be refreshed, the visitor is a stranger; then all is as before', async (t) => {
    const site = await createDeviceSite(t, trusted, {})
    const { url, own, skipped } = site
    const context = await openDevice(t, join(t.testdir({}), 'profile'), trusted.home)
    const page = await openPage(t, context, `${url}/login`)
    await logIn(page)
    await hasProof(context)
    await hasNoProof(context)
    site.isDown = true
    await page.goto(`${url}/members`)
    t.equal(await headingOf(page), 'Log in')
    t.same(own, [REGISTERED, 'refresh 503'])
    t.match(skipped[0], /^server_error;session_identifier="d[\w-]{22}"$/)
    site.isDown = false
    await until(async () => {
      await page.goto(`${url}/members`)
      if ((await headingOf(page)) !== 'Member Ada') fail()
    })
    t.equal(own.at(-1), REFRESHED)
  })

  for (const mode of ['signed', 'stored']) {
    t.test(`the example tells that a ${mode} session is bound`, async (t) => {
      const app = await buildApp({ secret: SECRET, store: new MemoryStore(), https: trusted.https })
      t.teardown(() => app.close())
      const url = asSite(await app.listen({ port: 0, host: '127.0.0.1' }), 'app.test')
      const context = await openDevice(t, join(t.testdir({}), 'profile'), trusted.home)
      const page = await openPage(t, context, `${url}/${mode}/login`)
      await page.fill('#username', 'ada')
      await page.fill('#password', 'analytical engine')
      await Promise.all([page.waitForEvent('load'), page.press('#password', 'Enter')])
      await hasProof(context, `${mode}-session-device`)
      await page.goto(`${url}/${mode}/devices`)
      t.match(await page.textContent('main'), 'This session is bound to your device since')
      if (mode === 'stored') t.match(await page.textContent('.devices'), 'Bound to its device since')
    })
  }

  t.test('a browser that cannot bind sessions is served as before', async (t) => {
    const { url, own } = await createDeviceSite(t, trusted, {})
    const context = await openDevice(t, join(t.testdir({}), 'profile'), trusted.home, false)
    const page = await openPage(t, context, `${url}/login`)
    await logIn(page)
    t.equal(await headingOf(page), 'Member Ada')
    await page.reload()
    t.equal(await headingOf(page), 'Member Ada')
    t.same(own, [])
    t.same(
      (await context.cookies()).map(({ name }) => name),
      ['session']
    )
  })
}

async function createDeviceSite(t: Tap.Test, { https }: Trusted, options: LooseOptions, port = 0): Promise<DeviceSite> {
  // By the time of the browser.
  const { app } = await createSite({ ...options, clock: Date.now }, {
    https,
    forceCloseConnections: true
  } as FastifyServerOptions)
  await app.register(deviceBound, { refreshEvery: REFRESH_EVERY })
  const [own, skipped]: string[][] = [[], []]
  const site = { app, url: '', own: own ?? [], skipped: skipped ?? [], isDown: false }
  app.addHook('onSend', async ({ url }, reply) => {
    if (site.isDown && url.startsWith('/session/device/')) reply.code(503).removeHeader('set-cookie')
  })
  app.addHook('onResponse', async ({ url, headers }, { statusCode }) => {
    if (url.startsWith('/session/device/')) site.own.push(`${url.slice(16)} ${statusCode}`)
    const skipped = headers['secure-session-skipped']
    if (skipped !== undefined) site.skipped.push(String(skipped))
  })
  t.teardown(() => app.close())
  site.url = asSite(await app.listen({ port, host: '127.0.0.1' }), 'app.test')
  return site
}

/** Waits until the browser has the short cookie. */
async function hasProof(context: BrowserContext, name = 'session-device'): Promise<void> {
  await until(async () => (await namesIn(context)).includes(name) || fail())
}

/** Waits until the short cookie of the browser has ended. */
async function hasNoProof(context: BrowserContext): Promise<void> {
  await until(async () => !(await namesIn(context)).includes('session-device') || fail())
}

async function namesIn(context: BrowserContext): Promise<string[]> {
  return (await context.cookies()).map(({ name }) => name)
}

function fail(): never {
  throw new Error('not yet')
}
