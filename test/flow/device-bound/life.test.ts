import t from 'tap'
import { decisionsOf, MODES, REVOCABLE } from '../../helpers/app.ts'
import { createBoundBrowser, createDeviceApp, deviceEventsOf } from '../../helpers/device-app.ts'
import { DeviceBrowser, offerIn } from '../../helpers/device-browser.ts'

const MEMBER = { userId: 7, isBound: true, isProved: true }
const STRANGER = { isBound: false, isProved: false }

for (const { mode, options } of [...MODES, ...REVOCABLE]) {
  t.test(`${mode}: a login is bound, and goes on with a proof in every ten minutes`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    const browser = new DeviceBrowser(app, clock.now)
    t.same(await deviceEventsOf(() => browser.post('/login')), ['bound'])
    t.same((await browser.get('/me')).json(), MEMBER)
    clock.advance(599)
    t.same((await browser.get('/me')).json(), MEMBER)
    t.equal(browser.ownRequests.length, 1, 'no refresh so far')
    clock.advance(1)
    t.same(await deviceEventsOf(async () => t.same((await browser.get('/me')).json(), MEMBER)), ['proved'])
    t.same(browser.ownRequests, ['POST /session/device/register 200', 'POST /session/device/refresh 200'])
    clock.advance(3600)
    t.same((await browser.get('/me')).json(), MEMBER)
    t.same(browser.ownRequests.slice(2), ['POST /session/device/refresh 403', 'POST /session/device/refresh 200'])
  })

  t.test(`${mode}: copied cookies are worth nothing after that, and the owner notices nothing`, async (t) => {
    const { browser, clock } = await createBoundBrowser(options)
    const thief = browser.stolen()
    t.same((await thief.get('/me')).json(), MEMBER, 'a copy is good for a while')
    clock.advance(700)
    thief.cookies.set('session-device', {
      value: browser.cookies.get('session-device')?.value ?? '',
      expiresAt: Infinity
    })
    const cookie = thief.cookie('session')
    const decisions = await decisionsOf(async () => {
      const reply = await thief.get('/me')
      t.same(reply.json(), STRANGER)
      t.match(reply.headers['set-cookie'], /^session-device=; /, 'that of the session is neither cleared nor replaced')
      const written = await thief.post('/visit')
      t.equal(written.body, '1')
      t.notOk(written.headers['set-cookie'])
    })
    t.same(
      decisions.filter((decision) => decision !== 'commit: unchanged'),
      ['open: device-unproven', 'commit: device-unproven', 'open: device-unproven', 'commit: device-unproven']
    )
    t.equal(thief.cookie('session'), cookie)
    t.equal((await thief.get('/key')).statusCode, 401)
    t.same((await browser.get('/me')).json(), MEMBER)
    clock.advance(700)
    t.same((await browser.get('/me')).json(), MEMBER)
    t.equal((await browser.post('/visit')).body, '1')
  })

  t.test(`${mode}: a logout ends the binding, in the browser too`, async (t) => {
    const { browser, app, clock } = await createBoundBrowser(options)
    const copy = browser.header
    await browser.post('/logout')
    t.equal(browser.header, '')
    t.same((await browser.get('/me')).json(), STRANGER)
    t.equal(browser.session, undefined)
    t.same(browser.ownRequests.slice(1), ['POST /session/device/refresh 400'])
    if (mode === 'signed' || mode === 'encrypted') return
    const { body } = await app.inject({
      url: '/me',
      headers: { cookie: copy, 'x-forwarded-proto': 'https', host: 'app.test' }
    })
    t.same(JSON.parse(body), STRANGER, 'with its proof')
    clock.advance(1)
  })

  t.test(`${mode}: renew() ends it for the old id, and offers the new one`, async (t) => {
    const { browser } = await createBoundBrowser(options)
    const before = { ...browser.session }
    browser.isCapable = false
    const reply = await browser.post('/renew')
    t.equal(reply.body, 'not bound')
    t.ok(reply.headers['secure-session-registration'])
    t.same((await browser.get('/me')).json(), { ...STRANGER, userId: 7 })
    t.equal((await browser.refresh()).statusCode, 400)

    browser.isCapable = true
    await browser.post('/login')
    t.equal(browser.session, undefined, 'the same owner is no login')
    await browser.post('/logout')
    await browser.post('/login')
    t.not(browser.session?.identifier, before.identifier)
    t.same((await browser.get('/me')).json(), MEMBER)
  })

  t.test(`${mode}: regenerate() ends it`, async (t) => {
    const { browser } = await createBoundBrowser(options)
    const { body, headers } = await browser.post('/regenerate', { keep: ['userId'] })
    t.equal(body, 'not bound')
    t.match([headers['set-cookie']].flat().at(-1), /^session-device=; Max-Age=0; /)
    t.equal(headers['secure-session-registration'], undefined, 'without an owner')
    t.same((await browser.get('/me')).json(), { ...STRANGER, userId: 7 })
    t.equal(browser.session, undefined)

    const other = await createBoundBrowser(options)
    const { identifier } = other.browser.session ?? {}
    await other.browser.post('/regenerate', { keep: ['userId'], keepOwner: true })
    t.same((await other.browser.get('/me')).json(), MEMBER, 'with its owner it is offered anew')
    t.not(other.browser.session?.identifier, identifier)
  })

  t.test(`${mode}: both timeouts end it`, async (t) => {
    for (const timeouts of [{ idleTimeout: 3600 }, { idleTimeout: 3600, absoluteTimeout: 3600 }]) {
      const { browser, clock } = await createBoundBrowser({ ...options, ...timeouts })
      clock.advance(3602)
      t.same((await browser.get('/me')).json(), STRANGER)
      t.equal(browser.session, undefined)
    }
  })

  t.test(`${mode}: without a proof, a login begins another session and a logout ends this one`, async (t) => {
    const { browser, clock } = await createBoundBrowser(options)
    const [thief, owner] = [browser.stolen(), browser.stolen()]
    clock.advance(700)
    await thief.post('/login')
    t.same((await thief.get('/me')).json(), MEMBER, 'of the one who has the password')
    t.same((await browser.get('/me')).json(), MEMBER, 'beside the other')

    await owner.post('/logout')
    t.equal(owner.cookie('session'), undefined, 'whoever logs out is logged out')
    const isGone = mode !== 'signed' && mode !== 'encrypted'
    t.same((await browser.get('/me')).json(), isGone ? STRANGER : MEMBER)
  })

  t.test(`${mode}: a route can do without a proof, and takes nothing out of the binding`, async (t) => {
    const { browser, clock } = await createBoundBrowser(options)
    const thief = browser.stolen()
    clock.advance(700)
    t.same((await thief.get('/open')).json(), { userId: 7, isBound: true, isProved: false })
    t.equal((await thief.post('/open/renew')).body, 'bound')
    t.equal((await thief.post('/open/regenerate', {})).body, 'bound')
    t.equal((await thief.post('/open/regenerate', { keepOwner: true })).body, 'bound')
    t.same((await thief.get('/me')).json(), STRANGER)
    t.equal((await thief.post('/bind')).body, 'false')
  })

  t.test(`${mode}: a browser that cannot bind sessions is served as before`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    await browser.post('/login')
    clock.advance(3600)
    t.same((await browser.get('/me')).json(), { userId: 7, isBound: false, isProved: false })
    t.equal((await browser.get('/key')).statusCode, 403)
    t.equal((await browser.post('/visit')).body, '1')
    t.same(browser.ownRequests, [])
  })

  t.test(`${mode}: it is offered once, and again when the application asks for it after a day`, async (t) => {
    const { app, clock } = await createDeviceApp({ ...options, idleTimeout: 200_000 }, { offerAgainAfter: 86_400 })
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    const isOffered = async (path: string): Promise<boolean> =>
      (await browser.post(path)).headers['secure-session-registration'] !== undefined
    t.ok(await isOffered('/login'))
    t.notOk(await isOffered('/login'))
    t.notOk(await isOffered('/visit'))
    t.notOk(await isOffered('/bind'))
    clock.advance(86_399)
    t.notOk(await isOffered('/bind'))
    clock.advance(1)
    t.equal((await browser.post('/bind')).body, 'true')
    t.notOk(await isOffered('/bind'))
    clock.advance(86_400)
    browser.isCapable = true
    t.ok(await isOffered('/bind'))
    t.same((await browser.get('/me')).json(), { userId: 7, visits: 1, isBound: true, isProved: true })
    clock.advance(86_400)
    t.notOk(await isOffered('/bind'), 'it is bound')
  })

  t.test(`${mode}: with an RSA key, after a restart, under a new secret`, async (t) => {
    const store = typeof options.store === 'function' ? undefined : options.store
    const { browser, clock } = await createBoundBrowser({ ...options, ...(store && { store }) }, {}, 'RS256')
    t.same((await browser.get('/me')).json(), MEMBER)
    clock.advance(700)
    t.same((await browser.get('/me')).json(), MEMBER)
  })
}

