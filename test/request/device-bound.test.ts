import t from 'tap'
import { loginRequired } from '../../lib/index.ts'
import { createApp, decisionsOf, MODES, REVOCABLE } from '../helpers/app.ts'
import { barrier } from '../helpers/barrier.ts'
import { createBoundBrowser, createDeviceApp } from '../helpers/device-app.ts'
import { DeviceBrowser, offerIn } from '../helpers/device-browser.ts'
import { OldLibrary } from '../helpers/old-library.ts'

for (const { mode, options } of MODES) {
  t.test(`${mode}: without a proof a bound session is anonymous, and nothing takes its place`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    app.post('/update', async ({ session }) => session.update((data) => Object.assign(data, { visits: 7 })))
    app.post('/commit', async ({ session }) => {
      session.visits = 7
      await session.commit()
    })
    app.get(
      '/members',
      loginRequired({ key: 'userId', redirectTo: '/login', next: 'session' }).handle(async () => 'in')
    )
    const browser = new DeviceBrowser(app, clock.now)
    await browser.post('/login')
    clock.advance(700)
    const thief = browser.stolen()
    const cookies = thief.header
    const decisions = await decisionsOf(() => thief.post('/visit'))
    t.same(decisions, ['open: device-unproven', 'commit: device-unproven'])
    t.equal((await thief.post('/update')).json().code, 'ERR_SESSION_GONE')
    t.equal((await thief.post('/commit')).json().code, 'ERR_SESSION_GONE')
    const { headers } = await thief.send({ url: '/members', headers: { accept: 'text/html' } })
    t.equal(headers.location, '/login?next=%2Fmembers', 'the page is not stored in a session')
    t.equal(headers['set-cookie'], undefined)
    t.equal(thief.header, cookies)
    t.ok((await browser.get('/me')).json().isProved)
  })

  t.test(`${mode}: an offer to a session that goes on gives it a new id`, async (t) => {
    const { app, clock } = await createDeviceApp(options, { offerAtLogin: false })
    app.get('/id', async ({ session }) => session.id)
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    await browser.post('/login')
    const copy = browser.stolen()
    const { body: before } = await browser.get('/id')
    t.equal((await browser.post('/bind')).body, 'true')
    const { body: after } = await browser.get('/id')
    t.not(after, before)
    t.equal((await browser.post('/bind')).body, 'false')
    t.equal((await browser.get('/id')).body, after, 'without an offer it stays')
    if (options.store === undefined) return
    t.same(
      (await copy.get('/me')).json(),
      { isBound: false, isProved: false },
      'a copy that was made before opens nothing'
    )
  })

  t.test(`${mode}: a login and a logout are served as usual`, async (t) => {
    const { browser, clock } = await createBoundBrowser(options)
    clock.advance(700)
    const [one, other] = [browser.stolen(), browser.stolen()]
    await one.post('/login')
    t.ok((await one.get('/me')).json().isProved)
    await other.post('/logout')
    t.equal(other.cookie('session'), undefined)
  })

  t.test(`${mode}: what ends the binding, and what does not`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    app.post('/owner', async ({ session }) => {
      session.setOwner('8')
      return session.device === undefined ? 'not bound' : 'bound'
    })
    app.post('/clear', async ({ session }) => {
      session.clear()
      session.visits = 1
      return session.device === undefined ? 'not bound' : 'bound'
    })
    app.post('/reload', async ({ session }) => {
      await session.reload()
      return session.device?.lastProofAt === undefined ? 'not proved' : 'proved'
    })
    const browser = new DeviceBrowser(app, clock.now)
    await browser.post('/login')
    t.equal((await browser.post('/reload')).body, 'proved')
    browser.isCapable = false
    const again = await browser.post('/owner')
    t.equal(again.body, 'not bound')
    t.ok(offerIn(again))
    browser.isCapable = true
    await browser.post('/logout')
    await browser.post('/login')
    const cleared = await browser.post('/clear')
    t.equal(cleared.body, 'not bound')
    t.equal(offerIn(cleared), undefined, 'nobody owns it')
    await browser.post('/logout')

    await browser.post('/login')
    clock.advance(700)
    const thief = browser.stolen()
    for (const [body, expected] of [
      [{}, 'bound'],
      [{ keepOwner: true }, 'bound']
    ] as const) {
      t.equal((await thief.post('/open/regenerate', body)).body, expected)
    }
    t.equal((await thief.post('/open/renew')).body, 'bound')
  })

  t.test(`${mode}: nothing that is not saved is offered`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    app.post('/nothing', { config: { session: false } }, async ({ session }) => session.bindToDevice())
    app.post('/ended', async ({ session }) => {
      await session.destroy()
      return session.bindToDevice()
    })
    const browser = new DeviceBrowser(app, clock.now)
    for (const path of ['/nothing', '/ended']) {
      const reply = await browser.post(path)
      t.equal(reply.body, 'false', path)
      t.equal(offerIn(reply), undefined)
    }
    const { body } = await app.inject({ method: 'POST', url: '/bind', headers: { 'x-forwarded-proto': 'http' } })
    t.equal(body, 'false', 'over plain HTTP')
  })

  t.test(`${mode}: it is offered to owners, or only where the application asks for it`, async (t) => {
    const { app, clock } = await createDeviceApp(options, { offerAtLogin: false, offerAgainAfter: 60 })
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    t.equal(offerIn(await browser.post('/login')), undefined)
    t.ok(offerIn(await browser.post('/bind')))
    t.equal(offerIn(await browser.post('/bind')), undefined)
    clock.advance(60)
    t.ok(offerIn(await browser.post('/bind')))
  })

  t.test(`${mode}: without the plugin a bound session opens where no proof is asked for`, async (t) => {
    const { browser } = await createBoundBrowser(options)
    const { app } = await createApp({}, { trustProxy: true })
    app.get('/me', async ({ session }) => ({ ...session }))
    app.get('/open', { config: { session: { device: 'optional' } } }, async ({ session }) => ({ ...session }))
    app.get('/bind', async ({ session }) => session.bindToDevice())
    const headers = { cookie: browser.header }
    t.equal((await app.inject({ url: '/me', headers })).body, '{}')
    t.equal((await app.inject({ url: '/open', headers })).body, mode === 'signed' ? '{"userId":7}' : '{}')
    t.equal((await app.inject({ url: '/bind', headers })).json().code, 'ERR_SESSION_NOT_REGISTERED')
  })
}