for (const { mode, options } of MODES.slice(2)) {
  t.test(`${mode}: a new id that comes while the browser registers costs one request`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    const offer = offerIn(await browser.post('/login'))
    if (offer === undefined) throw new Error('no offer')
    const page = browser.stolen()
    page.isCapable = false
    await Promise.all([browser.register(offer), page.post('/renew')])
    const cookie = page.cookies.get('session')
    if (cookie !== undefined) browser.cookies.set('session', cookie)
    clock.advance(11)
    t.same((await browser.get('/me')).json(), STRANGER, 'the proof is one for the id of before')
    t.same((await browser.get('/me')).json(), MEMBER, 'the browser has proved itself anew')
  })
}

t.test('several refreshes at once, and an old challenge after a new one, are fine', async (t) => {
  for (const { mode, options } of MODES) {
    const { browser, clock } = await createBoundBrowser(options)
    clock.advance(601)
    await browser.refresh()
    const old = browser.session?.challenge
    clock.advance(200)
    const replies = await Promise.all([browser.refresh(), browser.refresh(), browser.refresh()])
    t.same(
      replies.map(({ statusCode }) => statusCode),
      [200, 200, 200],
      mode
    )
    if (browser.session !== undefined) browser.session.challenge = old
    t.equal((await browser.refresh()).statusCode, 200)
    t.same((await browser.get('/me')).json(), MEMBER)
  }
})

t.test('the challenge comes ahead, in the last part of the life of a proof', async (t) => {
  const { browser, clock } = await createBoundBrowser()
  clock.advance(400)
  const reply = await browser.get('/me')
  t.equal(reply.headers['secure-session-challenge'], undefined)
  clock.advance(60)
  t.match((await browser.get('/me')).headers['secure-session-challenge'], /^"c1[^"]+";id="d[^"]+"$/)
  clock.advance(150)
  await browser.get('/me')
  t.same(browser.ownRequests.slice(1), ['POST /session/device/refresh 200'], 'one round trip')
})

t.test('another session of the same browser does not open by the proof', async (t) => {
  for (const { mode, options } of MODES) {
    const made = await createBoundBrowser(options)
    const other = new DeviceBrowser(made.app, made.clock.now)
    await other.post('/login')
    made.clock.advance(11)
    const device = made.browser.cookies.get('session-device')
    t.ok(device)
    if (device !== undefined) other.cookies.set('session-device', device)
    t.same((await other.get('/me')).json(), STRANGER, mode)
  }
})

t.test('what is under way while the session is bound is served', async (t) => {
  for (const { mode, options, isSelfContained } of MODES) {
    const { app, clock } = await createDeviceApp(options)
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    const offer = offerIn(await browser.post('/login'))
    const headers = { cookie: browser.header, host: 'app.test', 'x-forwarded-proto': 'https' }
    await browser.register(offer ?? { path: '', challenge: '' })
    clock.advance(10)
    t.match((await app.inject({ url: '/me', headers })).json(), { userId: 7, isBound: !isSelfContained }, mode)
    clock.advance(1)
    const { userId } = (await app.inject({ url: '/me', headers })).json()
    t.equal(userId, isSelfContained ? 7 : undefined, 'a cookie that was never bound, or a copy')
  }
})

t.test('a browser that could not refresh says so', async (t) => {
  for (const [onSkipped, expected] of [
    ['refuse', STRANGER],
    ['accept', { userId: 7, isBound: true, isProved: false }]
  ] as const) {
    const { browser, clock } = await createBoundBrowser({}, { onSkipped })
    clock.advance(700)
    const headers = { 'secure-session-skipped': `unreachable;session_identifier="${browser.session?.identifier}"` }
    const events = await deviceEventsOf(async () => {
      t.same((await browser.sendAsIs({ url: '/me', headers })).json(), expected, onSkipped)
    })
    t.same(events, ['skipped: unreachable'])
  }
})

t.test('without the plugin a bound session does not open', async (t) => {
  const { browser } = await createBoundBrowser()
  const { createApp } = await import('../../helpers/app.ts')
  const { app } = await createApp({}, { trustProxy: true })
  app.get('/me', async ({ session }) => ({ ...session }))
  t.equal((await app.inject({ url: '/me', headers: { cookie: browser.header } })).body, '{}')
})