for (const { mode, options, isSelfContained } of MODES) {
  t.test(`${mode}: a reply that comes later than the one that binds the session does not undo that`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    const [hasCome, mayGo] = [barrier(2), barrier(2)]
    app.get('/slow', async ({ session }) => {
      session.visits = 7
      await hasCome()
      await mayGo()
      return 'slow'
    })
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    const offer = offerIn(await browser.post('/login'))
    const slow = browser.get('/slow')
    await hasCome()
    await browser.register(offer ?? { path: '', challenge: '' })
    t.ok((await browser.get('/me')).json().isProved)
    await mayGo()
    await slow
    if (isSelfContained) {
      const headers = { cookie: `session=${browser.cookie('session')}`, 'x-forwarded-proto': 'https' }
      t.notOk((await app.inject({ url: '/me', headers })).json().isBound, 'the cookie does not say so')
    }
    t.same((await browser.get('/me')).json(), { userId: 7, visits: 7, isBound: true, isProved: true })
    clock.advance(700)
    t.notOk((await browser.sendAsIs({ url: '/me' })).json().isBound, 'and it needs a proof')
    t.ok((await browser.get('/me')).json().isProved)
  })

  t.test(`${mode}: a refresh finds what was bound, too`, async (t) => {
    const { app, clock } = await createDeviceApp(options)
    const browser = new DeviceBrowser(app, clock.now)
    browser.isCapable = false
    const offer = offerIn(await browser.post('/login'))
    const before = browser.cookies.get('session')
    await browser.register(offer ?? { path: '', challenge: '' })
    if (isSelfContained && before !== undefined) browser.cookies.set('session', before)
    clock.advance(500)
    t.equal((await browser.refresh()).statusCode, 200)
    t.ok((await browser.get('/me')).json().isProved)
  })
}

for (const { mode, options } of [...MODES.slice(2), ...REVOCABLE]) {
  t.test(`${mode}: the old cookie of a session that was adopted and bound opens nothing`, async (t) => {
    for (const remove of [true, false]) {
      const library = new OldLibrary()
      const ada = { data: { userId: 7 }, ownerId: '7' }
      library.records.set('ada', ada)
      const { app, clock } = await createDeviceApp({ ...options, adopt: [library.reader({ remove })] })
      const browser = new DeviceBrowser(app, clock.now)
      browser.cookies.set('old', { value: 'ada', expiresAt: Number.POSITIVE_INFINITY })
      const thief = browser.stolen()
      await browser.get('/me')
      t.equal((await browser.post('/bind')).body, 'true')
      t.same((await browser.get('/me')).json(), { userId: 7, isBound: true, isProved: true })
      library.records.set('ada', ada)
      t.same((await thief.get('/me')).json(), { isBound: false, isProved: false })
    }
  })
}
